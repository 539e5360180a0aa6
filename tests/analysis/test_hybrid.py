"""The hybrid model: its likelihood, its maximum, and subjects of known parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import drifting_two_step_simulation as simulation
from harness import two_step_simulation
from matplotlib.figure import Figure
from scipy.optimize import minimize
from scipy.special import expit

from kerasmeta.analysis import Study, Subject
from kerasmeta.analysis.hybrid.choices import (
    Choices,
    drifting_two_step_choices,
    two_step_choices,
)
from kerasmeta.analysis.hybrid.fit import Fit, add_prior, fit
from kerasmeta.analysis.hybrid.model import (
    Parameters,
    evidence,
    from_unbounded,
    to_unbounded,
)
from kerasmeta.analysis.hybrid.weights import hybrid_weights
from kerasmeta.lifetimes import Lifetimes

COMMON = 0.7


def people(count: int, seed: int) -> simulation.Subjects:
    """Subjects of any w; the rest in the ranges of people's (Daw et al. 2011, table 1).

    Learning rates between the lowest and the highest quartile of the two, lambda and p
    between their quartiles, inverse temperatures from the lower quartile to twice the
    median; each uniform.
    """
    rng = np.random.default_rng(seed)
    ranges = (
        (0.21, 0.87),
        (0.21, 0.87),
        (0.41, 0.94),
        (2.76, 10.38),
        (2.69, 7.38),
        (0.0, 1.0),
        (0.02, 0.22),
    )
    return simulation.Subjects(*(rng.uniform(*limits, count) for limits in ranges))


@pytest.fixture(scope="module")
def lived() -> Lifetimes:
    return simulation.simulate(people(12, seed=1), trials=60, seed=2)


@pytest.fixture(scope="module")
def choices(lived: Lifetimes) -> Choices:
    return drifting_two_step_choices(lived)


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return to_unbounded(Parameters(*people(12, seed=3)))


def naive_log_likelihood(lifetimes: Lifetimes, b: int, point: Parameters) -> float:
    """One subject's, trial by trial, from the equations of the paper."""
    alpha_1, alpha_2, trace, beta_1, beta_2, w, p = (field[b] for field in point)
    q1, q2, total, last = [0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], 0.0, None
    for t in range(0, lifetimes.action.shape[1], 2):
        a, arm = lifetimes.action[b, t : t + 2]
        s = lifetimes.observation["stimulus"][b, t + 1, 1:3].argmax()
        net = []
        for option in (0, 1):
            planned = COMMON * max(q2[option]) + (1 - COMMON) * max(q2[1 - option])
            net.append(w * planned + (1 - w) * q1[option] + p * (option == last))
        total += np.log(expit(beta_1 * (net[a] - net[1 - a])))
        total += np.log(expit(beta_2 * (q2[s][arm] - q2[s][1 - arm])))
        error = lifetimes.reward[b, t + 1] - q2[s][arm]
        q1[a] += alpha_1 * (q2[s][arm] - q1[a] + trace * error)
        q2[s][arm] += alpha_2 * error
        last = a
    return float(total)


def test_likelihood_against_a_loop(
    lived: Lifetimes, choices: Choices, points: np.ndarray
) -> None:
    found = evidence(points, choices, COMMON).log_likelihood
    for b in range(12):
        expected = naive_log_likelihood(lived, b, from_unbounded(points))
        np.testing.assert_allclose(found[b], expected, rtol=1e-10)


@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("arms", [1, 2])
def test_slope_against_differences(arms: int, prior: bool, points: np.ndarray) -> None:
    if arms == 2:
        behaviour = simulation.simulate(people(12, seed=1), trials=60, seed=2)
        seen = drifting_two_step_choices(behaviour)
    else:
        chooser = two_step_simulation.ModelFreeChooser()
        seen = two_step_choices(two_step_simulation.two_step(chooser, 12, seed=0))

    def height(z: np.ndarray) -> np.ndarray:
        found = evidence(z, seen, COMMON)
        return (add_prior(found, z) if prior else found).log_likelihood

    at = evidence(points, seen, COMMON)
    slope = (add_prior(at, points) if prior else at).slope
    for i, step in enumerate(1e-5 * np.eye(7)):
        difference = (height(points + step) - height(points - step)) / 2e-5
        np.testing.assert_allclose(slope[:, i], difference, rtol=1e-5, atol=1e-6)


def test_information_is_the_slope_s_variance() -> None:
    """Fisher: at the true parameters, slopes scatter about 0 with the information."""
    truth = Parameters(*simulation.alike(3000, 0.5, 0.4, 0.6, 4.0, 3.0, 0.5, 0.1))
    lifetimes = simulation.simulate(simulation.Subjects(*truth), trials=40, seed=5)
    z = to_unbounded(truth)
    found = evidence(z, drifting_two_step_choices(lifetimes), COMMON)
    scatter = found.slope.T @ found.slope / 3000
    scale = np.sqrt(np.diag(scatter))
    error = np.abs(found.slope.mean(axis=0)) / scale * np.sqrt(3000)
    assert (error < 4).all()
    expected = found.information.mean(axis=0)
    np.testing.assert_allclose(
        scatter / np.outer(scale, scale), expected / np.outer(scale, scale), atol=0.12
    )


