"""The barcode bandit: its rules, and its players against exact computation."""

import collections
import functools
import itertools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate, mean_interval
from harness.task_contract import StepType, TaskContract
from harness.task_rollout import random_actions, roll_out

from kerasmeta import UserError, tasks
from kerasmeta.tasks.bandits.barcode_bandit import BarcodeBandit
from kerasmeta.tasks.play import play

LIFETIMES = 600
TASK = BarcodeBandit(4, 6, 3, 4, high_reward=0.8, low_reward=0.15, context_size=5)


class TestContract(TaskContract):
    task = BarcodeBandit(3, 2, 2, 2, context_size=3)

    def test_stores_distinct_contexts_and_no_more_than_it_says(self, run):
        """Contexts come back: each is stored at the end of each of its episodes."""
        store, context = run.observation["store"], run.observation["context"]
        starts = np.flatnonzero(run.step_type[0] == StepType.FIRST)
        for row, (start, after) in itertools.product(
            range(len(store)), itertools.pairwise(starts)
        ):
            kept = context[row, start:after][store[row, start:after]]
            distinct, times = np.unique(kept, axis=0, return_counts=True)
            assert len(distinct) == self.task.contexts_per_lifetime
            assert (times == self.task.presentations).all()


@pytest.fixture(scope="module")
def lifetimes():
    choose = random_actions(LIFETIMES, seed=1, num_actions=TASK.arms)
    return roll_out(TASK, LIFETIMES, seed=3, choose=choose)


@pytest.fixture(scope="module")
def episodes(lifetimes):
    """The context (a number) and the good arm of each episode, each `[B, E]`."""
    context = lifetimes.observation["context"][:, : -1 : TASK.pulls]
    codes = ((context > 0) * 2 ** np.arange(TASK.context_size)).sum(axis=2)
    return codes, lifetimes.state.good[:, 0]


def test_an_episode_shows_its_context_at_every_pull_and_stores_at_the_last(lifetimes):
    seen = {name: value[:, :-1] for name, value in lifetimes.observation.items()}
    index = np.arange(TASK.lifetime_steps)
    assert TASK.lifetime_steps == 6 * 3 * 4
    assert set(np.unique(seen["context"])) == {-1.0, 1.0}
    per_episode = seen["context"].reshape(LIFETIMES, TASK.episodes, TASK.pulls, -1)
    assert (per_episode == per_episode[:, :, :1]).all()
    assert (seen["episode_start"] == (index % TASK.pulls == 0)).all()
    assert (seen["stimulus"][:, :, 0] == seen["episode_start"]).all()
    assert (seen["store"] == (index % TASK.pulls == TASK.pulls - 1)).all()
    assert (lifetimes.done == (index == TASK.lifetime_steps - 1)).all()


def test_nothing_is_shown_after_the_last_pull(lifetimes):
    for value in lifetimes.observation.values():
        assert not value[:, -1].any()


def test_every_context_is_presented_as_often_as_the_others(episodes):
    codes, _ = episodes
    for row in codes:
        _, times = np.unique(row, return_counts=True)
        assert times.tolist() == [TASK.presentations] * TASK.contexts


def test_a_context_has_one_good_arm_and_every_arm_is_good_somewhere(episodes):
    extra_equal = []
    for codes, good in zip(*episodes, strict=True):
        arm = dict(zip(codes, good, strict=True))
        assert [arm[code] for code in codes] == good.tolist()
        times = np.bincount(list(arm.values()), minlength=TASK.arms)
        assert (times >= 1).all()
        extra_equal.append(times.max() == 3)
    check_rate(extra_equal, 1 / TASK.arms)  # two more contexts, drawn independently


def test_no_arm_is_good_twice_where_there_are_few_contexts():
    task = BarcodeBandit(5, 3, 2, 2, context_size=2)
    state, _ = task.reset(500, [0, 1])
    good = state.good.numpy()
    assert all(len(set(row)) == 3 for row in good)
    for arm in range(5):
        check_rate((good == arm).any(axis=1), 3 / 5)


def test_episodes_come_in_random_order(episodes):
    codes, good = episodes
    again = (TASK.presentations - 1) / (TASK.episodes - 1)
    check_rate(codes[:, 0] == codes[:, 1], again)
    check_rate(codes[:, 0] == codes[:, -1], again)
    check_rate(codes[:, 7] == codes[:, 12], again)
    for arm in range(TASK.arms):
        check_rate(good[:, 0] == arm, 1 / TASK.arms)
    for bit in range(TASK.context_size):
        check_rate(codes[:, 0] >> bit & 1, 0.5)
        check_rate((codes[:, 0] >> bit & 1)[good[:, 0] == 0], 0.5)


