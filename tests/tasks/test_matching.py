"""The baited bandit against closed forms and dynamic programming."""

import dataclasses
import functools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out

from kerasmeta import UserError, tasks
from kerasmeta.tasks.bandits.matching import Matching
from kerasmeta.tasks.bandits.matching_players import best_stays
from kerasmeta.tasks.play import play

LIFETIMES = 2000


class TestContract(TaskContract):
    task = Matching(trials=4)


class TestHeldOutContract(TaskContract):
    task = Matching(trials=3, chances="held_out")


def chance(base, waited):
    return 1 - (1 - base) ** (waited + 1)


@pytest.fixture(scope="module")
def played():
    task = Matching(trials=40)
    return roll_out(task, LIFETIMES, seed=3, choose=random_actions(LIFETIMES, seed=1))


def waited(action):
    """Trials since each arm was chosen `[B, T, 2]`, by a loop over trials."""
    found = np.zeros((*action.shape, 2), int)
    for t in range(1, action.shape[1]):
        found[:, t] = found[:, t - 1] + 1
        found[np.arange(len(action)), t, action[:, t - 1]] = 0
    return found


def test_base_chances_add_up_to_a_half_and_stay(played):
    base = played.state.base
    np.testing.assert_allclose(base.sum(axis=-1), 0.5, atol=1e-6)
    assert (base == base[:, :1]).all()


@pytest.mark.parametrize("held_out", [False, True])
def test_base_chances_are_uniform_on_their_ranges(held_out):
    task = Matching(trials=1)
    task = task.held_out() if held_out else task
    state, _ = task.reset(20_000, np.array([5, 6]))
    first = state.base.numpy()[:, 0]
    tenths = np.floor(first * 10).astype(int)
    expected = [1, 3] if held_out else [0, 2, 4]
    assert set(tenths) == set(expected)
    for which in expected:
        check_rate(tenths == which, 1 / len(expected))
    within = first * 10 - tenths
    for level in (0.1, 0.5, 0.9):
        check_rate(within < level, level)


def test_held_out_chances_are_never_trained_on():
    assert Matching().held_out() == Matching(chances="held_out")
    assert Matching(trials=7).held_out().trials == 7
    assert Matching().held_out().held_out() == Matching().held_out()


def test_rewards_have_the_chance_of_a_bait_that_waits(played):
    rows = np.take_along_axis
    base = rows(played.state.base[:, :-1], played.action[..., None], 2)[..., 0]
    since = rows(waited(played.action), played.action[..., None], 2)[..., 0]
    np.testing.assert_array_equal(played.state.waited[:, :-1], waited(played.action))
    surplus = played.reward - chance(base, since)
    assert set(np.unique(played.reward)) == {0.0, 1.0}
    check_mean(surplus.mean(axis=1), 0.0)
    check_mean((surplus * base).mean(axis=1), 0.0)
    check_mean((surplus * since).mean(axis=1), 0.0)
    check_mean((surplus[:, 1:] * surplus[:, :-1]).mean(axis=1), 0.0)


def test_a_bait_is_what_a_literal_simulation_of_baits_says(played):
    """Arms that are baited trial by trial, and keep it, pay as often."""
    generator = np.random.default_rng(0)
    base, baited = played.state.base[:, 0], np.zeros((LIFETIMES, 2), bool)
    paid = []
    for t in range(played.action.shape[1]):
        baited |= generator.random(baited.shape) < base
        arm = played.action[:, t]
        paid.append(baited[np.arange(LIFETIMES), arm])
        baited[np.arange(LIFETIMES), arm] = False
    check_mean(played.reward.mean(axis=1) - np.mean(paid, axis=0), 0.0)


def test_there_is_nothing_to_see(played):
    seen = played.observation
    assert (seen["stimulus"] == 1).all()
    assert not seen["context"].any()
    assert not seen["store"].any()
    assert played.done[:, -1].all()
    assert not played.done[:, :-1].any()


@pytest.mark.parametrize(
    ("parameter", "values"),
    [("trials", {"trials": 0}), ("chances", {"chances": "some"})],
)
def test_bad_values_are_refused_by_name(parameter, values):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("matching", **values)
    assert error.value.argument == parameter


# Players


@functools.cache
def played_by(player, held_out=False):
    task = Matching().held_out() if held_out else Matching()
    return play(task, player, LIFETIMES, seed=1)


def rewards(player, held_out=False):
    return played_by(player, held_out).reward.mean(axis=1)


def pieces(held_out):
    """Base chances of the first arm in the middle of 60 equal pieces."""
    starts = (0.1, 0.3) if held_out else (0.0, 0.2, 0.4)
    within = (np.arange(60) + 0.5) / 600
    return np.concatenate([start + within for start in starts])


