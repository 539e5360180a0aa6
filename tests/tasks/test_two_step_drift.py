"""The rules of the drifting two-step task against their parameters."""

import itertools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract, assert_same
from harness.task_rollout import random_actions, roll_out
from scipy import stats

from kerasmeta import UserError, tasks
from kerasmeta._keras import tf
from kerasmeta.tasks.two_step import drift
from kerasmeta.tasks.two_step.drifting import FIRST_STAGE, DriftingTwoStep

LIFETIMES = 1000


class TestContract(TaskContract):
    task = DriftingTwoStep(trials=3)


@pytest.fixture(scope="module", params=[{}, {"common": 0.4, "drift": 0.1}])
def played(request):
    task = DriftingTwoStep(trials=30, **request.param)
    choose = random_actions(LIFETIMES, seed=1)
    return task, roll_out(task, LIFETIMES, seed=3, choose=choose)


def stages(lifetimes):
    """(first choice, state reached, second choice, reward), each `[B, trials]`."""
    action, reward = lifetimes.action, lifetimes.reward
    reached = lifetimes.state.reached[:, 1:-1:2]
    return action[:, ::2], reached, action[:, 1::2], reward[:, 1::2]


def test_stages_alternate_and_are_shown(played):
    _, lifetimes = played
    reached, shown = lifetimes.state.reached, lifetimes.observation["stimulus"]
    assert (reached[:, ::2] == FIRST_STAGE).all()
    assert np.isin(reached[:, 1::2], (0, 1)).all()
    np.testing.assert_array_equal(shown[..., :3], np.eye(3)[reached + 1])
    arms = np.zeros_like(shown[..., 3:])  # none at the second stage and at the start
    arms[:, 2::2] = np.eye(4)[2 * reached[:, 1:-1:2] + lifetimes.action[:, 1::2]]
    np.testing.assert_array_equal(shown[..., 3:], arms)


def test_transitions_are_common_with_the_chance_given(played):
    task, lifetimes = played
    first, reached, _, _ = stages(lifetimes)
    for action in (0, 1):
        check_rate((reached == action)[first == action], task.common)


def test_only_the_second_choice_is_paid(played):
    _, lifetimes = played
    assert (lifetimes.reward[:, ::2] == 0).all()
    assert set(np.unique(lifetimes.reward)) == {0.0, 1.0}


def test_rewards_have_the_chance_of_the_arm_chosen(played):
    _, lifetimes = played
    _, reached, second, reward = stages(lifetimes)
    chances = lifetimes.state.chances[:, 1:-1:2]  # [B, trials, 2, 2]
    rows, columns = np.indices(reached.shape)
    chance = chances[rows, columns, reached, second]
    surplus = reward - chance
    check_mean(surplus.mean(axis=1), 0.0)
    check_mean((surplus * chance).mean(axis=1), 0.0)
    for state, arm in itertools.product((0, 1), repeat=2):
        of_arm = (reached == state) & (second == arm)
        check_mean((surplus * of_arm).mean(axis=1), 0.0)
    check_mean((surplus[:, 1:] * surplus[:, :-1]).mean(axis=1), 0.0)


def test_chances_are_uniform_between_the_bounds_and_stay_so(played):
    task, lifetimes = played
    chances = lifetimes.state.chances
    assert chances.min() >= task.lowest_chance
    assert chances.max() <= task.highest_chance
    for t in (0, -1):  # the uniform distribution is the stationary one
        for level in (0.05, 0.5, 0.9):
            check_rate(chances[:, t, 0, 0] < 0.25 + 0.5 * level, level)
            check_rate(chances[:, t, 1, 1] < 0.25 + 0.5 * level, level)
    both = (chances[:, 0, 0, 1] < 0.4) & (chances[:, 0, 1, 0] < 0.4)
    check_rate(both, 0.3**2)  # arms are independent


