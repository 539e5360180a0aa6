"""The bandit against closed forms, dynamic programming and published figures."""

import functools
import itertools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate, mean_interval
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out
from scipy import stats

from kerasmeta import UserError, tasks
from kerasmeta.tasks.bandits.bandit import Bandit
from kerasmeta.tasks.bandits.bandit_players import MAX_PLANNED_TRIALS, gittins_indices
from kerasmeta.tasks.play import play

LIFETIMES = 2000


class TestContract(TaskContract):
    task = Bandit(arms=3, trials=4)


class TestCorrelatedContract(TaskContract):
    task = Bandit(trials=3, correlated=True)


@pytest.fixture(scope="module", params=[{"arms": 3}, {"correlated": True}])
def played(request):
    task = Bandit(trials=20, **request.param)
    choose = random_actions(LIFETIMES, seed=1, num_actions=task.arms)
    return task, roll_out(task, LIFETIMES, seed=3, choose=choose)


def test_chances_are_uniform_and_stay(played):
    _, lifetimes = played
    chances = lifetimes.state.chances  # [B, T + 1, arms]
    assert (chances == chances[:, :1]).all()
    for level in (0.1, 0.5, 0.9):
        check_rate(chances[:, 0, 0] < level, level)
        check_rate(chances[:, 0, 1] < level, level)


def test_chances_of_arms_are_independent_or_mirrored(played):
    task, lifetimes = played
    first, second = lifetimes.state.chances[:, 0, 0], lifetimes.state.chances[:, 0, 1]
    if task.correlated:
        np.testing.assert_allclose(first + second, 1.0, atol=1e-6)
    else:
        check_rate((first < 0.3) & (second < 0.4), 0.3 * 0.4)


def test_learners_may_be_paid_their_regret_and_are_shown_the_outcome():
    plain, task = Bandit(trials=20), Bandit(trials=20, pays="regret")
    drawn, paid = (
        roll_out(one, LIFETIMES, seed=3, choose=random_actions(LIFETIMES, seed=1))
        for one in (plain, task)
    )
    chances = paid.state.chances[:, :-1]
    chance = np.take_along_axis(chances, paid.action[:, :, None], axis=2)[:, :, 0]
    np.testing.assert_array_equal(paid.reward, chance - chances.max(axis=2))
    shown = paid.observation["previous_reward"][:, 1:]
    np.testing.assert_array_equal(shown, drawn.reward)
    assert task.held_out() == plain
    assert plain.held_out() == plain
    with pytest.raises(UserError, match="use outcome or regret"):
        Bandit(pays="money")


def test_rewards_have_the_chance_of_the_arm_chosen(played):
    _, lifetimes = played
    chances = lifetimes.state.chances[:, :-1]  # [B, T, arms]
    chance = np.take_along_axis(chances, lifetimes.action[:, :, None], axis=2)[:, :, 0]
    assert set(np.unique(lifetimes.reward)) == {0.0, 1.0}
    surplus = lifetimes.reward - chance
    check_mean(surplus.mean(axis=1), 0.0)
    check_mean((surplus * chance).mean(axis=1), 0.0)
    # The draws of two trials are independent.
    check_mean((surplus[:, 1:] * surplus[:, :-1]).mean(axis=1), 0.0)


def test_there_is_nothing_to_see(played):
    _, lifetimes = played
    seen = lifetimes.observation
    assert (seen["stimulus"] == 1).all()
    assert not seen["context"].any()
    assert not seen["store"].any()
    assert seen["episode_start"][:, 0].all()
    assert not seen["episode_start"][:, 1:].any()


def test_lifetime_ends_after_the_last_trial():
    lifetimes = roll_out(Bandit(trials=3), 2, seed=0, choose=random_actions(2, seed=0))
    assert lifetimes.done.tolist() == [[False, False, True]] * 2


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("arms", {"arms": 1}),
        ("arms", {"arms": 3, "correlated": True}),
        ("trials", {"trials": 0}),
        ("correlated", {"correlated": "perhaps"}),
        ("correlated", {"correlated": 1}),
    ],
)
def test_bad_values_are_refused_by_name(parameter, values):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("bandit", **values)
    assert error.value.argument == parameter


