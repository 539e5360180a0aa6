"""Intervals: closed forms, the jackknife, and how often they cover the truth."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from kerasmeta.analysis.estimates import (
    UNKNOWN,
    Counts,
    Estimate,
    contrast,
    mean_over_lifetimes,
    proportion,
    ratio,
)

SIGNS = (1, -1, -1, 1)


def clustered_counts(
    rng: np.random.Generator, probability: float, lifetimes: int, spread: float = 20.0
) -> Counts:
    """Beta-binomial successes: trials of a lifetime share its own probability."""
    trials = rng.integers(0, 40, size=lifetimes)
    own = rng.beta(spread * probability, spread * (1 - probability), size=lifetimes)
    return Counts(rng.binomial(trials, own), trials)


def jackknife_error(estimates: np.ndarray) -> float:
    """Standard error from the estimates with each lifetime left out."""
    count = len(estimates)
    return float(np.sqrt((count - 1) ** 2 / count * np.var(estimates, ddof=1)))


def half_width(estimate: Estimate) -> float:
    return (estimate.ci95[1] - estimate.ci95[0]) / 2


def test_mean_over_lifetimes_is_the_t_interval() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, size=12)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    estimate = mean_over_lifetimes(values)
    np.testing.assert_allclose(estimate.mean, values.mean())
    np.testing.assert_allclose(estimate.ci95, (low, high))


def test_ratio_pools_and_agrees_with_the_jackknife() -> None:
    rng = np.random.default_rng(1)
    trials = rng.integers(1, 100, size=400)
    rewards = rng.binomial(trials, rng.uniform(0.3, 0.9, size=400))
    without = np.array(
        [
            (rewards.sum() - rewards[i]) / (trials.sum() - trials[i])
            for i in range(len(trials))
        ]
    )
    estimate = ratio(rewards, trials)
    assert estimate.mean == rewards.sum() / trials.sum()
    expected = stats.t.ppf(0.975, 399) * jackknife_error(without)
    np.testing.assert_allclose(half_width(estimate), expected, rtol=0.02)


def test_proportion_of_single_trials_is_wilsons_interval() -> None:
    successes = np.arange(10_000) < 700
    estimate = proportion(Counts(successes, np.ones(10_000)))
    expected = proportion_confint(700, 10_000, method="wilson")
    np.testing.assert_allclose(estimate.ci95, expected, rtol=1e-3)


def test_proportion_counts_lifetimes_not_trials() -> None:
    """Ten equal trials in every lifetime tell no more than one."""
    successes = (np.arange(200) < 60).astype(int)
    once = proportion(Counts(successes, np.ones(200)))
    tenfold = proportion(Counts(10 * successes, np.full(200, 10)))
    assert tenfold.mean == once.mean == 0.3
    np.testing.assert_allclose(tenfold.ci95, once.ci95)


def test_proportion_where_all_trials_agree_stays_cautious() -> None:
    never = proportion(Counts(np.zeros(50), np.full(50, 30)))
    always = proportion(Counts(np.full(50, 30), np.full(50, 30)))
    assert (never.mean, never.ci95[0]) == (0.0, 0.0)
    assert (always.mean, always.ci95[1]) == (1.0, 1.0)
    quantile = stats.t.ppf(0.975, 49)
    np.testing.assert_allclose(never.ci95[1], quantile**2 / (50 + quantile**2))
    np.testing.assert_allclose(1 - always.ci95[0], never.ci95[1])


def test_proportion_never_counts_more_than_its_trials() -> None:
    """Lifetimes alike by chance make the variance too small to believe."""
    successes = np.full(20, 5)
    successes[:2] = 4, 6
    estimate = proportion(Counts(successes, np.full(20, 10)))
    low, high = proportion_confint(100, 200, method="wilson")
    assert estimate.mean == 0.5
    assert estimate.ci95[0] < low
    assert estimate.ci95[1] > high


def test_contrast_is_the_signed_sum_and_agrees_with_the_jackknife() -> None:
    """Parts that rise and fall together in a lifetime: the covariance matters."""
    rng = np.random.default_rng(2)
    shift = rng.uniform(-0.3, 0.3, size=600)
    trials = rng.integers(5, 30, size=(4, 600))
    chance = np.array([0.6, 0.4, 0.5, 0.6])[:, np.newaxis] + shift
    successes = rng.binomial(trials, chance)
    parts = [Counts(*pair) for pair in zip(successes, trials, strict=True)]
    estimate = contrast(parts, SIGNS)
    rates = [proportion(part).mean for part in parts]
    np.testing.assert_allclose(estimate.mean, rates[0] - rates[1] - rates[2] + rates[3])
    left = (successes.sum(1, keepdims=True) - successes) / (
        trials.sum(1, keepdims=True) - trials
    )
    expected = stats.t.ppf(0.975, 599) * jackknife_error(np.array(SIGNS) @ left)
    np.testing.assert_allclose(half_width(estimate), expected, rtol=0.03)
    alone = math.sqrt(sum(half_width(proportion(part)) ** 2 for part in parts))
    assert half_width(estimate) < 0.8 * alone


def test_contrast_of_an_agent_that_never_errs() -> None:
    full, none = np.full(100, 10), np.zeros(100)
    parts = [Counts(full, full), Counts(none, full)]
    estimate = contrast([parts[0], parts[1], parts[1], parts[0]], SIGNS)
    assert estimate.mean == estimate.ci95[1] == 2.0
    assert 1.85 < estimate.ci95[0] < 2.0


def test_contrast_stays_in_range() -> None:
    rng = np.random.default_rng(5)
    for lifetimes in (2, 3, 5):
        for chance in (0.02, 0.5, 0.98):
            high = clustered_counts(rng, chance, lifetimes)
            low = clustered_counts(rng, 1 - chance, lifetimes)
            estimate = contrast([high, low, low, high], SIGNS)
            assert not estimate.ci95[0] < -2
            assert not estimate.ci95[1] > 2


@pytest.mark.parametrize("lifetimes", [12, 60])
@pytest.mark.parametrize("probability", [0.5, 0.9, 0.98])
def test_proportion_covers(probability: float, lifetimes: int) -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1500):
        counts = clustered_counts(rng, probability, lifetimes)
        low, high = proportion(counts).ci95
        covered += low <= probability <= high
    # Half a hundredth is the standard error of the count itself.
    assert 0.915 <= covered / 1500 <= 0.99


def test_contrast_covers() -> None:
    rng = np.random.default_rng(4)
    chances = (0.95, 0.2, 0.3, 0.9)
    truth = float(np.dot(SIGNS, chances))
    covered = 0
    for _ in range(800):
        parts = [clustered_counts(rng, chance, 40) for chance in chances]
        low, high = contrast(parts, SIGNS).ci95
        covered += low <= truth <= high
    assert 0.92 <= covered / 800 <= 0.98


def test_no_trials_and_one_lifetime() -> None:
    nothing = Counts(np.zeros(5), np.zeros(5))
    one = Counts(np.array([0, 3, 0]), np.array([0, 4, 0]))
    for estimate in (proportion(nothing), ratio(*nothing)):
        assert math.isnan(estimate.mean)
        assert all(math.isnan(limit) for limit in estimate.ci95)
    for estimate in (proportion(one), ratio(*one)):
        assert estimate.mean == 0.75
        assert all(math.isnan(limit) for limit in estimate.ci95)
    assert contrast([one] * 4, SIGNS).mean == 0.0
    assert math.isnan(contrast([one, one, one, nothing], SIGNS).mean)


def test_estimates_become_valid_json() -> None:
    text = json.dumps(Estimate(0.5, (0.4, 0.6)).as_dict(), allow_nan=False)
    assert json.loads(text) == {"mean": 0.5, "ci95": [0.4, 0.6]}
    assert UNKNOWN.as_dict() == {"mean": None, "ci95": [None, None]}
