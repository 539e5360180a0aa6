"""Agents whose errors are known: the analysis says whose they are."""

from __future__ import annotations

import numpy as np
import pytest
from harness import drifting_two_step_simulation as drifting
from harness import studies
from harness import two_step_simulation as simulation

from kerasmeta.analysis import Recordings, Study
from kerasmeta.analysis.recordings import drifting_learners
from kerasmeta.analysis.recordings import prediction_errors as analysis
from kerasmeta.analysis.recordings.prediction_errors import LEARNERS
from kerasmeta.analysis.recordings.regression import correlate, regress
from kerasmeta.analysis.recordings.signals import reward_prediction_errors
from kerasmeta.analysis.recordings.two_step_learners import (
    GRID,
    Chances,
    beliefs,
    model_free_errors,
    solve,
)
from kerasmeta.analysis.trials import (
    Trials,
    drifting_two_step_trials,
    two_step_trials,
)
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

GAMMA, NOISE = 0.5, 0.05
NUMBERS = {"common": 0.8, "high_reward": 0.9, "low_reward": 0.1, "reversal": 0.025}
MOMENTS = ("transition", "outcome")


@pytest.fixture(scope="module")
def lived() -> Lifetimes:
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025, lapse=0.1)
    return simulation.two_step(chooser, 60, seed=3)


def study_of(lived: Lifetimes, *errors: np.ndarray, gamma: float = GAMMA) -> Study:
    recorded = [
        Recordings(lived, {"reward_prediction_error": one}, {}, gamma) for one in errors
    ]
    return studies.study(*recorded, task="two_step", parameters=NUMBERS)


def noise(lived: Lifetimes, seed: int) -> np.ndarray:
    return NOISE * np.random.default_rng(seed).normal(size=lived.valid.shape)


def test_an_agent_that_plans_has_the_model_based_errors(lived: Lifetimes) -> None:
    """Its values are those of the Bellman equation; its errors are made of them."""
    chances = Chances.of(NUMBERS)
    belief = beliefs(two_step_trials(lived), chances)[:, :-1]
    value = np.interp(belief, GRID, solve(chances, GAMMA).first)
    errors = reward_prediction_errors(value, lived.reward, lived.valid, GAMMA)
    seeds = [errors + noise(lived, seed) for seed in range(3)]
    found = analysis.prediction_errors(study_of(lived, *seeds)).statistics
    weights = found["whole_trial"]
    assert weights["correlation_model_based"]["mean"] > 0.95
    assert weights["partial_model_based"]["mean"] > 0.4
    assert abs(weights["partial_model_free"]["mean"]) < 0.05
    for moment in MOMENTS:
        planned = weights[f"weight_model_based_{moment}"]
        assert planned["mean"] == pytest.approx(1, abs=0.03)
        assert planned["p_value"] < 1e-3
        assert abs(weights[f"weight_model_free_{moment}"]["mean"]) < 0.03


def test_an_agent_that_only_repeats_has_the_model_free_errors(lived: Lifetimes) -> None:
    trials = two_step_trials(lived)
    errors = model_free_errors(trials, GAMMA, learning_rate=0.4, trace=0.75)
    study = study_of(lived, errors.whole_trial + noise(lived, 1))
    found = analysis.prediction_errors(study).statistics
    assert found["fitted"] == {"learning_rate": [0.4], "trace": [0.75]}
    weights = found["whole_trial"]
    for moment in MOMENTS:
        assert weights[f"weight_model_free_{moment}"]["mean"] == pytest.approx(
            1, abs=0.05
        )
        assert abs(weights[f"weight_model_based_{moment}"]["mean"]) < 0.05
        low, high = weights[f"weight_model_based_{moment}"]["ci95"]
        assert low < 0 < high
    assert weights["correlation_model_free"]["mean"] > 0.9


def test_noise_is_nobodys(lived: Lifetimes) -> None:
    found = analysis.prediction_errors(study_of(lived, noise(lived, 2))).statistics
    for entry in found["whole_trial"].values():
        low, high = entry["ci95"]
        assert low - 0.01 < 0 < high + 0.01