def test_text_makes_a_correlated_bandit():
    assert tasks.make("bandit", correlated="true") == Bandit(correlated=True)


# Players


def rewards(task, player, seed=1):
    """Reward per trial of each lifetime, `[LIFETIMES]`."""
    return play(task, player, LIFETIMES, seed).reward.mean(axis=1)


@pytest.mark.parametrize("task", [Bandit(arms=4), Bandit(correlated=True)])
def test_random_and_oracle_earn_their_closed_forms(task):
    best = 0.75 if task.correlated else 4 / 5
    assert task.mean_best_chance == best
    check_mean(rewards(task, "random"), 0.5)
    check_mean(rewards(task, "oracle"), best)


@functools.cache
def dynamic_programme(trials, index=None):
    """Expected total reward of 2 independent arms, over all counts of outcomes.

    Args:
        trials: How many.
        index: None for the optimum; else a function (trial, rewards, failures) -> value
          of an arm, whose larger value is followed, ties by a coin.
    """

    @functools.cache
    def value(s1, f1, s2, f2):
        trial = s1 + f1 + s2 + f2
        if trial == trials:
            return 0.0
        p1, p2 = (s1 + 1) / (s1 + f1 + 2), (s2 + 1) / (s2 + f2 + 2)
        q1 = p1 * (1 + value(s1 + 1, f1, s2, f2)) + (1 - p1) * value(s1, f1 + 1, s2, f2)
        q2 = p2 * (1 + value(s1, f1, s2 + 1, f2)) + (1 - p2) * value(s1, f1, s2, f2 + 1)
        if index is None:
            return max(q1, q2)
        i1, i2 = index(trial, s1, f1), index(trial, s2, f2)
        return (q1 + q2) / 2 if abs(i1 - i2) < 1e-6 else q1 if i1 > i2 else q2

    return value(0, 0, 0, 0)


def test_optimal_player_earns_what_dynamic_programming_says():
    table = gittins_indices(20)
    best = dynamic_programme(20)
    followed = dynamic_programme(20, lambda t, s, f: table[t, s, f])
    mean = dynamic_programme(20, lambda t, s, f: (s + 1) / (s + f + 2))
    assert best * (1 - 2e-4) < followed <= best + 1e-9
    assert mean < best * 0.995  # exploring is worth something
    check_mean(rewards(Bandit(trials=20), "optimal") * 20, followed)


def stopping_index(rewards, failures, left):
    """sup over stopping rules of E[sum of rewards] / E[trials], by enumeration."""
    nodes = [(s, n - s) for n in range(1, left) for s in range(n + 1)]
    best = 0.0
    for going_on in itertools.product((False, True), repeat=len(nodes)):
        goes = {(0, 0): True, **dict(zip(nodes, going_on, strict=True))}
        reach, total, time = {(0, 0): 1.0}, 0.0, 0.0
        for n in range(left):
            for s in range(n + 1):
                p = reach.get((s, n - s), 0.0)
                if p == 0.0 or not goes[s, n - s]:
                    continue
                mean = (rewards + s + 1) / (rewards + failures + n + 2)
                total, time = total + p * mean, time + p
                for node, chance in (
                    ((s + 1, n - s), mean),
                    ((s, n - s + 1), 1 - mean),
                ):
                    reach[node] = reach.get(node, 0.0) + p * chance
        best = max(best, total / time)
    return best


@pytest.mark.parametrize(("rewards", "failures"), [(0, 0), (1, 0), (2, 3), (0, 4)])
def test_gittins_index_is_the_best_rate_of_any_stopping_rule(rewards, failures):
    table = gittins_indices(12)
    for left in (1, 2, 3, 4):
        expected = stopping_index(rewards, failures, left)
        found = table[12 - left, rewards, failures]
        assert found == pytest.approx(expected, abs=1e-4)


