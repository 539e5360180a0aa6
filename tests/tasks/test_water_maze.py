"""The water maze: its rules, and its players against exact computation."""

import functools
import itertools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate, mean_interval
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out
from scipy.optimize import linear_sum_assignment

from kerasmeta import UserError, tasks
from kerasmeta._keras import tf
from kerasmeta.tasks.navigation import grid
from kerasmeta.tasks.navigation.water_maze import WaterMaze
from kerasmeta.tasks.play import play

LIFETIMES = 600
TASK = WaterMaze(2, 3, contexts=3, presentations=4, episode_steps=9, context_size=4)
CHANGES = {0: (-1, 0), 1: (0, 1), 2: (1, 0), 3: (0, -1)}  # north, east, south, west


class TestContract(TaskContract):
    task = WaterMaze(2, 2, contexts=2, presentations=2, episode_steps=3, context_size=3)


@pytest.fixture(scope="module")
def lifetimes():
    choose = random_actions(LIFETIMES, seed=1, num_actions=4)
    return roll_out(TASK, LIFETIMES, seed=3, choose=choose)


@pytest.fixture(scope="module")
def steps(lifetimes):
    """The row, column, resting and goal of each step, each `[B, T]`."""
    stimulus = lifetimes.observation["stimulus"][:, :-1]
    place = stimulus[:, :, :2].argmax(axis=2), stimulus[:, :, 2:5].argmax(axis=2)
    context = np.repeat(lifetimes.state.context[:, 0], TASK.episode_steps, axis=1)
    goal = np.take_along_axis(lifetimes.state.goals[:, 0], context, axis=1)
    return *place, stimulus[:, :, 5], goal


def arrivals(lifetimes, steps):
    """Where each action leads to by plain arithmetic, cell `[B, T]`."""
    row, column, _, _ = steps
    change = np.array([CHANGES[action] for action in range(4)])[lifetimes.action]
    row = np.clip(row + change[:, :, 0], 0, TASK.rows - 1)
    column = np.clip(column + change[:, :, 1], 0, TASK.columns - 1)
    return TASK.columns * row + column


def test_the_stimulus_is_a_place_and_the_platform_underfoot(lifetimes, steps):
    stimulus = lifetimes.observation["stimulus"][:, :-1]
    row, column, resting, goal = steps
    assert set(np.unique(stimulus)) == {0.0, 1.0}
    assert (stimulus[:, :, :2].sum(axis=2) == 1).all()
    assert (stimulus[:, :, 2:5].sum(axis=2) == 1).all()
    assert (resting == (TASK.columns * row + column == goal)).all()
    assert 0 < resting.mean() < 0.5


def test_actions_lead_where_they_should_and_nowhere_else(lifetimes, steps):
    row, column, resting, _ = steps
    last = (np.arange(TASK.lifetime_steps) + 1) % TASK.episode_steps == 0
    swims = (resting[:, :-1] == 0) & ~last[:-1]
    cell = TASK.columns * row + column
    arrived = arrivals(lifetimes, steps)
    np.testing.assert_array_equal(arrived[:, :-1][swims], cell[:, 1:][swims])
    assert (arrived == cell).any()  # a wall was met


def test_reaching_the_platform_pays_once(lifetimes, steps):
    _, _, resting, goal = steps
    expected = (arrivals(lifetimes, steps) == goal) & (resting == 0)
    np.testing.assert_array_equal(lifetimes.reward, expected.astype(np.float32))
    last = slice(TASK.episode_steps - 1, None, TASK.episode_steps)
    assert expected[:, last].any()  # the last step of an episode pays as well


def test_the_agent_is_put_anywhere_but_on_the_platform(lifetimes, steps):
    row, column, resting, goal = steps
    cell = TASK.columns * row + column
    index = np.arange(TASK.lifetime_steps)
    starts = index % TASK.episode_steps == 0
    begins = np.broadcast_to(starts, cell.shape)
    after_rest = np.zeros_like(begins)
    after_rest[:, 1:] = (resting[:, :-1] == 1) & ~starts[1:]
    for put in (begins, after_rest):
        assert (cell[put] != goal[put]).all()
        beyond = (cell[put] - goal[put]) % TASK.num_cells
        for distance in range(1, TASK.num_cells):
            check_rate(beyond == distance, 1 / (TASK.num_cells - 1))


