"""Prediction errors of a model-based and a model-free learner of the two-step task.

Both watch an agent's trials and err at two moments of each (Daw et al. 2011):

* at the transition, when the second-stage state s is reached: V2(s) - V1;
* at the outcome, when the reward r is known: r + γ V1' - V2(s), with V1' the value at
  the beginning of the next trial and γ the discount per trial.

The model-based learner knows the task's numbers. All it learns is the belief b that S2
is the good state, exactly, by Bayes' rule; its values are those of optimal play on this
belief (the Bellman equation of the belief, solved on a grid):

    V2(b, s) = P(r = 1 | b, s) (1 + γ V1(b')) + P(r = 0 | b, s) γ V1(b'')
    V1(b) = max over a of sum over s of P(s | a) V2(b, s)

The model-free learner is SARSA(λ), which learns the two actions' and the two states'
values from rewards alone and treats every transition as an action's own doing:

    Q1(a) <- Q1(a) + α (δ1 + λ δ2),   Q2(s) <- Q2(s) + α δ2,
    δ1 = Q2(s) - Q1(a),   δ2 = r + γ max Q1 - Q2(s)

Daw, Gershman, Seymour, Dayan & Dolan (2011). Model-based influences on humans' choices
and striatal prediction errors. Neuron 69:1204-1215.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from kerasmeta.analysis.trials import Trials

GRID = np.linspace(0.0, 1.0, 401)  # beliefs that values are computed at
_TOLERANCE = 1e-10


class Errors(NamedTuple):
    """A learner's prediction errors at the two moments of a trial, each `[B, T]`.

    Trials whose state is not visible (the last of a lifetime) have none: they are 0.
    """

    transition: np.ndarray
    outcome: np.ndarray

    @property
    def whole_trial(self) -> np.ndarray:
        """What an agent can show that sees both moments in one step."""
        return self.transition + self.outcome


class Chances(NamedTuple):
    """The task's numbers."""

    common: float
    high_reward: float
    low_reward: float
    reversal: float

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Chances:
        """From the parameters of a study."""
        return cls(*(float(parameters[name]) for name in cls._fields))


class Values(NamedTuple):
    """Values of optimal play at the beliefs of `GRID`."""

    first: np.ndarray  # [GRID], V1
    second: np.ndarray  # [GRID, 2], V2 of S1 and S2


def model_based_errors(trials: Trials, chances: Chances, gamma: float) -> Errors:
    """The errors of exact inference and optimal planning on an agent's trials."""
    values, belief = solve(chances, gamma), beliefs(trials, chances)
    now, following = belief[:, :-1], belief[:, 1:]  # [B, T]
    reached = np.maximum(trials.state, 0)
    at_start = np.interp(now, GRID, values.first)
    in_state = np.where(
        reached == 1,
        np.interp(now, GRID, values.second[:, 1]),
        np.interp(now, GRID, values.second[:, 0]),
    )
    after = trials.reward + gamma * np.interp(following, GRID, values.first)
    seen = trials.visible
    return Errors(
        np.where(seen, in_state - at_start, 0.0), np.where(seen, after - in_state, 0.0)
    )


def model_free_errors(
    trials: Trials, gamma: float, learning_rate: float, trace: float
) -> Errors:
    """The errors of SARSA(λ) on an agent's trials.

    Values begin at that of random play, where half of the trials are rewarded.

    Args:
        trials: `[B, T]`.
        gamma: γ, per trial.
        learning_rate: α.
        trace: λ, how much of the outcome's error reaches the action.
    """
    batch_size, num_trials = trials.valid.shape
    level = 0.5 / (1 - gamma) if gamma < 1 else 0.5
    first = np.full([batch_size, 2], level)
    second = np.full([batch_size, 2], level)
    errors = Errors(np.zeros(trials.valid.shape), np.zeros(trials.valid.shape))
    rows, seen = np.arange(batch_size), trials.visible
    for t in range(num_trials):
        a, s = np.maximum(trials.action[:, t], 0), np.maximum(trials.state[:, t], 0)
        in_state = second[rows, s]
        at_transition = np.where(seen[:, t], in_state - first[rows, a], 0.0)
        ahead = trials.reward[:, t] + gamma * first.max(axis=1)
        at_outcome = np.where(seen[:, t], ahead - in_state, 0.0)
        first[rows, a] += learning_rate * (at_transition + trace * at_outcome)
        second[rows, s] += learning_rate * at_outcome
        errors.transition[:, t], errors.outcome[:, t] = at_transition, at_outcome
    return errors


def beliefs(trials: Trials, chances: Chances) -> np.ndarray:
    """P(S2 is good) before each trial and after the last, `[B, T + 1]`."""
    batch_size, num_trials = trials.valid.shape
    found = np.full([batch_size, num_trials + 1], 0.5)
    for t in range(num_trials):
        updated = after_outcome(
            found[:, t], trials.state[:, t], trials.rewarded[:, t], chances
        )
        found[:, t + 1] = np.where(trials.visible[:, t], updated, found[:, t])
    return found


def after_outcome(
    belief: np.ndarray, reached: Any, rewarded: Any, chances: Chances
) -> np.ndarray:
    """The belief after a trial's outcome and a possible reversal. Broadcasts."""
    if_s1 = _outcome_chance(np.equal(reached, 0), rewarded, chances)
    if_s2 = _outcome_chance(np.equal(reached, 1), rewarded, chances)
    joint = belief * if_s2
    total = joint + (1 - belief) * if_s1
    unchanged = np.broadcast_to(belief, total.shape).copy()
    updated = np.divide(joint, total, out=unchanged, where=total > 0)
    return updated * (1 - chances.reversal) + (1 - updated) * chances.reversal


@functools.lru_cache(maxsize=8)
def solve(chances: Chances, gamma: float) -> Values:
    """Values of optimal play on the belief, without an end, by value iteration."""
    paid = _reward_chance(chances)  # [GRID, 2]
    states = np.arange(2)
    next_if = [
        after_outcome(GRID[:, np.newaxis], states, rewarded, chances)  # [GRID, 2]
        for rewarded in (False, True)
    ]
    leads = np.array([[chances.common, 1 - chances.common]])
    leads = np.concatenate([leads, leads[:, ::-1]])  # [actions, states]
    first = np.zeros(len(GRID))
    while True:
        lost, won = (gamma * np.interp(belief, GRID, first) for belief in next_if)
        second = paid * (1 + won) + (1 - paid) * lost
        new = np.max(second @ leads.T, axis=1)
        if np.max(np.abs(new - first)) < _TOLERANCE:
            return Values(new, second)
        first = new


def _reward_chance(chances: Chances) -> np.ndarray:
    """P(r = 1) in S1 and S2 at the beliefs of `GRID`, `[GRID, 2]`."""
    spread = chances.high_reward - chances.low_reward
    good = np.stack([1 - GRID, GRID], axis=1)
    return chances.low_reward + spread * good


def _outcome_chance(is_good: Any, rewarded: Any, chances: Chances) -> np.ndarray:
    chance = np.where(is_good, chances.high_reward, chances.low_reward)
    return np.where(rewarded, chance, 1 - chance)
