"""Linear regression pooled over lifetimes, with lifetimes as the sampling units.

    y = intercept + X weights + error

The weights are those of ordinary least squares; a lifetime's influence on them is
(X'X)^-1 X_i' e_i, with e its residuals, and the interval is the cluster-robust t
interval of these influences (`kerasmeta.analysis.estimates`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasmeta.analysis.estimates import Estimate, standard_error, t_quantile


def regress(x: np.ndarray, y: np.ndarray, lifetime: np.ndarray) -> list[Estimate]:
    """The weights of `y` on each column of `x`, without the intercept.

    Args:
        x: `[N, P]`.
        y: `[N]`.
        lifetime: `[N]`, the lifetime each row is of.
    """
    design = np.column_stack([np.ones(len(x)), x])
    inverse = np.linalg.pinv(design.T @ design)
    weights = inverse @ (design.T @ y)
    residual = y - design @ weights
    _, group = np.unique(lifetime, return_inverse=True)
    score = np.zeros([int(group.max(initial=-1)) + 1, design.shape[1]])
    np.add.at(score, group, design * residual[:, np.newaxis])
    influence = score @ inverse  # [G, 1 + P]
    return [_estimate(weights[p], influence[:, p]) for p in range(1, design.shape[1])]


def correlate(x: np.ndarray, y: np.ndarray, lifetime: np.ndarray) -> Estimate:
    """Pearson's r over all rows: the weight of the standardised variables.

    A variable that does not vary gives nan.
    """
    if not (x.std() > 0 and y.std() > 0):
        return Estimate(np.nan, (np.nan, np.nan))
    (found,) = regress(_standard(x)[:, np.newaxis], _standard(y), lifetime)
    return found


def without(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What a regression of `y` `[N]` on `x` (`[N]` or `[N, P]`) leaves of it."""
    design = np.column_stack([np.ones(len(y)), x])
    return y - design @ np.linalg.lstsq(design, y, rcond=None)[0]


def explained(columns: Sequence[np.ndarray], y: np.ndarray) -> float:
    """R² of the regression of `y` `[N]` on some columns `[N]`."""
    left = without(y, np.column_stack(columns))
    return float(1 - np.var(left) / np.var(y))


def _estimate(mean: float, influence: np.ndarray) -> Estimate:
    half = t_quantile(len(influence)) * standard_error(influence, len(influence))
    return Estimate(float(mean), (float(mean - half), float(mean + half)))


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()
