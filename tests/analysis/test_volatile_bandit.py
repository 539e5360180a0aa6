"""Learning rates and recency: planted rules, loops, and data that say nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kerasmeta.analysis import metrics
from kerasmeta.analysis.families.learning_rate import (
    Choices,
    learning_rates,
    log_loss,
)
from kerasmeta.analysis.families.volatile_bandit import (
    blocks,
    outcome_weights,
    recency,
)
from kerasmeta.analysis.headline import headline
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

NAMES = {
    f"{name}_{part}"
    for name in ("learning_rate", "recency")
    for part in ("stable", "volatile", "ratio")
} | {"reward_per_trial", "reward_per_trial_stable", "reward_per_trial_volatile"}


def simulate(
    lifetimes: int,
    rates: tuple[float, float],
    slopes: tuple[float, float] = (8.0, 8.0),
    block: int = 60,
    seed: int = 0,
) -> Lifetimes:
    """Delta-rule choosers whose rate and slope change with the block."""
    rng = np.random.default_rng(seed)
    volatile_first = rng.integers(2, size=lifetimes)
    good, value = rng.integers(2, size=lifetimes), np.full(lifetimes, 0.5)
    action = np.zeros((lifetimes, 2 * block + 1), np.int32)
    reward = np.zeros(action.shape, np.float32)
    for t in range(2 * block):
        volatile = (volatile_first == 1) == (t < block)
        slope = np.where(volatile, slopes[1], slopes[0])
        rate = np.where(volatile, rates[1], rates[0])
        chance = 1 / (1 + np.exp(-slope * (value - 0.5)))
        action[:, t] = rng.random(lifetimes) < chance
        high = np.where(volatile, 0.8, 0.75)
        paid = np.where(action[:, t] == good, high, 1 - high)
        reward[:, t] = rng.random(lifetimes) < paid
        favoured = np.where(reward[:, t] > 0, action[:, t], 1 - action[:, t])
        value += rate * (favoured - value)
        good = np.where(volatile & (rng.random(lifetimes) < 0.04), 1 - good, good)
    stimulus = np.zeros((*action.shape, 3), np.float32)
    stimulus[:, :-1, 0] = 1
    stimulus[np.arange(lifetimes), -1, 1 + volatile_first] = 1
    valid = np.ones(action.shape, bool)
    return Lifetimes({"stimulus": stimulus}, action, reward, valid)


def as_choices(lifetimes: Lifetimes) -> Choices:
    trials, volatile = blocks(lifetimes)
    return Choices(lifetimes.action, lifetimes.reward, volatile, trials)


@pytest.fixture(scope="module")
def planted() -> Lifetimes:
    return simulate(300, rates=(0.1, 0.3), slopes=(6.0, 9.0))


def test_blocks_are_the_halves_in_the_order_told(planted: Lifetimes) -> None:
    trials, volatile = blocks(planted)
    assert trials[:, :-1].all()
    assert not trials[:, -1].any()
    for b in range(len(trials)):
        first = planted.observation["stimulus"][b, -1, 2] == 1
        assert (volatile[b, :60] == first).all()
        assert (volatile[b, 60:120] != first).all()


def test_planted_rates_are_found(planted: Lifetimes) -> None:
    found = learning_rates(as_choices(planted))
    for estimate, value in (
        (found.stable, 0.1),
        (found.volatile, 0.3),
        (found.ratio, 3.0),
    ):
        low, high = estimate.ci95
        assert low < value < high
        assert high / low < 1.5
    np.testing.assert_allclose(found.inverse_temperatures, (6.0, 9.0), rtol=0.1)


@pytest.mark.slow
def test_intervals_cover() -> None:
    """40 lifetimes, 60 times; 95 % intervals."""
    covered = np.zeros(3)
    for seed in range(60):
        found = learning_rates(as_choices(simulate(40, (0.1, 0.3), seed=seed)))
        estimates = (found.stable, found.volatile, found.ratio)
        for k, (estimate, value) in enumerate(
            zip(estimates, (0.1, 0.3, 3.0), strict=True)
        ):
            covered[k] += estimate.ci95[0] <= value <= estimate.ci95[1]
    assert (covered >= 51).all()


def test_the_likelihood_is_that_of_a_plain_loop(planted: Lifetimes) -> None:
    choices = as_choices(planted)
    parameters = np.array([-1.5, 0.3, 1.2, 2.1])
    loss, _ = log_loss(choices, parameters)
    for b in (0, 7, 42):
        value, expected = 0.5, 0.0
        for t in range(choices.action.shape[1]):
            if not choices.valid[b, t]:
                continue
            kind = int(choices.volatile[b, t])
            rate = 1 / (1 + math.exp(-parameters[kind]))
            slope = math.exp(parameters[2 + kind])
            second = 1 / (1 + math.exp(-slope * (value - 0.5)))
            chose_second = choices.action[b, t] == 1
            expected -= math.log(second if chose_second else 1 - second)
            favoured = chose_second == (choices.reward[b, t] > 0)
            value += rate * (favoured - value)
        assert loss[b] == pytest.approx(expected)


def test_the_gradient_is_that_of_finite_differences(planted: Lifetimes) -> None:
    choices = as_choices(planted)
    choices = choices._replace(valid=choices.valid & (np.arange(121) % 7 != 3))
    parameters = np.array([-1.5, 0.3, 1.2, 2.1])
    _, gradient = log_loss(choices, parameters)
    for k, step in enumerate(1e-5 * np.eye(4)):
        above, below = (log_loss(choices, parameters + s * step)[0] for s in (1, -1))
        np.testing.assert_allclose(
            gradient[:, k], (above - below) / 2e-5, rtol=1e-5, atol=1e-6
        )


def test_one_rate_in_both_blocks_is_a_ratio_of_one() -> None:
    found = metrics("volatile_bandit", simulate(300, (0.2, 0.2), seed=4))
    assert set(found) == NAMES
    for name in ("learning_rate_ratio", "recency_ratio"):
        low, high = found[name].ci95
        assert low < 1.0 < high
        assert high / low < 1.5


def test_recency_is_that_of_the_delta_rule(planted: Lifetimes) -> None:
    """alpha / (1 - (1 - alpha)**10), where choices are all but linear in the value."""
    lifetimes = simulate(600, (0.15, 0.4), slopes=(2.0, 2.0), block=80, seed=5)
    trials, volatile = blocks(lifetimes)
    for block, rate in ((trials & ~volatile, 0.15), (trials & volatile, 0.4)):
        estimate, _ = recency(outcome_weights(lifetimes, block))
        expected = rate / (1 - (1 - rate) ** 10)
        low, high = estimate.ci95
        assert low < expected < high
    found = metrics("volatile_bandit", planted)["recency_ratio"]
    assert found.ci95[0] > 1.3


def test_reward_is_counted_by_block(planted: Lifetimes) -> None:
    found = metrics("volatile_bandit", planted)
    first = planted.observation["stimulus"][:, -1, 2] == 1
    early, late = planted.reward[:, :60], planted.reward[:, 60:120]
    volatile = np.concatenate([early[first], late[~first]]).mean()
    stable = np.concatenate([early[~first], late[first]]).mean()
    assert found["reward_per_trial_volatile"].mean == pytest.approx(volatile)
    assert found["reward_per_trial_stable"].mean == pytest.approx(stable)
    assert found["reward_per_trial"].mean == pytest.approx((stable + volatile) / 2)


@pytest.mark.parametrize("arm", [0, 1, None])
def test_agents_that_do_not_learn_give_numbers_or_nan(arm: int | None) -> None:
    """Always the same arm, or a coin: nothing is refused, nothing warns."""
    lifetimes = simulate(20, (0.1, 0.3), seed=6)
    action = np.random.default_rng(0).integers(2, size=lifetimes.action.shape)
    action = action if arm is None else np.full(action.shape, arm)
    found = metrics("volatile_bandit", lifetimes._replace(action=action))
    assert set(found) == NAMES
    for estimate in found.values():
        low, high = estimate.ci95
        assert not low > high


def test_a_single_lifetime_has_no_intervals() -> None:
    one = simulate(1, (0.1, 0.3), seed=7)
    found = metrics("volatile_bandit", one)
    assert all(math.isnan(estimate.ci95[0]) for estimate in found.values())


def test_lifetimes_of_another_task_or_cut_short_are_refused(
    planted: Lifetimes,
) -> None:
    other = planted._replace(observation={"stimulus": np.ones((300, 121, 1))})
    with pytest.raises(UserError, match="task they were recorded on"):
        metrics("volatile_bandit", other)
    cut = planted._replace(valid=planted.valid & (np.arange(121) < 100))
    with pytest.raises(UserError, match="record whole lifetimes"):
        metrics("volatile_bandit", cut)


def test_headlines_are_metrics() -> None:
    assert set(headline("volatile_bandit")) <= NAMES