def test_chances_move_by_gaussian_steps_after_every_trial():
    task = DriftingTwoStep(trials=20)
    lifetimes = roll_out(task, LIFETIMES, seed=4, choose=random_actions(LIFETIMES, 2))
    chances = lifetimes.state.chances[:, ::2]  # [B, trials + 1, 2, 2], first stages
    np.testing.assert_array_equal(lifetimes.state.chances[:, 1::2], chances[:, :-1])
    step = np.diff(chances, axis=1) / task.drift
    inside = (np.abs(chances[:, :-1] - 0.5) < 0.1).all(axis=(2, 3))  # no wall is near
    step = step[inside]  # [M, 2, 2]
    for arm in range(4):
        scaled = step.reshape(-1, 4)[:, arm]
        assert stats.kstest(scaled, "norm").pvalue > 0.01
    check_mean(step[:, 0, 0] * step[:, 0, 1], 0.0)
    check_mean(step[:, 0, 0] * step[:, 1, 0], 0.0)


def test_walls_reflect():
    chances = tf.fill([20000], 0.26)
    draw = tf.constant(np.random.default_rng(0).random(20000), tf.float32)
    moved = drift.drifted(chances, draw, 0.05, 0.25, 0.75).numpy()
    for limit in (0.255, 0.27, 0.3):
        folded = stats.norm.cdf([limit, 0.5 - limit], 0.26, 0.05)
        check_rate(moved < limit, folded[0] - folded[1])
    mirrored = drift.drifted(1.0 - chances, 1.0 - draw - 2**-24, 0.05, 0.25, 0.75)
    np.testing.assert_allclose(mirrored, 1.0 - moved, atol=1e-3)


def test_the_table_of_steps_is_gaussian():
    table = drift.quantiles()
    assert abs(table.mean()) < 1e-6
    assert abs(table.var() - 1) < 1e-5
    assert abs((table**4).mean() - 3) < 0.02
    rank = (np.arange(len(table)) + 0.5) / len(table)
    np.testing.assert_allclose(stats.norm.cdf(table), rank, atol=1e-4)


def test_without_drift_the_chances_stay():
    task = DriftingTwoStep(trials=5, drift=0.0)
    chances = roll_out(task, 20, seed=0, choose=random_actions(20, 0)).state.chances
    np.testing.assert_array_equal(chances, np.repeat(chances[:, :1], 11, axis=1))


def test_rules_are_the_same_with_and_without_xla():
    task = DriftingTwoStep(trials=4)
    outcomes = []
    for jit in (False, True):
        step = tf.function(task.step, jit_compile=jit, autograph=False)
        state, _ = task.reset(64, tf.constant([5, 0]))
        seen = []
        for t in range(task.lifetime_steps):
            action = tf.constant(np.arange(64) // 2**t % 2, tf.int32)
            state, *rest = step(state, action, tf.constant([5, t + 1]))
            seen.append((state, rest))
        outcomes.append(seen)
    assert_same(*outcomes)


def test_lifetime_ends_after_the_last_trial():
    lifetimes = roll_out(DriftingTwoStep(trials=2), 2, 0, random_actions(2, seed=0))
    assert lifetimes.done.tolist() == [[False, False, False, True]] * 2
    seen = lifetimes.observation
    assert seen["episode_start"].tolist() == [[True, False, False, False, False]] * 2
    assert not seen["context"].any()
    assert not seen["store"].any()


def test_hidden_variables_are_the_arms_and_the_state_to_be_in(played):
    task, lifetimes = played
    state = tf.nest.map_structure(lambda x: x[:, 4], lifetimes.state)
    hidden = task.hidden_variables(state)
    chances = state.chances
    np.testing.assert_array_equal(hidden["arm_chances"], chances.reshape(-1, 4))
    better = chances[:, 1].max(axis=1) > chances[:, 0].max(axis=1)
    np.testing.assert_array_equal(hidden["better_state"], better)


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("trials", {"trials": 0}),
        ("common", {"common": 1.2}),
        ("lowest_chance", {"lowest_chance": -0.1}),
        ("highest_chance", {"highest_chance": 1.5}),
        ("lowest_chance", {"lowest_chance": 0.8}),
        ("drift", {"drift": 0.2}),
        ("drift", {"drift": "much"}),
        ("drift", {"lowest_chance": 0.5, "highest_chance": 0.5}),
    ],
)
def test_bad_values_are_refused_by_name(parameter, values):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("two_step_drift", **values)
    assert error.value.argument == parameter
