"""What the baited bandit measures: reward, and how well choices match what they pay.

The matching law says that the ratio of choices is the ratio of the rewards they earned
(Herrnstein 1961). The generalised law has a slope a and a bias b (Baum 1974),

    log2(C_2 / C_1) = a log2(R_2 / R_1) + b,

with the choices C and rewards R of a whole lifetime; a = 1 and b = 0 is matching, a < 1
undermatching. A lifetime in which an arm was never chosen or never paid has no ratio
and is left out; `matching_lifetimes` is the share of those that have one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import (
    UNKNOWN,
    Counts,
    Estimate,
    proportion,
    ratio,
    standard_error,
    t_quantile,
)
from kerasmeta.analysis.families.lagged_choice import LaggedWeights, lagged_weights
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

LAGS = 15  # of Wang et al. (2018), figure 2
FIRST_SHARE = 1 / 3  # of a lifetime's trials that the regression does not predict


class LogRatios(NamedTuple):
    """The ratios of the `N` lifetimes that have them, second arm to first."""

    rewards: np.ndarray  # [N] float, log2(R_2 / R_1)
    choices: np.ndarray  # [N] float, log2(C_2 / C_1)
    lifetimes: int  # B, with those that have none


def matching_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`reward_per_trial`, `matching_slope`, `matching_bias`, `matching_lifetimes`.

    Raises:
        UserError: The lifetimes are of another task.
    """
    ratios = log_ratios(lifetimes)
    slope, bias = generalised_matching(ratios)
    paid = np.where(lifetimes.valid, lifetimes.reward, 0).sum(axis=1)
    have_ratios = np.zeros(ratios.lifetimes)
    have_ratios[: len(ratios.choices)] = 1
    return {
        "reward_per_trial": ratio(paid, lifetimes.valid.sum(axis=1)),
        "matching_slope": slope,
        "matching_bias": bias,
        "matching_lifetimes": proportion(
            Counts(have_ratios, np.ones(ratios.lifetimes))
        ),
    }


def log_ratios(lifetimes: Lifetimes) -> LogRatios:
    """Choices and rewards of both arms in every lifetime, as logarithms of ratios."""
    _check(lifetimes)
    second = (lifetimes.action == 1) & lifetimes.valid
    first = (lifetimes.action == 0) & lifetimes.valid
    counts = np.stack(
        [
            np.where(arm, values, 0).sum(axis=1)
            for values in (np.ones_like(lifetimes.reward), lifetimes.reward)
            for arm in (second, first)
        ]
    ).astype(np.float64)  # [4, B]: C_2, C_1, R_2, R_1
    has_ratios = (counts > 0).all(axis=0)
    choices_2, choices_1, rewards_2, rewards_1 = counts[:, has_ratios]
    return LogRatios(
        rewards=np.log2(rewards_2 / rewards_1),
        choices=np.log2(choices_2 / choices_1),
        lifetimes=counts.shape[1],
    )


def generalised_matching(ratios: LogRatios) -> tuple[Estimate, Estimate]:
    """(slope, bias) by least squares, with heteroscedasticity-robust intervals.

    Lifetimes are the sampling units (White 1980, HC1 with G / (G - 1)). Unknown where
    fewer than three lifetimes have ratios or all have the same.
    """
    x, y = ratios.rewards, ratios.choices
    if len(x) < 3 or np.ptp(x) == 0:
        return UNKNOWN, UNKNOWN
    design = np.stack([x, np.ones_like(x)], axis=1)  # [N, 2]
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    errors = y - design @ coefficients
    scale = np.linalg.inv(design.T @ design)
    by_lifetime = (design * errors[:, None]) @ scale  # [N, 2], influences
    return (
        _estimate(coefficients[0], by_lifetime[:, 0]),
        _estimate(coefficients[1], by_lifetime[:, 1]),
    )


def choice_history(lifetimes: Lifetimes, lags: int = LAGS) -> LaggedWeights:
    """Weights of past rewards (predictor 0) and choices (1) on the choice.

    The second arm's reward counts +1, the first arm's -1, none 0; so do choices. The
    first third of a lifetime, where the agent still finds out, is not predicted, as in
    Wang et al. (2018).
    """
    _check(lifetimes)
    direction = np.where(lifetimes.action == 1, 1.0, -1.0)  # [B, T]
    trial = np.arange(lifetimes.valid.shape[1])
    length = lifetimes.valid.sum(axis=1, keepdims=True)
    late = (trial >= lags) & (trial >= length * FIRST_SHARE)
    return lagged_weights(
        choice=lifetimes.action,
        predictors=[direction * lifetimes.reward, direction],
        predicted=lifetimes.valid & late,
        lags=lags,
    )


def _estimate(mean: float, by_lifetime: np.ndarray) -> Estimate:
    size = len(by_lifetime)
    half = t_quantile(size) * standard_error(by_lifetime, size)
    return Estimate(float(mean), (float(mean) - half, float(mean) + half))


def _check(lifetimes: Lifetimes) -> None:
    shown = lifetimes.observation["stimulus"]
    chosen = np.unique(lifetimes.action[lifetimes.valid])
    if shown.ndim != 3 or shown.shape[2] != 1 or not np.isin(chosen, (0, 1)).all():
        raise UserError(
            "stimulus",
            shown.shape,
            "a baited bandit has two arms and shows [B, T, 1]",
            "pass the lifetimes together with the task they were recorded on",
        )
