"""Statistical checks at 99 %: exact binomial for rates, normal for means.

Seeds are fixed. One check in a hundred fails by chance when it is first written: then
look at many more lifetimes before changing anything.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

CONFIDENCE = 0.99


def check_rate(outcomes: np.ndarray, expected: float) -> None:
    """Fails unless `expected` lies in the rate's Clopper-Pearson interval.

    The outcomes must be independent given what selected them.
    """
    outcomes = np.asarray(outcomes, bool).ravel()
    assert outcomes.size > 0, "no outcome to judge the rate by"
    test = stats.binomtest(int(outcomes.sum()), outcomes.size)
    low, high = test.proportion_ci(CONFIDENCE, method="exact")
    rate = outcomes.mean()
    assert low <= expected <= high, (
        f"rate {rate:.5f} of {outcomes.size}, 99 % interval [{low:.5f}, {high:.5f}], "
        f"expected {expected:.5f}"
    )


def mean_interval(per_lifetime: np.ndarray) -> tuple[float, float]:
    """The 99 % normal interval of the mean of independent lifetimes' values."""
    values = np.asarray(per_lifetime, np.float64).ravel()
    standard_error = values.std(ddof=1) / np.sqrt(values.size)
    half = stats.norm.ppf(0.5 + CONFIDENCE / 2) * standard_error
    return values.mean() - half, values.mean() + half


def check_mean(per_lifetime: np.ndarray, expected: float) -> None:
    """Fails unless `expected` lies in the mean's interval. One value a lifetime."""
    low, high = mean_interval(per_lifetime)
    assert low <= expected <= high, (
        f"mean {np.mean(per_lifetime):.5f}, 99 % interval [{low:.5f}, {high:.5f}], "
        f"expected {expected:.5f}"
    )
