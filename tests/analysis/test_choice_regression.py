"""The lagged regression against statsmodels on a design built by plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from harness import two_step_simulation as simulation
from scipy import stats

from kerasmeta.analysis import two_step_trials
from kerasmeta.analysis.families.choice_regression import (
    choice_data,
    choice_indices,
    fit,
)
from kerasmeta.lifetimes import Lifetimes

MODEL_BASED = {"CR": 1, "UR": -1, "CU": -1, "UU": 1}
MODEL_FREE = {"CR": 1, "UR": 1, "CU": -1, "UU": -1}
KINDS = tuple(MODEL_BASED)


def naive_design(lifetimes: Lifetimes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictors [M, 21], choices and lifetimes [M], straight from the definition."""
    rows, choices, groups = [], [], []
    stimulus = lifetimes.observation["stimulus"]
    for b in range(len(lifetimes.action)):
        for t in range(5, lifetimes.action.shape[1]):
            row = []
            for lag in range(1, 6):
                past = t - lag
                action = lifetimes.action[b, past]
                common = stimulus[b, past + 1, 1 + action] == 1
                rewarded = lifetimes.reward[b, past] == 1
                kind = ("C" if common else "U") + ("R" if rewarded else "U")
                sign = 1 if action == 1 else -1
                row += [sign if kind == k else 0 for k in KINDS]
            rows.append([*row, 1])
            choices.append(lifetimes.action[b, t])
            groups.append(b)
    return np.array(rows, float), np.array(choices, float), np.array(groups)


@pytest.fixture(scope="module")
def noisy() -> Lifetimes:
    return simulation.two_step(simulation.ModelFreeChooser(), batch_size=40, seed=3)


def test_design(noisy: Lifetimes) -> None:
    X, y, groups = naive_design(noisy)
    data = choice_data(two_step_trials(noisy))
    np.testing.assert_array_equal(data.predictors.toarray(), X)
    np.testing.assert_array_equal(data.choice, y)
    np.testing.assert_array_equal(data.lifetime, groups)


def test_without_penalty_it_is_statsmodels_with_clusters(noisy: Lifetimes) -> None:
    X, y, groups = naive_design(noisy)
    clusters = {"groups": groups, "use_correction": False}
    reference = sm.Logit(y, X).fit(
        disp=False, cov_type="cluster", cov_kwds=clusters, method="newton"
    )
    data = choice_data(two_step_trials(noisy))
    np.testing.assert_allclose(fit(data, ridge=0.0), reference.params, atol=1e-5)
    indices = choice_indices(two_step_trials(noisy), ridge=0.0)
    for name, signs in (("based", MODEL_BASED), ("free", MODEL_FREE)):
        weights = np.append(np.tile([signs[k] for k in KINDS], 5), 0)
        estimate = indices[f"model_{name}_index"]
        variance = weights @ reference.cov_params() @ weights * 40 / 39
        half = stats.t.ppf(0.975, 39) * math.sqrt(variance)
        np.testing.assert_allclose(estimate.mean, weights @ reference.params, rtol=1e-5)
        expected = (estimate.mean - half, estimate.mean + half)
        np.testing.assert_allclose(estimate.ci95, expected, rtol=1e-4)


def test_the_penalty_is_minimised(noisy: Lifetimes) -> None:
    """No small step from it lowers the mean of log loss + ridge logit^2 / 2."""
    X, y, _ = naive_design(noisy)
    ridge = 0.01

    def loss(b: np.ndarray) -> float:
        logit = X @ b
        chance = 1 / (1 + np.exp(-logit))
        log_loss = -np.mean(y * np.log(chance) + (1 - y) * np.log(1 - chance))
        return float(log_loss + ridge * np.mean(logit**2) / 2)

    b = fit(choice_data(two_step_trials(noisy)), ridge)
    for direction in np.random.default_rng(0).normal(size=(50, len(b))):
        assert loss(b + 1e-3 * direction) > loss(b) < loss(b - 1e-3 * direction)


