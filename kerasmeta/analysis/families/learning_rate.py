"""Learning rates in a stable and in a volatile block, by maximum likelihood.

The delta rule (Rescorla & Wagner 1972) follows V, the chance that the second arm is the
one that pays, by the arm o that each outcome speaks for (1 the second, 0 the first; the
arms' chances are p and 1 - p, so that a failure speaks for the other one):

    V <- V + alpha (o - V),    P(c = 1) = 1 / (1 + exp(-beta (V - 1/2))).

alpha and beta take one value each in all stable trials and another in all volatile
ones, V goes on from block to block and begins at 1/2 (Behrens et al. 2007 fit alpha
block by block). One fit is made to all lifetimes: the hundred choices of a single one,
nearly all of them predictable, say too little. The likelihood of the parameters is
maximised in logit(alpha) and log(beta), which a small ridge holds at (0.2, 5) where the
data say nothing.

The intervals are the cluster-robust ones of `choice_regression`; that of the ratio of
the two rates is made in logarithms.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from kerasmeta.analysis.estimates import (
    UNKNOWN,
    Estimate,
    standard_error,
    t_quantile,
)

RIDGE = 1e-5
_CENTRE = np.array([logit(0.2)] * 2 + [math.log(5)] * 2)
_LIMIT = 6.0  # of the distance from the centre, where the data say nothing
_STEP = 1e-4  # of the numerical second derivative


class Choices(NamedTuple):
    """Trials of `B` lifetimes, `[B, T]`, as the delta rule reads them."""

    action: np.ndarray  # int, 0 or 1
    reward: np.ndarray  # float, 0 or more
    volatile: np.ndarray  # bool
    valid: np.ndarray  # bool


class LearningRates(NamedTuple):
    """What the fit gives."""

    stable: Estimate
    volatile: Estimate
    ratio: Estimate  # volatile / stable
    inverse_temperatures: tuple[float, float]  # stable, volatile


def learning_rates(choices: Choices, ridge: float = RIDGE) -> LearningRates:
    """Fits the four parameters; unknown where a kind of block is missing."""
    kinds = choices.volatile[choices.valid]
    if kinds.all() or not kinds.any():
        return LearningRates(UNKNOWN, UNKNOWN, UNKNOWN, (math.nan, math.nan))
    total = choices.valid.sum()

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = log_loss(choices, parameters)
        distance = parameters - _CENTRE
        return (
            float(loss.sum() / total + ridge * distance @ distance / 2),
            gradient.sum(axis=0) / total + ridge * distance,
        )

    bounds = [(centre - _LIMIT, centre + _LIMIT) for centre in _CENTRE]
    found = minimize(objective, _CENTRE, jac=True, bounds=bounds, method="L-BFGS-B")
    curvature = _second_derivative(lambda p: objective(p)[1], found.x)
    score = log_loss(choices, found.x)[1] / total  # [B, 4]
    penalty = ridge * (found.x - _CENTRE) / len(score)
    by_lifetime = -np.linalg.lstsq(curvature, (score + penalty).T, rcond=None)[0].T
    return _in_words(found.x, by_lifetime)


def log_loss(choices: Choices, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minus the log likelihood of each lifetime's choices, and its gradient.

    Args:
        choices: The trials.
        parameters: `[4]`: logit(alpha) stable, volatile; log(beta) stable, volatile.

    Returns:
        (`[B]`, `[B, 4]`).
    """
    rates, slopes = expit(parameters[:2]), np.exp(parameters[2:])
    batch_size, num_trials = choices.action.shape
    kind = choices.volatile.astype(int)
    side = 2.0 * choices.action - 1  # +1 the second arm
    favoured = np.where(choices.reward > 0, choices.action, 1 - choices.action)
    value, sensitivity = np.full(batch_size, 0.5), np.zeros((batch_size, 2))
    loss, gradient = np.zeros(batch_size), np.zeros((batch_size, 4))
    rows = np.arange(batch_size)
    for t in range(num_trials):
        now, counted = kind[:, t], choices.valid[:, t]
        slope, rate = slopes[now], rates[now]
        support = side[:, t] * slope * (value - 0.5)  # logit of the choice made
        loss += counted * np.logaddexp(0, -support)
        pull = -expit(-support) * side[:, t] * slope * counted  # d loss / d value
        gradient[:, :2] += pull[:, None] * sensitivity
        gradient[rows, 2 + now] += pull * (value - 0.5)  # beta d/d beta
        error = (favoured[:, t] - value) * counted
        sensitivity *= (1 - rate * counted)[:, None]
        sensitivity[rows, now] += rate * (1 - rate) * error  # d alpha / d logit
        value = value + rate * error
    return loss, gradient


def _second_derivative(gradient: object, at: np.ndarray) -> np.ndarray:
    """The matrix of second derivatives `[P, P]`, by central differences."""
    assert callable(gradient)
    steps = _STEP * np.eye(len(at))
    rows = [(gradient(at + s) - gradient(at - s)) / (2 * _STEP) for s in steps]
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _in_words(parameters: np.ndarray, by_lifetime: np.ndarray) -> LearningRates:
    rates = expit(parameters[:2])
    # d log(alpha) = (1 - alpha) d logit(alpha)
    relative = by_lifetime[:, :2] * (1 - rates)  # [B, 2]
    stable, volatile = (_rate(parameters[k], by_lifetime[:, k]) for k in range(2))
    size = len(by_lifetime)
    error = standard_error(relative[:, 1] - relative[:, 0], size)
    factor = math.exp(min(t_quantile(size) * error, 700.0))
    mean = float(rates[1] / rates[0])
    slopes = np.exp(parameters[2:])
    return LearningRates(
        stable,
        volatile,
        Estimate(mean, (mean / factor, mean * factor)),
        (float(slopes[0]), float(slopes[1])),
    )


def _rate(parameter: float, by_lifetime: np.ndarray) -> Estimate:
    """alpha, with an interval made in logits: it stays inside (0, 1)."""
    size = len(by_lifetime)
    half = t_quantile(size) * standard_error(by_lifetime, size)
    low, high = expit(parameter - half), expit(parameter + half)
    return Estimate(float(expit(parameter)), (float(low), float(high)))
