"""The two learners: closed forms, limit cases, and errors that cannot be predicted."""

from __future__ import annotations

import numpy as np
import pytest
from harness import two_step_simulation as simulation
from harness.statistics import check_mean

from kerasmeta.analysis.recordings.two_step_learners import (
    GRID,
    Chances,
    beliefs,
    model_based_errors,
    model_free_errors,
    solve,
)
from kerasmeta.analysis.trials import Trials, two_step_trials

WANG = Chances(common=0.8, high_reward=0.9, low_reward=0.1, reversal=0.025)
GAMMA = 0.5


@pytest.fixture(scope="module")
def trials() -> Trials:
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025)
    return two_step_trials(simulation.two_step(chooser, 400, seed=5))


def test_beliefs_by_the_forward_algorithm(trials: Trials) -> None:
    """Two hidden states, matrices of transition and emission, one lifetime."""
    move = np.array([[0.975, 0.025], [0.025, 0.975]])
    state = np.array([0.5, 0.5])
    found = beliefs(trials, WANG)[0]
    for t in range(99):
        assert found[t] == pytest.approx(state[1])
        chance = np.where(np.arange(2) == trials.state[0, t], 0.9, 0.1)
        state = state * (chance if trials.rewarded[0, t] else 1 - chance)
        state = move @ (state / state.sum())
    assert found[99] == pytest.approx(state[1])
    assert found[100] == found[99]  # the last outcome is not visible


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
def test_values_in_closed_form(gamma: float) -> None:
    # Nothing reverses, the good state always pays, and it is known which one it is.
    known = solve(Chances(0.8, 1.0, 0.0, 0.0), gamma)
    assert known.first[[0, -1]] == pytest.approx(0.8 / (1 - gamma))
    assert known.second[-1] == pytest.approx(
        [0.8 / (1 - gamma) - 0.8, 0.2 + 0.8 / (1 - gamma)]
    )
    # What was good says nothing of what will be: b = 1/2 after every trial.
    forgotten = solve(Chances(0.7, 0.9, 0.1, 0.5), gamma)
    now = 0.1 + 0.8 * GRID  # P(reward in S2)
    best = np.maximum(now, 1 - now) * 0.7 + np.minimum(now, 1 - now) * 0.3
    np.testing.assert_allclose(
        forgotten.first, best + gamma * 0.5 / (1 - gamma), atol=1e-8
    )


def test_values_are_what_optimal_play_earns() -> None:
    """V1(1/2) without discount counts the first trials' rewards; Monte Carlo."""
    gamma = 0.8
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025)
    lived = simulation.two_step(chooser, 4000, seed=7, trials=60)
    earned = lived.reward @ gamma ** np.arange(60)
    expected = np.interp(0.5, GRID, solve(WANG, gamma).first)
    check_mean(earned, expected)  # what follows trial 60 is worth 1e-5


def test_model_based_errors_cannot_be_predicted(trials: Trials) -> None:
    """A true value's errors have mean 0, after anything that was seen before."""
    errors = model_based_errors(trials, WANG, GAMMA)
    seen = trials.visible
    common, rewarded = trials.common, trials.rewarded
    check_mean(errors.transition.sum(axis=1) / seen.sum(axis=1), 0.0)
    check_mean(errors.outcome.sum(axis=1) / seen.sum(axis=1), 0.0)
    for kind in (common, ~common):  # the outcome's error, given the transition
        which = seen & kind
        check_mean((errors.outcome * which).sum(axis=1) / 99, 0.0)
    after_reward = np.roll(rewarded, 1, axis=1) & seen
    after_reward[:, 0] = False
    check_mean((errors.transition * after_reward).sum(axis=1) / 99, 0.0)
    # And they are errors: of the sign of what happened.
    assert errors.outcome[seen & rewarded].min() > 0
    assert errors.outcome[seen & ~rewarded].max() < 0


def test_model_free_errors_by_hand() -> None:
    """Two trials, γ = 1/2, α = 0.4, λ = 0.5; values begin at 1."""
    one = np.array([[0, 0, 0]])
    made = Trials(
        valid=np.ones([1, 3], bool),
        action=one,
        state=np.array([[1, 1, -1]]),
        common=np.zeros([1, 3], bool),
        reward=np.array([[1.0, 0.0, 1.0]]),
        cued=np.zeros([1, 3], bool),
        cued_trial=one - 1,
        arm=one - 1,
    )
    errors = model_free_errors(made, GAMMA, learning_rate=0.4, trace=0.5)
    # Trial 1: δ1 = 1 - 1; δ2 = 1 + .5 * 1 - 1 = .5; Q1(0) = 1.1, Q2(S2) = 1.2.
    # Trial 2: δ1 = 1.2 - 1.1; δ2 = 0 + .5 * 1.1 - 1.2 = -.65.
    np.testing.assert_allclose(errors.transition, [[0.0, 0.1, 0.0]])
    np.testing.assert_allclose(errors.outcome, [[0.5, -0.65, 0.0]])


def test_a_model_free_learner_is_blind_to_the_transition(trials: Trials) -> None:
    """With λ = 1 its action learns from the reward, whatever the state between."""
    errors = model_free_errors(trials, 0.0, learning_rate=0.3, trace=1.0)
    other = model_free_errors(
        trials._replace(state=np.where(trials.visible, 0, trials.state)),
        *(0.0, 0.3, 1.0),
    )
    np.testing.assert_allclose(errors.whole_trial, other.whole_trial)
