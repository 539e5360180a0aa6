"""The hybrid model of Daw et al. (2011): parameters, likelihood, slope, information.

    P(a)     = softmax(beta_1 (w Q_MB(a) + (1 - w) Q1(a) + p rep(a)))
    P(b | s) = softmax(beta_2 Q2(s, b))

with the values of `kerasmeta.analysis.hybrid.learner`, and rep(a) = 1 if a was the
first choice of the last trial. w = 1 plans by the transition, w = 0 does not. Where the
second stage has no choice, beta_2 does nothing.

Nathaniel D. Daw, Samuel J. Gershman, Ben Seymour, Peter Dayan, Raymond J. Dolan (2011).
Model-based influences on humans' choices and striatal prediction errors. Neuron 69,
1204-1215.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from kerasmeta.analysis.hybrid.choices import Choices
from kerasmeta.analysis.hybrid.learner import leads

# Beyond, a learning rate is 0 or 1, and choices leave nothing to chance.
_LIMIT = 9.0


class Parameters(NamedTuple):
    """One number a subject, each `[B]`."""

    alpha_1: np.ndarray  # learning rate of the first stage, in [0, 1]
    alpha_2: np.ndarray  # learning rate of the second stage, in [0, 1]
    trace: np.ndarray  # lambda, in [0, 1]
    beta_1: np.ndarray  # inverse temperature of the first choice, positive
    beta_2: np.ndarray  # inverse temperature of the second choice, positive
    weight: np.ndarray  # w, in [0, 1]: 1 is model-based, 0 is model-free
    perseveration: np.ndarray  # p, any sign: positive repeats the last first choice


SHARES = np.array([0, 1, 2, 5])  # the parameters in [0, 1]
BETAS = np.array([3, 4])  # the positive ones
PERSEVERATION = 6


class Evidence(NamedTuple):
    """What the choices say of `M` points in the space of parameters."""

    log_likelihood: np.ndarray  # [M]
    slope: np.ndarray  # [M, 7], by the unbounded parameters
    information: np.ndarray  # [M, 7, 7], Fisher's, of the same


def to_unbounded(parameters: Parameters) -> np.ndarray:
    """`[M, 7]`: logit of what is in [0, 1], log of what is positive."""
    z = np.stack([np.asarray(field, np.float64) for field in parameters], axis=1)
    z[:, SHARES] = logit(z[:, SHARES])
    z[:, BETAS] = np.log(z[:, BETAS])
    return np.clip(z, -_LIMIT, _LIMIT)


def from_unbounded(z: np.ndarray) -> Parameters:
    """The inverse of `to_unbounded`, for any numbers `[M, 7]`."""
    values = np.clip(z, -_LIMIT, _LIMIT)
    values[:, SHARES] = expit(values[:, SHARES])
    values[:, BETAS] = np.exp(values[:, BETAS])
    return Parameters(*values.T)


def evidence(z: np.ndarray, choices: Choices, common: float) -> Evidence:
    """Log likelihood, its slope and Fisher's information at `M` points.

    A choice is a Bernoulli draw with a logit x(z): the slope is sum (c - P) dx/dz, and
    the information sum P (1 - P) dx/dz dx/dz'.

    Args:
        z: Unbounded parameters `[M, 7]`.
        choices: Of `M` subjects.
        common: Chance of an action's own transition.
    """
    logits, by_z = _logits(from_unbounded(z), choices, common)
    chosen = np.stack([choices.first, choices.arm], axis=1)  # [N, 2, M]
    counts = np.stack([choices.counts, choices.counts * (choices.arms == 2)], axis=1)
    chance = expit(logits)
    surprise = np.logaddexp(0, logits) - chosen * logits
    error = counts * (chosen - chance)
    spread = counts * chance * (1 - chance)
    count = z.shape[0]
    by_choice = by_z.reshape(7, -1, count).transpose(2, 0, 1)  # [M, 7, 2 N]
    weighted = by_choice * spread.reshape(-1, count).T[:, None]
    return Evidence(
        log_likelihood=-(counts * surprise).sum(axis=(0, 1)),
        slope=(by_choice @ error.reshape(-1, count).T[:, :, None])[:, :, 0],
        information=weighted @ by_choice.transpose(0, 2, 1),
    )


def _logits(
    parameters: Parameters, choices: Choices, common: float
) -> tuple[np.ndarray, np.ndarray]:
    """Logits of choosing 1, `[N, 2, M]`, and their slopes, `[7, N, 2, M]`."""
    alpha_1, alpha_2, trace, beta_1, beta_2, w, p = parameters
    lead = leads(alpha_1, alpha_2, trace, choices, common)
    mixed = w * lead.planned + (1 - w) * lead.learned
    first = beta_1 * (mixed + p * choices.previous)
    second = beta_2 * lead.arms
    by_z = np.zeros((7, *first.shape[:1], 2, first.shape[1]))
    # d share / dz = share (1 - share); d beta / dz = beta.
    learned_by = beta_1 * (1 - w) * lead.learned_by.transpose(1, 0, 2)  # [3, N, M]
    by_z[0, :, 0] = alpha_1 * (1 - alpha_1) * learned_by[0]
    planned_by = beta_1 * w * lead.planned_by_alpha_2
    by_z[1, :, 0] = alpha_2 * (1 - alpha_2) * (planned_by + learned_by[1])
    by_z[1, :, 1] = alpha_2 * (1 - alpha_2) * beta_2 * lead.arms_by_alpha_2
    by_z[2, :, 0] = trace * (1 - trace) * learned_by[2]
    by_z[3, :, 0] = first
    by_z[4, :, 1] = second
    by_z[5, :, 0] = w * (1 - w) * beta_1 * (lead.planned - lead.learned)
    by_z[6, :, 0] = beta_1 * choices.previous
    return np.stack([first, second], axis=1), by_z