def test_rewards_have_the_chance_of_the_arm_pulled(lifetimes):
    good = np.repeat(lifetimes.state.good[:, 0], TASK.pulls, axis=1)
    is_good = lifetimes.action == good
    rewarded = lifetimes.reward == 1
    assert set(np.unique(lifetimes.reward)) == {0.0, 1.0}
    check_rate(rewarded[is_good], TASK.high_reward)
    check_rate(rewarded[~is_good], TASK.low_reward)
    # The last pull of an episode and the first are the episode's own.
    for pull in (0, TASK.pulls - 1):
        columns = slice(pull, None, TASK.pulls)
        check_rate(rewarded[:, columns][is_good[:, columns]], TASK.high_reward)
    after_reward = np.zeros_like(rewarded)
    after_reward[:, 1:] = rewarded[:, :-1]
    check_rate(rewarded[~is_good & after_reward], TASK.low_reward)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("arms", 1),
        ("contexts", 0),
        ("presentations", 0),
        ("pulls", 1),
        ("context_size", 3),
        ("context_size", 63),
        ("high_reward", 1.1),
        ("low_reward", "0.95"),
    ],
)
def test_bad_values_are_refused_by_name(parameter, value):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("barcode_bandit", **{parameter: value})
    assert error.value.argument == parameter


# Players


def expected_rewards(num_pulls, weigh, arms=10, high=0.9, low=0.1):
    """Expected reward of each pull in one context, by the course of all outcomes.

    A state is how often each arm paid more than it did not: the good arm's and, sorted,
    the others' (high + low = 1 makes this all that matters). `weigh` turns the counts
    into the chances of choosing each arm.
    """
    states = {(0, (0,) * (arms - 1)): 1.0}
    rewards = []
    for _ in range(num_pulls):
        after = collections.defaultdict(float)
        total = 0.0
        for (good, others), p in states.items():
            chances = weigh(np.array([good, *others]))
            total += p * (low + (high - low) * chances[0])
            after[good + 1, others] += p * chances[0] * high
            after[good - 1, others] += p * chances[0] * (1 - high)
            for count in set(others):
                k = others.index(count)
                chosen = p * chances[1:][np.array(others) == count].sum()
                rest = others[:k] + others[k + 1 :]
                after[good, tuple(sorted((*rest, count + 1)))] += chosen * low
                after[good, tuple(sorted((*rest, count - 1)))] += chosen * (1 - low)
        # What is less probable than this changes no digit that is tested.
        states = {state: p for state, p in after.items() if p > 1e-9}
        rewards.append(total)
    return np.array(rewards)


def most_probable(counts):
    best = counts == counts.max()
    return best / best.sum()


def posterior(counts):
    weights = 9.0**counts
    return weights / weights.sum()


@functools.cache
def played(name, lifetimes=150, presentations=10):
    """Rewards `[B, contexts, exposures, pulls]` of a player of the default task."""
    task = BarcodeBandit(presentations=presentations)
    lives = play(task, name, lifetimes, seed=1)
    context = lives.observation["context"][:, :: task.pulls]
    codes = (context > 0) @ (2 ** np.arange(task.context_size))  # [B, E]
    order = np.argsort(codes, axis=1, kind="stable")
    reward = lives.reward.reshape(lifetimes, task.episodes, task.pulls)
    sorted_reward = np.take_along_axis(reward, order[:, :, None], axis=1)
    return sorted_reward.reshape(lifetimes, 10, presentations, 10)


def test_random_and_oracle_earn_their_closed_forms():
    check_rate(played("random"), 0.9 / 10 + 0.1 * 9 / 10)
    check_rate(played("oracle"), 0.9)


def test_players_without_memory_earn_what_an_episode_allows_in_every_episode():
    bayes = expected_rewards(10, most_probable)
    thompson = expected_rewards(10, posterior)
    assert bayes.mean() == pytest.approx(0.4436, abs=1e-4)
    assert thompson.mean() == pytest.approx(0.39, abs=0.005)
    for name, expected in (("bayes", bayes), ("thompson", thompson)):
        reward = played(name)
        for exposures in (slice(0, 1), slice(1, 2), slice(None)):
            per_lifetime = reward[:, :, exposures].mean(axis=(1, 2, 3))
            check_mean(per_lifetime, expected.mean())
        check_mean(reward[:, :, :, 0].mean(axis=(1, 2)), 0.18)
        check_mean(reward[:, :, :, 9].mean(axis=(1, 2)), expected[9])


