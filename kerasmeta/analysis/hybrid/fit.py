"""Fits the hybrid model to each subject by itself, all subjects at once.

The fit maximises the likelihood times a weak prior, from several starts. Seven
parameters are many for some hundred binary choices, and without a prior a subject that
hardly ever errs, or never does, has infinite ones. The prior is the one this model is
commonly fitted with, on the parameters as they are: Beta(1.1, 1.1) for learning rates,
lambda and w; Gamma with shape 1.2 and scale 5 for the inverse temperatures; a standard
normal for p. It is nearly flat, and keeps estimates off the bounds. `Fit` also has the
likelihood alone, and `prior=False` maximises that.

Each step is Fisher's scoring with Levenberg's damping: solve (information + damping)
step = slope; accept what rises and halve the damping, else double it. It needs no
second derivatives, and about ten evaluations of everything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.hybrid.choices import Choices
from kerasmeta.analysis.hybrid.model import (
    BETAS,
    PERSEVERATION,
    SHARES,
    Evidence,
    Parameters,
    evidence,
    from_unbounded,
    to_unbounded,
)

STARTS = 4
ITERATIONS = 60
_CHUNK = 2000  # points at a time: 100 MB with 200 trials
_GAIN = 1e-5  # nats; a step that gains less is the last one
_LONGEST = 2.0  # of a step, in any one unbounded parameter
_DAMPING = (1e-3, 1.0, 1e6)  # least, first, and where no step helps any more


class Fit(NamedTuple):
    """The hybrid model of each of `B` subjects."""

    parameters: Parameters
    log_likelihood: np.ndarray  # [B], nats, of the choices
    num_choices: np.ndarray  # [B]

    @property
    def pseudo_r2(self) -> np.ndarray:
        """1 - log likelihood / that of coin tosses, `[B]` (McFadden)."""
        return 1 - self.log_likelihood / (self.num_choices * np.log(0.5))


def fit(
    choices: Choices, common: float, prior: bool = True, starts: int = STARTS
) -> Fit:
    """The best parameters of every subject.

    Args:
        choices: Of `B` subjects.
        common: Chance of an action's own transition, which the planner knows.
        prior: Whether the weak prior is used.
        starts: How many points to climb from; the highest summit counts.
    """
    count = choices.first.shape[1]
    z, height = np.zeros((count, 7)), np.full(count, -np.inf)
    for start in starting_points(starts):
        for low in range(0, count, _CHUNK):
            which = np.arange(low, min(low + _CHUNK, count))
            from_here = np.tile(start, (len(which), 1))
            top, reached = climb(from_here, choices.of_subjects(which), common, prior)
            better = reached > height[which]
            z[which[better]], height[which[better]] = top[better], reached[better]
    return Fit(
        from_unbounded(z),
        evidence(z, choices, common).log_likelihood,
        choices.num_choices,
    )


def starting_points(count: int) -> np.ndarray:
    """Points to climb from, `[count, 7]`, the same ones first whatever the count."""
    draws = np.random.default_rng(0).random((count, 7)).T
    alpha_1, alpha_2, trace, beta_1, beta_2, weight, habit = draws
    return to_unbounded(
        Parameters(
            alpha_1=0.2 + 0.6 * alpha_1,
            alpha_2=0.2 + 0.6 * alpha_2,
            trace=0.2 + 0.6 * trace,
            beta_1=np.exp(2.5 * beta_1),
            beta_2=np.exp(2.5 * beta_2),
            weight=0.2 + 0.6 * weight,
            perseveration=0.4 * habit - 0.1,
        )
    )


def climb(
    z: np.ndarray, choices: Choices, common: float, prior: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Damped scoring from each point until it gains no more.

    Args:
        z: Where each subject starts, `[M, 7]`.
        choices: Of the `M` subjects.
        common: Chance of an action's own transition.
        prior: Whether the weak prior is used.

    Returns:
        The points reached `[M, 7]`, and the log likelihood (with the prior) there.
    """
    least, first, hopeless = _DAMPING
    z, here = z.copy(), _objective(z, choices, common, prior)
    damping, climbing = np.full(len(z), first), np.arange(len(z))
    for _ in range(ITERATIONS):
        at = Evidence(*(field[climbing] for field in here))
        there = z[climbing] + _step(at, damping[climbing])
        found = _objective(there, choices.of_subjects(climbing), common, prior)
        gain = found.log_likelihood - at.log_likelihood
        rises = gain > 0
        z[climbing[rises]] = there[rises]
        for field, new in zip(here, found, strict=True):
            field[climbing[rises]] = new[rises]
        factor = np.where(rises, 0.25, 4.0)
        damping[climbing] = np.maximum(damping[climbing] * factor, least)
        done = (rises & (gain < _GAIN)) | (damping[climbing] > hopeless)
        climbing = climbing[~done]
        if not len(climbing):
            break
    return z, here.log_likelihood


def _step(at: Evidence, damping: np.ndarray) -> np.ndarray:
    """Solves (information + damping) step = slope, `[M, 7]`."""
    damped = at.information + damping[:, None, None] * np.eye(7)
    step = np.linalg.solve(damped, at.slope[:, :, None])[:, :, 0]
    return np.clip(step, -_LONGEST, _LONGEST)


def _objective(z: np.ndarray, choices: Choices, common: float, prior: bool) -> Evidence:
    found = evidence(z, choices, common)
    return add_prior(found, z) if prior else found


def add_prior(found: Evidence, z: np.ndarray) -> Evidence:
    """The evidence with the weak prior's logarithm, up to a constant.

    By z, a share u = 1 / (1 + exp(-z)) has d log u (1 - u) / dz = 1 - 2 u, and a
    positive b = exp(z) has d log b / dz = 1, d b / dz = b.
    """
    height, slope, information = (field.copy() for field in found)
    parameters = np.stack(from_unbounded(z), axis=1)
    share, beta = parameters[:, SHARES], parameters[:, BETAS]
    habit = parameters[:, PERSEVERATION]
    height += (0.1 * np.log(share * (1 - share))).sum(axis=1)
    height += (0.2 * np.log(beta) - beta / 5).sum(axis=1) - habit**2 / 2
    slope[:, SHARES] += 0.1 * (1 - 2 * share)
    slope[:, BETAS] += 0.2 - beta / 5
    slope[:, PERSEVERATION] -= habit
    information[:, SHARES, SHARES] += 0.2 * share * (1 - share)
    information[:, BETAS, BETAS] += beta / 5
    information[:, PERSEVERATION, PERSEVERATION] += 1
    return Evidence(height, slope, information)
