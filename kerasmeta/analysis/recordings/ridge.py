"""Cross-validated ridge regression over lifetimes.

A lifetime's steps are predicted by a regression that never saw a step of that lifetime,
its penalty included: the penalty is chosen by an inner cross-validation over the
lifetimes it was fitted to (nested cross-validation; Varma & Simon 2006). Everything
comes from each fold's sums of squares and products, so that no fit looks at a step
twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

FOLDS = 5
# Of the sum of squares of coefficients, relative to the mean square of a predictor
# over the steps fitted to.
PENALTIES = 10.0 ** np.arange(-6.0, 3.0)


class Sums(NamedTuple):
    """What a regression needs to know of some steps."""

    number: float
    x: np.ndarray  # [P], sums of predictors
    y: np.ndarray  # [D], sums of what is predicted
    xx: np.ndarray  # [P, P], of products
    xy: np.ndarray  # [P, D]
    yy: np.ndarray  # [D], of squares


class Fit(NamedTuple):
    """A regression y = x @ weights + intercept."""

    weights: np.ndarray  # [P, D]
    intercept: np.ndarray  # [D]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """`[N, P]` to `[N, D]`."""
        return x @ self.weights + self.intercept


def predict_left_out(
    x: np.ndarray, y: np.ndarray, lifetime: np.ndarray, folds: int = FOLDS
) -> np.ndarray:
    """Predictions `[N, D]`, each from lifetimes other than its own.

    Args:
        x: Predictors, `[N, P]`.
        y: What is predicted, `[N, D]`.
        lifetime: `[N]`, the lifetime each row is of.
        folds: Into how many parts lifetimes are divided, at most.

    Returns:
        All nan where there are fewer than three lifetimes.
    """
    _, group = np.unique(lifetime, return_inverse=True)
    folds = min(folds, int(group.max(initial=-1)) + 1)
    if folds < 3:
        return np.full(y.shape, np.nan)
    fold = group % folds  # [N]
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    parts = [sums(x[fold == f], y[fold == f]) for f in range(folds)]
    predicted = np.empty(y.shape)
    for f in range(folds):
        others = parts[:f] + parts[f + 1 :]
        found = fit(added(others), choose_penalty(others))
        predicted[fold == f] = found.predict(x[fold == f])
    return predicted


def sums(x: np.ndarray, y: np.ndarray) -> Sums:
    """The sums of some rows."""
    return Sums(
        float(len(x)),
        x.sum(axis=0),
        y.sum(axis=0),
        x.T @ x,
        x.T @ y,
        (y**2).sum(axis=0),
    )


def added(parts: Sequence[Sums]) -> Sums:
    """The sums of several parts together."""
    return Sums(
        *(sum(fields[1:], start=fields[0]) for fields in zip(*parts, strict=True))
    )


def fit(total: Sums, penalty: float) -> Fit:
    """The ridge regression with a penalty on all weights but the intercept."""
    mean_x, mean_y = total.x / total.number, total.y / total.number
    xx = total.xx - total.number * np.outer(mean_x, mean_x)
    xy = total.xy - total.number * np.outer(mean_x, mean_y)
    size = len(mean_x)
    ridge = max(penalty * np.trace(xx) / size, np.finfo(float).tiny)
    weights = np.linalg.lstsq(xx + ridge * np.eye(size), xy, rcond=None)[0]
    return Fit(weights, mean_y - mean_x @ weights)


def squared_error(found: Fit, part: Sums) -> float:
    """Sum of squared errors of all outputs over a part's rows."""
    w, c = found
    # |y - x w - c|² = yy - 2 w.xy - 2 c y + w' xx w + 2 c x w + n c²
    return float(
        np.sum(part.yy - 2 * c * part.y + part.number * c**2)
        - 2 * np.sum(w * part.xy)
        + np.sum(w * (part.xx @ w))
        + 2 * (part.x @ w) @ c
    )


def choose_penalty(parts: Sequence[Sums]) -> float:
    """The penalty that predicts each part best from the others."""
    others = [added([*parts[:i], *parts[i + 1 :]]) for i in range(len(parts))]
    errors = [
        sum(
            squared_error(fit(rest, penalty), part)
            for rest, part in zip(others, parts, strict=True)
        )
        for penalty in PENALTIES
    ]
    return float(PENALTIES[int(np.argmin(errors))])