def test_memory_earns_what_the_course_of_all_exposures_allows():
    expected = expected_rewards(30, most_probable)
    assert expected[:10].mean() == pytest.approx(0.444, abs=0.001)
    # The first pull of exposure 2, after ten outcomes and after nine of them.
    assert expected[10] == pytest.approx(0.733, abs=0.001)
    assert expected[9] == pytest.approx(0.701, abs=0.001)
    assert expected[10:20].mean() == pytest.approx(0.815, abs=0.001)
    reward = played("optimal", lifetimes=1000, presentations=3)
    for exposure in range(3):
        pulls = expected[10 * exposure : 10 * (exposure + 1)]
        check_mean(reward[:, :, exposure].mean(axis=(1, 2)), pulls.mean())
        check_mean(reward[:, :, exposure, 0].mean(axis=1), pulls[0])
    reward = played("optimal")
    low, high = mean_interval(reward[:, :, 3:].mean(axis=(1, 2, 3)))
    assert 0.895 < low < high < 0.905
    low, high = mean_interval(reward.mean(axis=(1, 2, 3)))
    assert 0.84 < low < high < 0.85


@functools.cache
def episode_value(counts, pulls, greedy):
    """Expected reward of an episode's last pulls, by dynamic programming."""
    if pulls == 0:
        return 0.0
    chance = posterior(np.array(counts))
    values = []
    for count in set(counts):
        k = counts.index(count)
        if greedy and count < max(counts):
            continue
        rest = counts[:k] + counts[k + 1 :]
        pays = 0.1 + 0.8 * chance[k]
        after = [
            episode_value(tuple(sorted((*rest, count + change))), pulls - 1, greedy)
            for change in (1, -1)
        ]
        values.append(pays * (1 + after[0]) + (1 - pays) * after[1])
    return max(values)


def test_the_most_probable_arm_is_the_optimal_choice():
    optimum = episode_value((0,) * 10, 10, greedy=False)
    assert optimum / 10 == pytest.approx(0.44364, abs=1e-5)
    assert episode_value((0,) * 10, 10, greedy=True) == pytest.approx(optimum, abs=1e-9)


@pytest.mark.parametrize("name", ["bayes", "optimal"])
def test_choice_is_the_most_probable_arm_of_what_was_seen(name):
    """Recomputes the posterior from the list of all outcomes at every pull."""
    lives = play(TASK, name, 10, seed=5)
    context = lives.observation["context"]
    for row, t in itertools.product(range(10), range(TASK.lifetime_steps)):
        same = (context[row, :t] == context[row, t]).all(axis=1)
        if name == "bayes":
            same &= np.arange(t) >= t - t % TASK.pulls
        logs = np.zeros(TASK.arms)
        for s in np.flatnonzero(same):
            chance = np.full(TASK.arms, TASK.low_reward)
            chance[lives.action[row, s]] = TASK.high_reward
            # Under "arm k is good" the arm pulled pays `high` if it is k, else `low`.
            logs += np.log(chance if lives.reward[row, s] else 1 - chance)
        assert logs[lives.action[row, t]] > logs.max() - 1e-6, (row, t)


def test_certain_outcomes_are_remembered_to_the_last_one():
    # Two pulls rule out two of three arms at worst: the good one is known.
    task = BarcodeBandit(3, 3, 4, 2, high_reward=1, low_reward=0, context_size=2)
    lives = play(task, "optimal", 300, seed=2)
    codes = (lives.observation["context"] > 0) @ np.array([1, 2])
    for row in range(300):
        for code in np.unique(codes[row]):
            reward = lives.reward[row, codes[row] == code]
            assert (reward[2:] == 1).all()
    first = play(task, "bayes", 300, seed=2).reward[:, ::2]
    check_rate(first, 1 / 3)


@pytest.mark.parametrize("name", ["thompson", "bayes", "optimal", "oracle"])
def test_without_a_difference_between_the_arms_nobody_can_do_better(name):
    task = BarcodeBandit(3, 2, 3, 4, high_reward=0.4, low_reward=0.4)
    lives = play(task, name, 400, seed=3)
    check_rate(lives.reward, 0.4)
    if name != "oracle":
        check_rate(lives.action[:, 1:] == lives.action[:, :-1], 1 / 3)
