"""Regression of choice on the past: how far back rewards and choices reach.

With predictors x_k(t), which say what trial t spoke for (+1 the second action, -1 the
first, 0 neither),

    logit P(c_t = 1) = bias + sum_k sum_l  b_k(l) x_k(t - l),    l = 1 ... lags

(Lau & Glimcher 2005, JEAB 84:555, eq. 3). A small penalty keeps the coefficients of
agents that hardly ever err finite; intervals are over lifetimes (both as in
`choice_regression`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from kerasmeta.analysis.estimates import Estimate, standard_error, t_quantile
from kerasmeta.analysis.families.choice_regression import (
    RIDGE,
    ChoiceData,
    fit,
    influence,
)


class LaggedWeights(NamedTuple):
    """Coefficients of `K` predictors at lags 1 to `L`, with each lifetime's influence.

    `G` is the number of lifetimes that had a choice to predict; 0 gives NaN weights.
    """

    weights: np.ndarray  # [K, L], logits
    influence: np.ndarray  # [G, K, L]

    def estimates(self, predictor: int) -> list[Estimate]:
        """One predictor's weights, lag by lag."""
        errors = self.influence[:, predictor]  # [G, L]
        size = len(errors)
        found = []
        for lag, mean in enumerate(self.weights[predictor]):
            half = t_quantile(size) * standard_error(errors[:, lag], size)
            found.append(Estimate(float(mean), (mean - half, mean + half)))
        return found


def lagged_weights(
    choice: np.ndarray,
    predictors: Sequence[np.ndarray],
    predicted: np.ndarray,
    lags: int,
    ridge: float = RIDGE,
) -> LaggedWeights:
    """Fits the regression.

    Args:
        choice: `[B, T]`, 0 or 1.
        predictors: `K` arrays `[B, T]`.
        predicted: bool `[B, T]`, the choices to predict; the `lags` steps before each
            must be trials.
        lags: `L`.
        ridge: Weight of the penalty.
    """
    data = lagged_data(choice, predictors, predicted, lags)
    shape = (len(predictors), lags)
    if not len(data.choice):
        return LaggedWeights(np.full(shape, np.nan), np.zeros((0, *shape)))
    coefficients = fit(data, ridge)
    found = influence(data, coefficients, ridge)[:, :-1]  # the bias has no lag
    return LaggedWeights(coefficients[:-1].reshape(shape), found.reshape(-1, *shape))


def lagged_data(
    choice: np.ndarray,
    predictors: Sequence[np.ndarray],
    predicted: np.ndarray,
    lags: int,
) -> ChoiceData:
    """The design: predictor by predictor, lag by lag, then the bias."""
    lifetime, step = np.nonzero(predicted)
    past = step[:, None] - np.arange(1, lags + 1)  # [M, L]
    if len(step) and past.min() < 0:
        raise ValueError("a choice has fewer steps before it than there are lags")
    columns = [values[lifetime[:, None], past] for values in predictors]
    design = np.concatenate([*columns, np.ones((len(step), 1))], axis=1)  # [M, P]
    return ChoiceData(
        predictors=csr_array(design.astype(np.float64)),
        choice=choice[lifetime, step].astype(np.float64),
        lifetime=lifetime,
    )
