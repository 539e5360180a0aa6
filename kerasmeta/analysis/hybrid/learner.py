"""The learner inside the hybrid model: its values before every trial, and their slopes.

SARSA(lambda) over the two stages. After a trial with the choices a and b, the state s
and the reward r,

    Q1(a)    <- Q1(a)    + alpha_1 (Q2(s, b) - Q1(a) + lambda (r - Q2(s, b)))
    Q2(s, b) <- Q2(s, b) + alpha_2 (r - Q2(s, b))

The model-based values of the first choices come from the same Q2 by the transition:
Q_MB(a) = sum_s P(s | a) max_b Q2(s, b). Only differences between two choices ever
matter. They are followed together with their derivatives by the three parameters
(forward sensitivities), for all subjects at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.hybrid.choices import Choices

INITIAL_VALUE = 0.5  # of every choice: half of what a trial can pay


class Leads(NamedTuple):
    """What choice 1 is worth more than choice 0, before each trial: `[N, M]` each.

    With derivatives by alpha_1, alpha_2 and lambda, as far as they are not zero.
    """

    planned: np.ndarray  # of the first choices, Q_MB(1) - Q_MB(0)
    planned_by_alpha_2: np.ndarray
    learned: np.ndarray  # of the first choices, Q1(1) - Q1(0)
    learned_by: np.ndarray  # [N, 3, M]
    arms: np.ndarray  # of the arms of the state reached, Q2(s, 1) - Q2(s, 0)
    arms_by_alpha_2: np.ndarray


class _Values(NamedTuple):
    """Q1 and Q2 of `M` subjects, and their derivatives; changed in place."""

    first: np.ndarray  # [2, M]
    first_by: np.ndarray  # [3, 2, M], by alpha_1, alpha_2, lambda
    second: np.ndarray  # [2 * arms, M], state by state
    second_by: np.ndarray  # [2 * arms, M], by alpha_2


def leads(
    alpha_1: np.ndarray,
    alpha_2: np.ndarray,
    trace: np.ndarray,
    choices: Choices,
    common: float,
) -> Leads:
    """Follows `M` learners through their subjects' trials.

    Args:
        alpha_1: Learning rate of the first stage, `[M]`.
        alpha_2: Learning rate of the second stage, `[M]`.
        trace: lambda, how much of the second error reaches the first stage, `[M]`.
        choices: Of `M` subjects.
        common: Chance of an action's own transition.
    """
    num_trials, count = choices.first.shape
    values = _Values(
        np.full((2, count), INITIAL_VALUE),
        np.zeros((3, 2, count)),
        np.full((2 * choices.arms, count), INITIAL_VALUE),
        np.zeros((2 * choices.arms, count)),
    )
    shape = num_trials, count
    found = Leads(
        planned=np.zeros(shape),
        planned_by_alpha_2=np.zeros(shape),
        learned=np.zeros(shape),
        learned_by=np.zeros((num_trials, 3, count)),
        arms=np.zeros(shape),
        arms_by_alpha_2=np.zeros(shape),
    )
    rows = np.arange(count)
    for trial in range(num_trials):
        _read(values, found, trial, choices, 2 * common - 1, rows)
        _learn(values, (alpha_1, alpha_2, trace), choices, trial, rows)
    return found


def _read(
    values: _Values,
    found: Leads,
    trial: int,
    choices: Choices,
    contrast: float,
    rows: np.ndarray,
) -> None:
    """Writes one trial's leads. `contrast`: P(own state | a) - P(other state | a)."""
    best, slope = _best(values.second, values.second_by, choices.arms)  # [2, M]
    found.planned[trial] = contrast * (best[1] - best[0])
    found.planned_by_alpha_2[trial] = contrast * (slope[1] - slope[0])
    found.learned[trial] = values.first[1] - values.first[0]
    found.learned_by[trial] = values.first_by[:, 1] - values.first_by[:, 0]
    if choices.arms == 2:
        arm_0 = 2 * choices.state[trial]
        for lead, of in (
            (found.arms, values.second),
            (found.arms_by_alpha_2, values.second_by),
        ):
            lead[trial] = of[arm_0 + 1, rows] - of[arm_0, rows]


def _best(
    second: np.ndarray, slope: np.ndarray, arms: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each state's better arm: value and slope, `[2, M]`."""
    if arms == 1:
        return second, slope
    is_later = second[1::2] > second[::2]
    return (
        np.where(is_later, second[1::2], second[::2]),
        np.where(is_later, slope[1::2], slope[::2]),
    )


def _learn(
    values: _Values,
    parameters: tuple[np.ndarray, np.ndarray, np.ndarray],
    choices: Choices,
    trial: int,
    rows: np.ndarray,
) -> None:
    """One trial's learning, and the derivatives of both equations."""
    alpha_1, alpha_2, trace = parameters
    teaches = choices.teaches[trial]
    rate_1, rate_2 = alpha_1 * teaches, alpha_2 * teaches
    a = choices.first[trial]
    b = choices.arms * choices.state[trial] + choices.arm[trial]
    arm, arm_by = values.second[b, rows], values.second_by[b, rows]
    at_outcome = choices.reward[trial] - arm
    error = arm - values.first[a, rows] + trace * at_outcome
    first_by = values.first_by[:, a, rows] * (1 - rate_1)  # [3, M]
    first_by[0] += teaches * error
    first_by[1] += rate_1 * (1 - trace) * arm_by
    first_by[2] += rate_1 * at_outcome
    values.first[a, rows] += rate_1 * error
    values.first_by[:, a, rows] = first_by
    values.second[b, rows] += rate_2 * at_outcome
    values.second_by[b, rows] = arm_by * (1 - rate_2) + teaches * at_outcome