def random_reward(base, trials=100):
    """What random choices earn with an arm, per trial, as the arm is chosen half of the
    time: it waited n trials with chance 2**-(n + 1), or since the lifetime began."""
    total = 0.0
    for t in range(trials):
        n = np.arange(t + 1)
        weight = 0.5 ** (n + 1)
        weight[-1] = 0.5**t  # not chosen since the beginning
        total = total + 0.5 * (weight * chance(base[:, None], n)).sum(axis=1)
    return total / trials


@pytest.mark.parametrize("held_out", [False, True])
def test_random_choices_earn_the_closed_form(held_out):
    first = pieces(held_out)
    expected = (random_reward(first) + random_reward(0.5 - first)).mean()
    check_mean(rewards("random", held_out), expected)


def dynamic_programme(rich, poor, trials, stays=None):
    """Expected total reward with known base chances, state by state.

    Args:
        rich, poor: Base chances.
        trials: How many.
        stays: None for the optimum; else visits are made when the poor arm has waited
            that long, as `cycle` does.
    """
    longest = np.arange(trials + 1)
    after = np.zeros((2, trials + 2))  # by the arm chosen last and the other's wait
    base = (rich, poor)
    for _ in range(trials - 1):
        now = np.zeros_like(after)
        for last in (0, 1):
            again = base[last] + after[last, longest + 1]
            other = chance(base[1 - last], longest) + after[1 - last, 1]
            # The other arm waits from 1 on; the poor one has waited 0 if it was last.
            leaves = (
                other > again if stays is None else (last == 1) | (longest >= stays)
            )
            now[last, : trials + 1] = np.where(leaves, other, again)
        after = now
    return max(base[0] + after[0, 1], 0.0 if stays else base[1] + after[1, 1])


@pytest.mark.parametrize("held_out", [False, True])
def test_oracle_earns_what_its_cycles_are_worth(held_out):
    first = pieces(held_out)
    rich = np.maximum(first, 0.5 - first)
    stays = best_stays(np.stack([rich, 0.5 - rich], 1).astype(np.float32), 100).numpy()
    worth = [
        dynamic_programme(p, 0.5 - p, 100, k) / 100
        for p, k in zip(rich, stays, strict=True)
    ]
    check_mean(rewards("oracle", held_out), np.mean(worth))
    best = [dynamic_programme(p, 0.5 - p, 100) / 100 for p in rich[::4]]
    loss = np.array(best) - np.array(worth)[::4]
    assert (loss > -1e-9).all()
    assert loss.mean() < 0.0015


def endless_reward(rich, poor, stays, cycles=3):
    """Reward per trial of a cycle that has gone on for ever, trial by trial."""
    earned, rich_waited, poor_waited = [], 0, 0
    for _ in range(cycles):
        for _ in range(stays):
            earned.append(chance(rich, rich_waited))
            rich_waited, poor_waited = 0, poor_waited + 1
        earned.append(chance(poor, poor_waited))
        rich_waited, poor_waited = rich_waited + 1, 0
    return np.mean(earned[-(stays + 1) :])


def test_best_stays_are_the_best_of_all():
    for rich in (0.26, 0.33, 0.41, 0.47):
        base = np.array([0.5 - rich, rich], np.float32)
        worth = [endless_reward(rich, 0.5 - rich, k) for k in range(1, 80)]
        assert int(best_stays(base, 100)) == 1 + int(np.argmax(worth))


def test_an_arm_that_never_pays_is_never_visited():
    assert int(best_stays(np.array([0.5, 0.0], np.float32), 100)) == 100


def test_players_are_ordered():
    for held_out in (False, True):
        means = [
            rewards(name, held_out).mean()
            for name in ("random", "matching", "optimal", "oracle")
        ]
        assert means == sorted(means)
        assert means[3] - means[2] < 0.011


def test_matching_player_chooses_by_its_share_of_income():
    lifetimes = played_by("matching")
    income, started = np.full((LIFETIMES, 2), 0.25), []
    surplus = []
    for t in range(100):
        share = income[:, 1] / income.sum(axis=1)
        action = lifetimes.action[:, t]
        surplus.append((action == 1) - share)
        started.append(share)
        paid = np.eye(2)[action] * lifetimes.reward[:, t, None]
        income += (paid - income) / 20
    check_mean(np.mean(surplus, axis=0), 0.0)
    check_mean(np.mean(np.array(surplus) * np.array(started), axis=0), 0.0)


def test_parameters_are_the_paper_s():
    assert dataclasses.asdict(Matching()) == {"trials": 100, "chances": "train"}
