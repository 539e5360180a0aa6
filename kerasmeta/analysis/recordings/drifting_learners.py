"""Prediction errors of two learners of the drifting two-step task (Daw et al. 2011).

Both learn the values of the four arms alike, Q2(s, b) <- Q2(s, b) + α2 (r - Q2(s, b)),
so that they err alike at the outcome, and unlike at the transition to state s:

    model-based:  max Q2(s, .) - sum over s' of P(s' | a) max Q2(s', .)
    model-free:   max Q2(s, .) - Q1(a)

where a is the first choice, P the transition that the model-based learner knows, and

    Q1(a) <- Q1(a) + α1 (max Q2(s, .) - Q1(a) + λ (r - Q2(s, b)))

A trial's errors do not reach beyond it: arms drift so slowly that what follows a trial
is worth about the same whatever its outcome.
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.recordings.two_step_learners import Errors
from kerasmeta.analysis.trials import Trials

START = 0.5  # all values


def arm_values(trials: Trials, learning_rate: float) -> np.ndarray:
    """Q2 before each trial, `[B, T, 2, 2]` by state and arm."""
    batch_size, num_trials = trials.valid.shape
    values = np.full([batch_size, 2, 2], START)
    found, rows = np.empty([batch_size, num_trials, 2, 2]), np.arange(batch_size)
    for t in range(num_trials):
        found[:, t] = values
        place = rows, np.maximum(trials.state[:, t], 0), np.maximum(trials.arm[:, t], 0)
        error = trials.reward[:, t] - values[place]
        values[place] += np.where(trials.visible[:, t], learning_rate * error, 0.0)
    return found


def at_outcome(trials: Trials, arms: np.ndarray) -> np.ndarray:
    """r - Q2(s, b) of both learners, `[B, T]`. `arms`: from `arm_values`."""
    pulled = _of_state(trials, arms)  # [B, T, 2]
    arm = np.maximum(trials.arm, 0)[..., np.newaxis]
    value = np.take_along_axis(pulled, arm, axis=2)[..., 0]
    return np.where(trials.visible, trials.reward - value, 0.0)


def model_based_errors(trials: Trials, arms: np.ndarray, common: float) -> Errors:
    """The errors of the learner that knows the transition."""
    best = arms.max(axis=3)  # [B, T, 2], of S1 and S2
    own = np.maximum(trials.action, 0)[..., np.newaxis]
    own_state = np.take_along_axis(best, own, axis=2)[..., 0]
    other_state = np.take_along_axis(best, 1 - own, axis=2)[..., 0]
    expected = common * own_state + (1 - common) * other_state
    arrived = _of_state(trials, arms).max(axis=2)
    errors = np.where(trials.visible, arrived - expected, 0.0)
    return Errors(errors, at_outcome(trials, arms))


def model_free_errors(
    trials: Trials, arms: np.ndarray, learning_rate: float, trace: float
) -> Errors:
    """The errors of SARSA(λ) with first-stage learning rate α1 and trace λ."""
    outcome = at_outcome(trials, arms)
    arrived = _of_state(trials, arms).max(axis=2)  # [B, T]
    first = np.full([len(arms), 2], START)
    errors, rows = np.zeros(trials.valid.shape), np.arange(len(arms))
    for t in range(trials.valid.shape[1]):
        a = np.maximum(trials.action[:, t], 0)
        error = np.where(trials.visible[:, t], arrived[:, t] - first[rows, a], 0.0)
        first[rows, a] += learning_rate * (error + trace * outcome[:, t])
        errors[:, t] = error
    return Errors(errors, outcome)


def _of_state(trials: Trials, arms: np.ndarray) -> np.ndarray:
    """Values of the arms `[B, T, 2]` of the state reached."""
    state = np.maximum(trials.state, 0)[..., np.newaxis, np.newaxis]
    return np.take_along_axis(arms, state, axis=2)[:, :, 0]
