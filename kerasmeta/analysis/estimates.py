"""Means with 95% intervals over lifetimes.

Trials of one lifetime are not independent: they share the hidden task setting and the
agent's state. Lifetimes are. Every interval here therefore takes whole lifetimes as
the sampling units (clusters), and pools their trials.

A pooled rate R = sum_i y_i / sum_i n_i over lifetimes i is a ratio of two random sums.
Its variance is found by linearisation (the delta method; Cochran 1977, eq. 6.13):

    u_i = (y_i - R n_i) / sum_j n_j,    var(R) = G / (G - 1) * sum_i u_i^2

with G the number of lifetimes that have such a trial at all. For a probability the
interval is Wilson's with the effective number of trials R (1 - R) / var(R) and the t
quantile with G - 1 degrees of freedom (Korn & Graubard 1998; Dean & Pagano 2015): it
stays inside [0, 1] and keeps its coverage near both ends. Where every trial agrees,
the variance tells nothing, and each lifetime counts as a single trial (cautious). In
simulations with correlated trials it covered 93 to 98% from 12 lifetimes on, for
probabilities of 0.5 to 0.98; symmetric intervals covered down to 82%.

No such trial: the mean is nan. Fewer than two lifetimes with such a trial: the mean is
given, the interval is (nan, nan), because nothing is known of how lifetimes vary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

_LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean and its 95% confidence interval; nan where the data cannot tell."""

    mean: float
    ci95: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """`{"mean": m, "ci95": [lo, hi]}` for JSON, with None in place of nan."""
        low, high = self.ci95
        return {
            "mean": _none_if_nan(self.mean),
            "ci95": [_none_if_nan(low), _none_if_nan(high)],
        }


UNKNOWN = Estimate(math.nan, (math.nan, math.nan))


class Counts(NamedTuple):
    """Trials of one kind, and how many of them were a success, in each lifetime."""

    successes: np.ndarray  # [B]
    trials: np.ndarray  # [B]


def mean_over_lifetimes(values: np.ndarray) -> Estimate:
    """Mean of one number per lifetime, with the t interval. values: `[B]`."""
    return ratio(values, np.ones(len(values)))


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> Estimate:
    """sum(numerator) / sum(denominator), with the linearised t interval.

    Args:
        numerator: `[B]`, one total per lifetime (the rewards).
        denominator: `[B]`, what it is counted by (the trials), not negative.
    """
    rate, influence, num_lifetimes = _linearise(numerator, denominator)
    half = t_quantile(num_lifetimes) * standard_error(influence, num_lifetimes)
    return Estimate(rate, (rate - half, rate + half))


def proportion(counts: Counts) -> Estimate:
    """Pooled probability of a success, with the clustered Wilson interval."""
    rate, influence, num_lifetimes = _linearise(*counts)
    if num_lifetimes < 2:
        return Estimate(rate, (math.nan, math.nan))
    variance = standard_error(influence, num_lifetimes) ** 2
    spread = rate * (1 - rate)
    effective = spread / variance if variance > 0 else num_lifetimes
    effective = min(effective, float(counts.trials.sum()))
    return Estimate(rate, _wilson(rate, effective, t_quantile(num_lifetimes)))


def contrast(counts: Sequence[Counts], signs: Sequence[int]) -> Estimate:
    """A signed sum of probabilities, sum_c signs_c * R_c, measured on the same agents.

    The interval adds up the distances from each mean to its own Wilson limit with the
    correlations of the linearised rates (the method of variance estimates recovery;
    Zou & Donner 2008, eq. 6). With symmetric limits this is the delta method with
    covariances exactly; unlike it, it does not shrink to a point for an agent that
    never errs, and never leaves the range that probabilities allow.
    """
    parts = [proportion(c) for c in counts]
    sign = np.asarray(signs, float)
    mean = float(sign @ [p.mean for p in parts])
    limits = np.array([p.ci95 for p in parts])  # [C, 2]
    if not np.isfinite(limits).all():
        return Estimate(mean, (math.nan, math.nan))
    influence = np.stack([_linearise(*c)[1] for c in counts])  # [C, B]
    correlation = _correlation(influence)  # [C, C]
    distance = np.abs(limits - np.array([[p.mean] for p in parts]))  # [C, 2]
    rising = sign > 0  # a rising part sits at its low limit when the contrast is low
    down = sign * np.where(rising, distance[:, 0], distance[:, 1])
    up = sign * np.where(rising, distance[:, 1], distance[:, 0])
    low = mean - math.sqrt(max(down @ correlation @ down, 0.0))
    high = mean + math.sqrt(max(up @ correlation @ up, 0.0))
    return Estimate(mean, (low, high))


def t_quantile(num_lifetimes: int) -> float:
    """Half-width of a 95% interval in standard errors; nan below two lifetimes."""
    if num_lifetimes < 2:
        return math.nan
    return float(stdtrit(num_lifetimes - 1, (1 + _LEVEL) / 2))


def standard_error(influence: np.ndarray, num_lifetimes: int) -> float:
    """Standard error of an estimate from its lifetimes' influences u_i `[B]`."""
    if num_lifetimes < 2:
        return math.nan
    correction = num_lifetimes / (num_lifetimes - 1)
    return float(np.sqrt(correction * np.sum(np.square(influence))))


def _linearise(
    numerator: np.ndarray, denominator: np.ndarray
) -> tuple[float, np.ndarray, int]:
    """The pooled rate, each lifetime's influence on it `[B]`, lifetimes that count."""
    numerator = np.asarray(numerator, np.float64)
    denominator = np.asarray(denominator, np.float64)
    total = denominator.sum()
    if total == 0:
        return math.nan, np.zeros_like(numerator), 0
    rate = float(numerator.sum() / total)
    influence = (numerator - rate * denominator) / total
    return rate, influence, int(np.count_nonzero(denominator))


def _wilson(rate: float, trials: float, quantile: float) -> tuple[float, float]:
    """Wilson's (1927) score interval."""
    weight = quantile**2 / trials
    centre = (rate + weight / 2) / (1 + weight)
    spread = math.sqrt(rate * (1 - rate) / trials + weight / (4 * trials))
    half = quantile * spread / (1 + weight)
    return max(min(centre - half, rate), 0.0), min(max(centre + half, rate), 1.0)


def _correlation(influence: np.ndarray) -> np.ndarray:
    """Correlations of the rows `[C, B]`; rows without variance are independent."""
    covariance = influence @ influence.T
    scale = np.sqrt(np.diag(covariance))
    scale[scale == 0] = 1.0
    correlation = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
