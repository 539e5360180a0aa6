"""Regressions of repetition: one effect of each system beside those of the others."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import statsmodels.api as sm
from scipy.special import ndtr

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.systems.repeats import Repeats

# Keeps the log odds of an agent that never errs finite: a penalty of
# 0.5 * RIDGE * |b|^2 on the mean log loss.
RIDGE = 1e-4
_NORMAL = 1.959963984540054  # 97.5% quantile


class Effect(NamedTuple):
    """What an effect adds up to over the four types of trial: CR + UR - CU - UU."""

    mean: float
    error: float  # standard error over lifetimes

    @property
    def p_value(self) -> float:
        """Two-sided p of a z-test against 0; nan where nothing is known."""
        if self.error < 1e-9:  # it repeats without exception
            return 1.0 if abs(self.mean) < 1e-9 else 0.0
        return float(2 * ndtr(-abs(self.mean) / self.error))

    @property
    def estimate(self) -> Estimate:
        """With its 95% interval."""
        half = _NORMAL * self.error
        return Estimate(self.mean, (self.mean - half, self.mean + half))


def linear(data: Repeats) -> Mapping[str, Effect]:
    """Linear regression of repetition with random lifetimes, by name of the predictor.

    P(repeat) = b_0 + b_R R + b_T T + b_RT R T + ...; an effect is four times its
    coefficient. Choices of one lifetime are correlated, all alike: generalised
    estimating equations (Liang & Zeger 1986), whose estimates are those of the linear
    mixed-effects model with a random intercept for each lifetime. Their errors are
    robust, as they have to be: choices of an agent that hardly errs after one type of
    trial and tosses a coin after another vary unequally, which the errors of a
    mixed-effects model do not allow for. All are nan without choices of two lifetimes.
    """
    unknown = dict.fromkeys(data.names, Effect(math.nan, math.nan))
    if len(np.unique(data.lifetime)) < 2 or not _is_estimable(data.predictors):
        return unknown
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a correlation that is not known, or none
        fitted = sm.GEE(
            data.repeated.astype(float),
            data.predictors,
            groups=data.lifetime,
            cov_struct=sm.cov_struct.Exchangeable(),
        ).fit()
    pairs = zip(data.names, 4 * fitted.params, 4 * fitted.bse, strict=True)
    return {name: Effect(float(mean), float(error)) for name, mean, error in pairs}


def log_odds(data: Repeats) -> dict[str, float]:
    """Logistic regression of repetition, by name of the predictor.

    log odds(repeat) = b_0 + b_R R + b_T T + b_RT R T + ...: a coefficient is a quarter
    of CR + UR - CU - UU (or the like) in log odds. The four types of trial count alike
    (`repeats.balanced`). All are nan without a choice.
    """
    if not len(data.repeated):
        return dict.fromkeys(data.names, math.nan)
    model = sm.GLM(
        data.repeated.astype(float),
        data.predictors,
        family=sm.families.Binomial(),
        freq_weights=data.weight / data.weight.mean(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # probabilities of 0 and 1 on the way
        found = model.fit_regularized(alpha=RIDGE, L1_wt=0).params
    return dict(zip(data.names, map(float, found), strict=True))


def _is_estimable(predictors: np.ndarray) -> bool:
    return bool(np.linalg.matrix_rank(predictors) == predictors.shape[1])