def test_each_context_has_a_platform_drawn_by_itself(lifetimes):
    goals = lifetimes.state.goals[:, 0]
    for cell in range(TASK.num_cells):
        check_rate(goals == cell, 1 / TASK.num_cells)
    check_rate(goals[:, 0] == goals[:, 1], 1 / TASK.num_cells)


def test_an_episode_shows_its_own_context_at_every_step(lifetimes):
    context = lifetimes.observation["context"][:, :-1]
    code = (context > 0) @ (2 ** np.arange(TASK.context_size))
    by_episode = code.reshape(LIFETIMES, TASK.episodes, TASK.episode_steps)
    assert set(np.unique(context)) == {-1.0, 1.0}
    assert (by_episode == by_episode[:, :, :1]).all()
    hidden = np.take_along_axis(
        lifetimes.state.codes[:, 0], lifetimes.state.context[:, 0], axis=1
    )
    np.testing.assert_array_equal(by_episode[:, :, 0], hidden)
    for row in by_episode[:, :, 0]:
        _, times = np.unique(row, return_counts=True)
        assert times.tolist() == [TASK.presentations] * TASK.contexts
    again = (TASK.presentations - 1) / (TASK.episodes - 1)
    check_rate(by_episode[:, 0, 0] == by_episode[:, 1, 0], again)
    check_rate(by_episode[:, 0, 0] == by_episode[:, -1, 0], again)


def test_episodes_follow_each_other_and_the_last_ends_the_lifetime(lifetimes):
    index = np.arange(TASK.lifetime_steps)
    starts = lifetimes.observation["episode_start"][:, :-1]
    assert TASK.lifetime_steps == 3 * 4 * 9
    assert (starts == (index % TASK.episode_steps == 0)).all()
    assert (lifetimes.done == (index == TASK.lifetime_steps - 1)).all()
    for value in lifetimes.observation.values():
        assert not value[:, -1].any()


def test_a_context_is_stored_where_its_platform_is_felt_first(lifetimes, steps):
    _, _, resting, _ = steps
    context = np.repeat(lifetimes.state.context[:, 0], TASK.episode_steps, axis=1)
    felt = [set() for _ in range(LIFETIMES)]
    expected = np.zeros(resting.shape, bool)
    for row, t in itertools.product(range(LIFETIMES), range(TASK.lifetime_steps)):
        if resting[row, t] and context[row, t] not in felt[row]:
            expected[row, t] = True
            felt[row].add(context[row, t])
    np.testing.assert_array_equal(lifetimes.observation["store"][:, :-1], expected)
    assert expected.sum() > LIFETIMES


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("rows", 1),
        ("columns", 1),
        ("contexts", 0),
        ("presentations", 0),
        ("episode_steps", 1),
        ("context_size", 1),
        ("context_size", 63),
    ],
)
def test_bad_values_are_refused_by_name(parameter, value):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("water_maze", **{parameter: value})
    assert error.value.argument == parameter


def test_a_grid_without_a_tour_is_refused():
    with pytest.raises(UserError, match="no tour passes all cells"):
        tasks.make("water_maze", rows=7, columns=5)
    assert tasks.make("water_maze", rows=7, columns=4).num_cells == 28


# Geometry

GRIDS = [(2, 2), (2, 5), (3, 2), (3, 4), (4, 3), (6, 6), (7, 4), (5, 8)]


@pytest.mark.parametrize("size", GRIDS)
def test_the_tour_passes_every_cell_and_comes_back(size):
    tour = grid.tour(*size)
    assert sorted(tour) == list(range(size[0] * size[1]))
    steps = grid.distances(*size)[tour, np.roll(tour, -1)]
    assert (steps == 1).all()
    ahead = grid.ahead(*size)
    for k in range(len(tour)):
        assert (ahead[tour, np.roll(tour, -k)] == k).all()