@pytest.mark.parametrize("planner", [True, False])
def test_both_stages_of_the_drifting_task(planner: bool) -> None:
    """Errors planted at both steps of a trial; the learners' rates are found."""
    subjects = drifting.alike(40, 0.5, 0.5, 0.5, 5.0, 5.0, 0.5, 0.0)
    lived = drifting.simulate(subjects, trials=60, seed=4)
    trials = drifting_two_step_trials(lived)
    arms = drifting_learners.arm_values(trials, 0.3)
    planned = drifting_learners.model_based_errors(trials, arms, common=0.7)
    repeated = drifting_learners.model_free_errors(trials, arms, 0.6, 0.25)
    planted = planned if planner else repeated
    errors = np.zeros(lived.valid.shape)
    errors[:, 0::2], errors[:, 1::2] = planted.transition, planted.outcome
    study = study_of(lived, errors + 0.3 * noise(lived, 5))._replace(
        task="two_step_drift", parameters={"common": 0.7}
    )
    finding = analysis.prediction_errors(study)
    found = finding.statistics
    assert found["fitted"]["arms_learning_rate"] == [0.3]
    assert found["outcome"]["weight_of_either"]["mean"] == pytest.approx(1, abs=0.01)
    weights = found["transition"]
    own, other = LEARNERS if planner else reversed(LEARNERS)
    assert weights[f"weight_{own}_transition"]["mean"] == pytest.approx(1, abs=0.03)
    assert abs(weights[f"weight_{other}_transition"]["mean"]) < 0.03
    assert weights[f"partial_{own}"]["mean"] > 0.6
    if not planner:
        assert found["fitted"]["learning_rate"] == [0.6]
        assert found["fitted"]["trace"] == [0.25]
    assert len(finding.figures["prediction_errors"]().axes) == 6


def test_drifting_errors_by_hand() -> None:
    """Two trials that reach S2 and pull its arm 0, α = 0.5, λ = 1."""
    ones = np.ones([1, 2], int)
    trials = Trials(
        valid=ones > 0,
        action=0 * ones,
        state=ones,
        common=ones < 0,
        reward=np.array([[1.0, 1.0]]),
        cued=ones < 0,
        cued_trial=-ones,
        arm=0 * ones,
    )
    arms = drifting_learners.arm_values(trials, 0.5)
    assert arms[0, 1, 1, 0] == 0.75
    planned = drifting_learners.model_based_errors(trials, arms, common=0.7)
    # Trial 2: arrives at .75 where .7 * .5 + .3 * .75 = .575 was expected.
    np.testing.assert_allclose(planned.transition, [[0.0, 0.175]])
    np.testing.assert_allclose(planned.outcome, [[0.5, 0.25]])
    repeated = drifting_learners.model_free_errors(trials, arms, 0.5, 1.0)
    # Q1(0) = .5 + .5 * (0 + .5) = .75 after trial 1.
    np.testing.assert_allclose(repeated.transition, [[0.0, 0.0]])


def test_the_figure(lived: Lifetimes) -> None:
    finding = analysis.prediction_errors(study_of(lived, noise(lived, 2)))
    figure = finding.figures["prediction_errors"]()
    assert len(figure.axes) == 3


def test_endless_play_without_discount_is_refused(lived: Lifetimes) -> None:
    with pytest.raises(UserError, match=r"trpo.gamma below 1"):
        analysis.prediction_errors(study_of(lived, noise(lived, 2), gamma=1.0))


def test_regression_by_least_squares(rng: np.random.Generator) -> None:
    """Weights against NumPy's; intervals cover, and know of correlated lifetimes."""
    covered, narrow = 0, 0
    for _ in range(200):
        lifetime = np.repeat(np.arange(25), 20)
        shared = rng.normal(size=(25, 2))[lifetime]  # the same in all of a lifetime
        x = shared + 0.3 * rng.normal(size=(500, 2))
        error = rng.normal(size=25)[lifetime] + 0.3 * rng.normal(size=500)
        y = 1.0 + x @ [2.0, 0.0] + error
        weights = regress(x, y, lifetime)
        design = np.column_stack([np.ones(500), x])
        expected = np.linalg.lstsq(design, y, rcond=None)[0]
        np.testing.assert_allclose([w.mean for w in weights], expected[1:])
        low, high = weights[1].ci95
        covered += low < 0 < high
        naive = 1.96 * np.std(y - design @ expected) / np.sqrt(500) / np.std(x[:, 1])
        narrow += abs(weights[1].mean) < naive
    assert 0.86 <= covered / 200 <= 0.99
    assert narrow / 200 < 0.6  # what intervals over steps would cover


def test_correlation_is_pearsons(rng: np.random.Generator) -> None:
    x, lifetime = rng.normal(size=300), np.repeat(np.arange(10), 30)
    y = x + rng.normal(size=300)
    assert correlate(x, y, lifetime).mean == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert np.isnan(correlate(x, np.ones(300), lifetime).mean)