@pytest.mark.parametrize("prior", [True, False])
def test_the_summit_is_scipy_s(choices: Choices, prior: bool) -> None:
    found = fit(choices, COMMON, prior=prior)
    reached = _height(to_unbounded(found.parameters), choices, prior)
    for b in (0, 7):
        one = choices.of_subjects(np.array([b]))

        def loss(z: np.ndarray, one: Choices = one) -> tuple[float, np.ndarray]:
            at = evidence(z[None], one, COMMON)
            at = add_prior(at, z[None]) if prior else at
            return -at.log_likelihood[0], -at.slope[0]

        start = to_unbounded(found.parameters)[b]
        bounds = [(-9, 9)] * 7
        again = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        middle = minimize(loss, np.zeros(7), jac=True, method="L-BFGS-B", bounds=bounds)
        assert reached[b] >= -again.fun - 0.01
        assert reached[b] >= -middle.fun - 0.01


def _height(z: np.ndarray, choices: Choices, prior: bool) -> np.ndarray:
    found = evidence(z, choices, COMMON)
    return (add_prior(found, z) if prior else found).log_likelihood


def test_unbounded_and_back(points: np.ndarray) -> None:
    np.testing.assert_allclose(to_unbounded(from_unbounded(points)), points)
    far = from_unbounded(np.full((1, 7), 1e6))
    assert all(np.isfinite(field).all() for field in far)


def test_subjects_do_not_disturb_each_other(choices: Choices) -> None:
    whole = fit(choices, COMMON).parameters.weight
    alone = fit(choices.of_subjects(np.array([7])), COMMON).parameters.weight
    np.testing.assert_allclose(alone, whole[7], atol=1e-3)


def test_padding_counts_for_nothing(lived: Lifetimes) -> None:
    valid = lived.valid.copy()
    valid[:, 80:] = False
    seen = {key: value[:, :80] for key, value in lived.observation.items()}
    short = Lifetimes(seen, *(field[:, :80] for field in lived[1:4]))
    padded = fit(drifting_two_step_choices(lived._replace(valid=valid)), COMMON)
    cut = fit(drifting_two_step_choices(short), COMMON)
    np.testing.assert_array_equal(padded.num_choices, 80)
    np.testing.assert_allclose(padded.log_likelihood, cut.log_likelihood, atol=1e-6)


def test_coin_tosses_are_not_explained() -> None:
    still = simulation.alike(40, 0.5, 0.5, 0.5, 0.0, 0.0, 0.5, 0.0)
    found = _fitted(still, trials=100)
    assert 0 <= found.pseudo_r2.mean() < 0.05
    explained = _fitted(people(40, seed=4), trials=100)
    assert explained.pseudo_r2.mean() > 0.15


def _fitted(subjects: simulation.Subjects, trials: int, **options: Any) -> Fit:
    lifetimes = simulation.simulate(subjects, trials, seed=6)
    return fit(drifting_two_step_choices(lifetimes), COMMON, **options)


@pytest.mark.slow
def test_planted_parameters_are_recovered() -> None:
    """100 subjects of 201 trials, as many as Daw's had."""
    planted = people(100, seed=0)
    found = _fitted(planted, trials=201).parameters

    def recovered(name: str) -> float:
        pair = getattr(planted, name), getattr(found, name)
        return float(np.corrcoef(*pair)[0, 1])

    assert recovered("weight") >= 0.8
    assert recovered("alpha_2") >= 0.85
    assert recovered("beta_2") >= 0.7
    assert recovered("beta_1") >= 0.6
    assert abs((found.weight - planted.weight).mean()) < 0.1


def study(**weights: float) -> Study:
    """An agent of two seeds that plans, and players with the weights given."""

    def behaviour(weight: float, seed: int) -> Lifetimes:
        subjects = simulation.alike(12, 0.5, 0.4, 0.6, 8.0, 6.0, weight, 0.1)
        return simulation.simulate(subjects, trials=80, seed=seed)

    return Study(
        agent="two_step_drift/toy",
        task="two_step_drift",
        parameters={"common": COMMON},
        default_parameters=True,
        trials_per_lifetime=80,
        subjects=[Subject(f"seed {s}", behaviour(1.0, s)) for s in (1, 2)],
        players={name: behaviour(w, 3) for name, w in weights.items()},
    )


@pytest.mark.slow
def test_the_analysis_tells_planners_from_others() -> None:
    finding = hybrid_weights(study(model_free=0.0, model_based=1.0, oracle=0.5))
    found = finding.statistics
    assert found["weight"]["mean"] > 0.6
    assert len(found["weight"]["seeds"]) == 2
    assert found["weight"]["published"] == {"daw_2011": 0.39}
    assert set(found["players"]) == {"model_free", "model_based"}
    assert found["players"]["model_free"]["weight"] < 0.35
    figure = finding.figures["hybrid_weights"]()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 3


def test_the_two_step_task_has_no_second_choice() -> None:
    chooser = two_step_simulation.ModelFreeChooser()
    free = two_step_simulation.two_step(chooser, 30, seed=1)
    planner = two_step_simulation.OptimalChooser(0.8, 0.9, 0.025, lapse=0.1)
    planned = two_step_simulation.two_step(planner, 30, seed=1)
    found = [fit(two_step_choices(x), 0.8) for x in (free, planned)]
    np.testing.assert_array_equal(found[0].num_choices, 100)
    assert found[0].parameters.weight.mean() < 0.3
    assert found[1].parameters.weight.mean() > 0.6