@pytest.mark.parametrize("size", GRIDS)
def test_directions_lead_along_a_shortest_way(size):
    """Distances by Floyd and Warshall's algorithm on the moves themselves."""
    num_cells = size[0] * size[1]
    cells = tf.range(num_cells)
    reached = np.stack(
        [grid.move(cells, tf.fill([num_cells], a), *size).numpy() for a in range(4)]
    )  # [4, N]
    shortest = np.where(np.eye(num_cells, dtype=bool), 0, 10**6)
    shortest[np.arange(num_cells), reached] = 1
    np.fill_diagonal(shortest, 0)
    for via in range(num_cells):
        shortest = np.minimum(shortest, shortest[:, via, None] + shortest[via])
    np.testing.assert_array_equal(grid.distances(*size), shortest)
    start, goal = np.nonzero(shortest)
    after = reached[grid.directions(*size)[start, goal], start]
    np.testing.assert_array_equal(shortest[after, goal], shortest[start, goal] - 1)


@pytest.mark.parametrize("size", GRIDS)
def test_a_place_is_read_as_it_was_written(size):
    cells = tf.range(size[0] * size[1])
    shown = tf.pad(grid.place(cells, *size), [[0, 0], [0, 1]], constant_values=1.0)
    np.testing.assert_array_equal(grid.cell_at(shown, *size), cells)


# Players


def values_of_knowing(rows, columns, steps):
    """Expected rewards of an agent that knows the platform, float `[N, steps + 1]`.

    By the platform's cell and the steps left, the agent having just been put into the
    water: a way of d steps, one step of rest, and so on.
    """
    row, column = np.divmod(np.arange(rows * columns), columns)
    values = np.zeros((rows * columns, steps + 1))
    for n, goal in itertools.product(range(1, steps + 1), range(rows * columns)):
        ways = abs(row - row[goal]) + abs(column - column[goal])
        ways = ways[(ways > 0) & (ways <= n)]
        after = values[goal, np.maximum(n - ways - 1, 0)]
        values[goal, n] = np.sum(1 + after) / (rows * columns - 1)
    return values


def values_of_finding(rows, columns, steps):
    """Expected rewards of a platform found at step k, float `[N, N - 1]`, k = 1 ..."""
    values = values_of_knowing(rows, columns, steps)
    found = np.arange(1, rows * columns)
    after = 1 + values[:, np.maximum(steps - found - 1, 0)]
    return np.where(found <= steps, after, 0.0)


def search_value(task):
    """Expected rewards of an episode that is searched along the tour."""
    value = values_of_finding(task.rows, task.columns, task.episode_steps)
    ahead = grid.ahead(task.rows, task.columns)
    pairs = [
        value[goal, ahead[start, goal] - 1]
        for start, goal in itertools.permutations(range(task.num_cells), 2)
    ]
    return np.mean(pairs)


def search_bound(task):
    """What no search exceeds: the best order in which any cell may follow any other."""
    value = values_of_finding(task.rows, task.columns, task.episode_steps)
    best = []
    for start in range(task.num_cells):
        choices = np.delete(value, start, axis=0)  # [cell, step]
        best.append(choices[linear_sum_assignment(-choices)].mean())
    return np.mean(best)


def random_value(task):
    """Expected rewards of an episode of a random walk, by its transition matrix."""
    num_cells = task.num_cells
    cells = tf.range(num_cells)
    walk = np.zeros((num_cells, num_cells))
    for action in range(4):
        to = grid.move(cells, tf.fill([num_cells], action), task.rows, task.columns)
        np.add.at(walk, (np.arange(num_cells), to.numpy()), 0.25)
    total = 0.0
    for goal in range(num_cells):
        put = np.full(num_cells, 1 / (num_cells - 1))
        put[goal] = 0.0
        chain = walk.copy()
        chain[goal] = put  # from the platform the agent is put anywhere else
        where = put
        for _ in range(task.episode_steps):
            where = where @ chain
            total += where[goal]
    return total / num_cells


@functools.cache
def played(name, lifetimes=600, **parameters):
    """Rewards `[B, C, P, T]` of a player by context and exposure."""
    task = WaterMaze(**parameters)
    lives = play(task, name, lifetimes, seed=1)
    context = lives.observation["context"][:, :: task.episode_steps]
    codes = (context > 0) @ (2 ** np.arange(task.context_size))  # [B, E]
    order = np.argsort(codes, axis=1, kind="stable")
    reward = lives.reward.reshape(lifetimes, task.episodes, task.episode_steps)
    ordered = np.take_along_axis(reward, order[:, :, None], axis=1)
    return ordered.reshape(lifetimes, task.contexts, task.presentations, -1)


