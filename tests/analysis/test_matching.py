"""The matching metrics against loops, statsmodels and planted choosers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from kerasmeta.analysis import metrics
from kerasmeta.analysis.families.lagged_choice import lagged_data, lagged_weights
from kerasmeta.analysis.families.matching import (
    choice_history,
    generalised_matching,
    log_ratios,
)
from kerasmeta.analysis.headline import headline
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

NAMES = {"reward_per_trial", "matching_slope", "matching_bias", "matching_lifetimes"}


def recorded(action: np.ndarray, reward: np.ndarray) -> Lifetimes:
    observation = {"stimulus": np.ones((*action.shape, 1), np.float32)}
    valid = np.ones(action.shape, bool)
    return Lifetimes(observation, action, reward.astype(np.float32), valid)


@pytest.fixture(scope="module")
def lifetimes() -> Lifetimes:
    """Choosers that take the second arm, and are paid for it, at rates of their own.

    Some lifetimes have no reward of one arm; some are shorter, with nonsense after.
    """
    rng = np.random.default_rng(0)
    share = rng.uniform(0.05, 0.95, size=(60, 1))
    action = (rng.random((60, 50)) < share).astype(np.int32)
    reward = rng.random((60, 50)) < np.where(action == 1, share, 1 - share) * 0.5
    reward[:5] &= action[:5] == 1
    one = recorded(action, reward)
    valid = np.arange(50) < rng.integers(20, 51, size=(60, 1))
    return one._replace(valid=valid, reward=np.where(valid, one.reward, 7.0))


def naive_ratios(lifetimes: Lifetimes) -> list[tuple[float, float]]:
    found = []
    for b in range(len(lifetimes.valid)):
        n = int(lifetimes.valid[b].sum())
        counts = {0: [0.0, 0.0], 1: [0.0, 0.0]}
        for t in range(n):
            counts[int(lifetimes.action[b, t])][0] += 1
            counts[int(lifetimes.action[b, t])][1] += float(lifetimes.reward[b, t])
        (c1, r1), (c2, r2) = counts[0], counts[1]
        if min(c1, r1, c2, r2) > 0:
            found.append((math.log2(r2 / r1), math.log2(c2 / c1)))
    return found


def test_ratios_are_those_of_loops(lifetimes: Lifetimes) -> None:
    found = log_ratios(lifetimes)
    expected = np.array(naive_ratios(lifetimes))
    assert len(expected) <= 55
    np.testing.assert_allclose(found.rewards, expected[:, 0])
    np.testing.assert_allclose(found.choices, expected[:, 1])
    assert found.lifetimes == 60


def test_metrics(lifetimes: Lifetimes) -> None:
    found = metrics("matching", lifetimes)
    assert set(found) == NAMES
    expected = np.array(naive_ratios(lifetimes))
    line = stats.linregress(expected[:, 0], expected[:, 1])
    assert found["matching_slope"].mean == pytest.approx(line.slope)
    assert found["matching_bias"].mean == pytest.approx(line.intercept)
    assert found["matching_lifetimes"].mean == len(expected) / 60
    rate = lifetimes.reward[lifetimes.valid].mean()
    assert found["reward_per_trial"].mean == pytest.approx(rate)


def test_intervals_are_robust_ones(lifetimes: Lifetimes) -> None:
    ratios = log_ratios(lifetimes)
    reference = sm.OLS(ratios.choices, sm.add_constant(ratios.rewards)).fit(
        cov_type="HC0"
    )
    size = len(ratios.choices)
    for estimate, column in zip(generalised_matching(ratios), (1, 0), strict=True):
        error = reference.bse[column] * math.sqrt(size / (size - 1))
        half = stats.t.ppf(0.975, size - 1) * error
        expected = (reference.params[column] - half, reference.params[column] + half)
        np.testing.assert_allclose(estimate.ci95, expected)


def test_a_perfect_matcher_has_slope_one_and_a_random_one_zero() -> None:
    rng = np.random.default_rng(1)
    # 60 choices and 30 rewards, both divided in the same ratio: slope 1 exactly.
    exact = []
    for second in (10, 20, 30, 40, 50):
        action = np.repeat([1, 0], [second, 60 - second])
        exact.append((action, np.tile([1, 0], 30)))
    action, reward = (np.array(part) for part in zip(*exact, strict=True))
    found = metrics("matching", recorded(action.astype(np.int32), reward))
    assert found["matching_slope"].mean == pytest.approx(1.0)
    assert found["matching_bias"].mean == pytest.approx(0.0, abs=1e-6)

    action = rng.integers(2, size=(400, 100)).astype(np.int32)
    chance = np.where(action == 1, *rng.uniform(0.1, 0.4, size=(2, 400, 1)))
    found = metrics("matching", recorded(action, rng.random((400, 100)) < chance))
    # Chance decides how often an arm is chosen, and with it how often it pays.
    assert 0.0 < found["matching_slope"].mean < 0.15


def test_without_ratios_there_is_no_slope() -> None:
    action = np.ones((4, 10), np.int32)
    found = metrics("matching", recorded(action, np.ones((4, 10))))
    assert math.isnan(found["matching_slope"].mean)
    assert found["matching_lifetimes"].mean == 0.0


def history(lifetimes: int, seed: int) -> Lifetimes:
    """A chooser whose logit is 2 R(t-1) + 1 R(t-2) - 0.5 C(t-1), signed by arm."""
    rng = np.random.default_rng(seed)
    action = np.zeros((lifetimes, 60), np.int32)
    reward = np.zeros((lifetimes, 60))
    side = np.zeros((lifetimes, 60))
    for t in range(60):
        logit = np.zeros(lifetimes)
        for lag, (paid, chosen) in {1: (2.0, -0.5), 2: (1.0, 0.0)}.items():
            if t >= lag:
                logit += side[:, t - lag] * (paid * reward[:, t - lag] + chosen)
        action[:, t] = rng.random(lifetimes) < 1 / (1 + np.exp(-logit))
        side[:, t] = 2.0 * action[:, t] - 1
        reward[:, t] = rng.random(lifetimes) < 0.4
    return recorded(action, reward)


def test_planted_weights_are_found() -> None:
    found = choice_history(history(600, seed=2), lags=4)
    expected = [[2.0, 1.0, 0.0, 0.0], [-0.5, 0.0, 0.0, 0.0]]
    for predictor in (0, 1):
        for estimate, value in zip(
            found.estimates(predictor), expected[predictor], strict=True
        ):
            low, high = estimate.ci95
            assert low - 0.03 < value < high + 0.03
            assert high - low < 0.2


def test_the_design_and_its_clusters_are_statsmodels() -> None:
    lifetimes = history(40, seed=3)
    side = np.where(lifetimes.action == 1, 1.0, -1.0)
    rows, choices, groups = [], [], []
    for b in range(40):
        for t in range(20, 60):
            past = [side[b, t - lag] * lifetimes.reward[b, t - lag] for lag in (1, 2)]
            past += [side[b, t - lag] for lag in (1, 2)]
            rows.append([*past, 1.0])
            choices.append(lifetimes.action[b, t])
            groups.append(b)
    predicted = np.arange(60) >= np.full((40, 1), 20)
    predictors = [side * lifetimes.reward, side]
    data = lagged_data(lifetimes.action, predictors, predicted, lags=2)
    np.testing.assert_array_equal(data.predictors.toarray(), rows)
    clusters = {"groups": np.array(groups), "use_correction": False}
    reference = sm.Logit(choices, np.array(rows)).fit(
        disp=False, cov_type="cluster", cov_kwds=clusters
    )
    found = lagged_weights(lifetimes.action, predictors, predicted, 2, ridge=0.0)
    np.testing.assert_allclose(found.weights.ravel(), reference.params[:4], atol=1e-5)
    half = stats.t.ppf(0.975, 39) * reference.bse[1] * math.sqrt(40 / 39)
    low, high = found.estimates(0)[1].ci95
    assert (high - low) / 2 == pytest.approx(half, rel=1e-4)


def test_choices_without_a_past_are_refused() -> None:
    action = np.ones((2, 5), np.int32)
    with pytest.raises(ValueError, match="fewer steps before it"):
        lagged_weights(action, [action * 1.0], np.ones((2, 5), bool), lags=2)


def test_too_short_lifetimes_have_no_history() -> None:
    action = np.ones((3, 10), np.int32)
    found = choice_history(recorded(action, np.ones((3, 10))), lags=15)
    assert np.isnan(found.weights).all()
    assert math.isnan(found.estimates(0)[0].ci95[0])


def test_lifetimes_of_another_task_are_refused(lifetimes: Lifetimes) -> None:
    other = lifetimes._replace(observation={"stimulus": np.ones((60, 50, 3))})
    with pytest.raises(UserError, match="task they were recorded on"):
        metrics("matching", other)


def test_headlines_are_metrics() -> None:
    assert set(headline("matching")) <= NAMES