def test_gittins_index_meets_the_published_table():
    # Gittins, Glazebrook & Weber (2011): discount 0.9, Beta(1 + s, 1 + f).
    published = {(0, 0): 0.7029, (1, 0): 0.8001, (0, 1): 0.5001, (1, 1): 0.6346}
    later = gittins_indices(90, discount=0.9)[2]  # 88 trials left: 0.9**88 < 1e-4
    for (s, f), value in published.items():
        assert later[s, f] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    ("player", "published"), [("optimal", 78.3), ("thompson", 74.7)]
)
def test_five_arms_pay_as_published(player, published):
    # Duan et al. (2016), RL^2, table 1: 100 trials, 5 arms, 1,000 bandits.
    low, high = mean_interval(rewards(Bandit(arms=5), player) * 100)
    error = (high - low) / 2
    assert abs((low + high) / 2 - published) < np.hypot(error, error * 2**0.5)


def correlated_reward(trials, chance_of_first):
    """Expected reward per trial of a pair with the chances p and 1 - p.

    After n outcomes, k of which speak for the first arm, p has Beta(1 + k, 1 + n - k),
    and every k is equally probable, whatever was chosen.
    """
    per_trial = []
    for n in range(trials):
        k = np.arange(n + 1)
        mean = (k + 1) / (n + 2)
        first = chance_of_first(k, n)
        per_trial.append((first * mean + (1 - first) * (1 - mean)).mean())
    return np.mean(per_trial)


def test_correlated_players_earn_their_closed_forms():
    task = Bandit(trials=30, correlated=True)

    def better(k, n):
        return np.where(2 * k == n, 0.5, 2 * k > n)

    def matching(k, n):
        return stats.beta.sf(0.5, 1 + k, 1 + n - k)

    check_mean(rewards(task, "optimal"), correlated_reward(30, better))
    check_mean(rewards(task, "thompson"), correlated_reward(30, matching))


def test_thompson_matches_the_chance_of_being_the_best():
    lifetimes = play(Bandit(trials=2), "thompson", 4000, seed=2)
    rewarded = lifetimes.reward[:, 0] == 1
    stays = lifetimes.action[:, 1] == lifetimes.action[:, 0]
    check_rate(lifetimes.action[:, 0] == 0, 0.5)
    check_rate(stays[rewarded], 2 / 3)  # P(Beta(2, 1) > U)
    check_rate(stays[~rewarded], 1 / 3)


def test_model_free_player_follows_its_values():
    task = Bandit(arms=3)
    lifetimes = play(task, "model_free", 200, seed=3)
    values, rows = np.full([200, 3], 0.5), np.arange(200)
    off, ties = [], 0
    for t in range(task.trials):
        action = lifetimes.action[:, t]
        is_tie = np.sort(values, axis=1)[:, -1] - np.sort(values, axis=1)[:, -2] < 1e-5
        off.append((action != values.argmax(axis=1))[~is_tie])
        ties += is_tie.sum()
        values[rows, action] += 0.1 * (lifetimes.reward[:, t] - values[rows, action])
    assert ties < 0.1 * lifetimes.action.size
    check_rate(np.concatenate(off), 0.1 * 2 / 3)  # explores, and not the best arm


def test_players_are_ordered():
    means = [
        rewards(Bandit(), name).mean()
        for name in ("random", "model_free", "thompson", "optimal", "oracle")
    ]
    assert means == sorted(means)


def test_plans_are_offered_for_lifetimes_of_a_reasonable_length():
    assert "optimal" in Bandit(trials=MAX_PLANNED_TRIALS).players()
    assert "optimal" not in Bandit(trials=MAX_PLANNED_TRIALS + 1).players()
    assert "optimal" in Bandit(trials=10_000, correlated=True).players()