def first_reward(reward):
    """The step of the first reward, counted from 1; the episode's length if none."""
    return np.where(reward.any(-1), reward.argmax(-1) + 1, reward.shape[-1])


def test_the_stated_values_are_those_of_the_default_task():
    task = WaterMaze()
    know = values_of_knowing(6, 6, 36)[:, 36].mean()
    assert know == pytest.approx(7.18, abs=0.005)
    assert search_value(task) == pytest.approx(4.32, abs=0.005)
    assert search_bound(task) == pytest.approx(4.57, abs=0.005)
    assert grid.distances(6, 6).sum() / (36 * 35) == pytest.approx(4.0)


def test_random_earns_what_its_transition_matrix_says():
    check_mean(played("random").sum(-1).mean((1, 2)), random_value(WaterMaze()))


def test_search_finds_the_platform_at_any_of_the_other_cells_alike():
    reward = played("incremental")
    steps = first_reward(reward)
    for k in (1, 7, 20, 35):
        check_rate(steps == k, 1 / 35)
    assert steps.max() == 35
    for exposure in range(4):
        check_mean(steps[:, :, exposure].mean(axis=1), 18.0)
    check_mean(reward.sum(-1).mean((1, 2)), search_value(WaterMaze()))


def test_memory_searches_once():
    reward = played("optimal")
    know = values_of_knowing(6, 6, 36)[:, 36].mean()
    check_mean(first_reward(reward)[:, :, 0].mean(axis=1), 18.0)
    check_mean(reward[:, :, 0].sum(-1).mean(axis=1), search_value(WaterMaze()))
    for exposure in (1, 2, 3):
        check_mean(first_reward(reward)[:, :, exposure].mean(axis=1), 4.0)
        check_mean(reward[:, :, exposure].sum(-1).mean(axis=1), know)


def test_oracle_goes_straight_from_the_first_episode_on():
    reward = played("oracle")
    know = values_of_knowing(6, 6, 36)[:, 36].mean()
    for exposure in range(4):
        check_mean(first_reward(reward)[:, :, exposure].mean(axis=1), 4.0)
        check_mean(reward[:, :, exposure].sum(-1).mean(axis=1), know)


def test_no_search_in_short_episodes_beats_the_bound():
    parameters = {"rows": 3, "columns": 4, "episode_steps": 7, "presentations": 3}
    task = WaterMaze(**parameters)
    reward = played("incremental", **parameters)
    check_mean(reward.sum(-1).mean((1, 2)), search_value(task))
    assert mean_interval(reward.sum(-1).mean((1, 2)))[0] < search_bound(task)
    check_rate(reward.any(-1), 7 / 11)
    check_mean(
        first_reward(reward).mean((1, 2)), np.minimum(np.arange(1, 12), 7).mean()
    )


def test_memory_goes_on_where_a_search_was_left_off():
    """In short episodes nothing is looked at twice before all is looked at once."""
    task = WaterMaze(4, 4, contexts=2, presentations=6, episode_steps=5, context_size=3)
    lives = play(task, "optimal", 200, seed=4)
    context = (lives.observation["context"] > 0) @ np.array([1, 2, 4])
    cell = grid.cell_at(lives.observation["stimulus"].reshape(-1, 9), 4, 4)
    cell = cell.numpy().reshape(context.shape)
    resting = lives.observation["stimulus"][:, :, 8] == 1
    for row, code in itertools.product(range(200), range(8)):
        times = np.flatnonzero(context[row] == code)
        seen: set[int] = set()
        known = None
        for t in times:
            target = {known} if known is not None else set(range(16)) - seen
            here = cell[row, t]
            if resting[row, t]:
                known = here
            seen.add(here)
            is_last = (t + 1) % task.episode_steps == 0
            if resting[row, t] or is_last or here in target:
                continue
            # One step nearer to the nearest cell that may be the platform's.
            way = grid.distances(4, 4)
            before = min(way[here, one] for one in target)
            assert min(way[cell[row, t + 1], one] for one in target) == before - 1


def test_knowledge_of_one_context_is_not_used_in_another():
    reward = played("optimal", contexts=2, presentations=2)
    check_mean(first_reward(reward)[:, :, 0].mean(axis=1), 18.0)