def test_the_index_does_not_depend_on_the_number_of_lifetimes() -> None:
    """Doubling the data by copying leaves an optimal agent's index as it is."""
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025)
    trials = two_step_trials(simulation.two_step(chooser, batch_size=50, seed=0))
    doubled = type(trials)(*(np.concatenate([field, field]) for field in trials))
    once, twice = choice_indices(trials), choice_indices(doubled)
    for name, estimate in once.items():
        np.testing.assert_allclose(twice[name].mean, estimate.mean, rtol=1e-6)
        assert math.isfinite(estimate.mean)


def test_planted_behaviour_gives_the_signs() -> None:
    def indices(chooser: object, seed: int) -> dict[str, tuple[float, float]]:
        trials = two_step_trials(simulation.two_step(chooser, 150, seed))
        return {name: e.ci95 for name, e in choice_indices(trials).items()}

    optimal = simulation.OptimalChooser(0.8, 0.9, 0.025, lapse=0.1)
    model_based = indices(optimal, seed=0)
    assert model_based["model_based_index"][0] > 5
    assert -1 < model_based["model_free_index"][0] < 1
    model_free = indices(simulation.ModelFreeChooser(), seed=0)
    assert model_free["model_free_index"][0] > 5
    assert model_free["model_based_index"][1] < 2
    for low, high in indices(simulation.RandomChooser(bias=0.6), seed=0).values():
        assert low < 0 < high
        assert high - low < 2


@pytest.mark.parametrize("lapse", [0.0, 0.05])
def test_a_player_that_goes_by_the_evidence_has_no_model_free_part(
    lapse: float,
) -> None:
    """Nor where it never errs; a penalty on the coefficients would give it 3.15."""
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025, lapse=lapse)
    trials = two_step_trials(simulation.two_step(chooser, batch_size=2000, seed=0))
    found = choice_indices(trials)
    low, high = found["model_free_index"].ci95
    assert low < 0 < high
    assert high - low < 0.6
    assert found["model_based_index"].ci95[0] > 10


def test_the_coefficients_of_one_design_are_those_of_another() -> None:
    """Halving a predictor doubles its coefficient and changes no index but by that."""
    trials = two_step_trials(
        simulation.two_step(simulation.OptimalChooser(0.8, 0.9, 0.025), 50, seed=0)
    )
    data = choice_data(trials)
    scale = np.where(np.arange(21) % 4 == 3, 0.5, 1.0)
    scaled = data._replace(predictors=data.predictors * scale)
    expected = fit(data, ridge=1e-3) / scale
    np.testing.assert_allclose(fit(scaled, ridge=1e-3), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_interval_covers() -> None:
    """At 50 lifetimes; the truth is the index of 4,000 (s.e. a ninth of one run's)."""
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025, lapse=0.2)
    trials = two_step_trials(simulation.two_step(chooser, 4000, seed=0))
    truth = {name: e.mean for name, e in choice_indices(trials).items()}
    covered = dict.fromkeys(truth, 0)
    for seed in range(1, 201):
        trials = two_step_trials(simulation.two_step(chooser, 50, seed))
        for name, estimate in choice_indices(trials).items():
            covered[name] += estimate.ci95[0] <= truth[name] <= estimate.ci95[1]
    for count in covered.values():
        assert 0.89 <= count / 200 <= 0.99


@pytest.mark.parametrize("trials", [1, 4, 5])
def test_too_short_lifetimes_give_nan(trials: int) -> None:
    short = simulation.two_step(simulation.RandomChooser(), 3, seed=0, trials=trials)
    for estimate in choice_indices(two_step_trials(short)).values():
        assert math.isnan(estimate.mean)


def test_an_agent_that_always_does_the_same() -> None:
    chooser = simulation.RandomChooser(bias=1.0)
    trials = two_step_trials(simulation.two_step(chooser, 20, seed=0))
    for estimate in choice_indices(trials).values():
        assert math.isfinite(estimate.mean)
