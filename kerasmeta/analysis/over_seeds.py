"""From one estimate per seed to one statistic with its error.

Seeds are the replications of a training recipe, so that an agent trained from several
seeds is described by the mean over seeds with the t interval over seeds. An agent of
which one seed is known keeps that seed's own interval over lifetimes: it says how well
this one agent was measured, and nothing of how agents differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import stdtr

from kerasmeta.analysis.estimates import Estimate, mean_over_lifetimes


def over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over seeds with its 95% t interval; one seed's estimate as it is.

    A seed whose estimate is nan has nothing to say and is left out.
    """
    known = [estimate for estimate in estimates if not math.isnan(estimate.mean)]
    if len(known) == 1:
        return known[0]
    if not known:
        return Estimate(math.nan, (math.nan, math.nan))
    return mean_over_lifetimes(np.array([estimate.mean for estimate in known]))


def p_value(values: Sequence[float], null: float = 0.0) -> float:
    """Two-sided p of a one-sample t-test of a mean over seeds; nan below two seeds."""
    sample = np.asarray([v for v in values if not math.isnan(v)], np.float64)
    if len(sample) < 2:
        return math.nan
    error = sample.std(ddof=1) / math.sqrt(len(sample))
    distance = abs(sample.mean() - null)
    if error == 0.0:
        return 1.0 if distance == 0.0 else 0.0
    return float(2 * stdtr(len(sample) - 1, -distance / error))


def statistic(
    estimates: Sequence[Estimate],
    *,
    null: float | None = None,
    published: Mapping[str, float] | None = None,
    **others: Any,
) -> dict[str, Any]:
    """One entry of a `Finding`'s statistics.

    Args:
        estimates: One for each seed.
        null: Where given, `p_value` tests the mean over seeds against it.
        published: Values from the literature by source.
        **others: Further entries: `optimal=0.71`, `unit="nats"`.

    Returns:
        `{"mean", "ci95", "over": "seeds" or "lifetimes", "seeds": [one mean each]}`,
        and `"null"`, `"p_value"`, `"published"` where they apply.
    """
    means = [float(estimate.mean) for estimate in estimates]
    found: dict[str, Any] = {
        **over_seeds(estimates).as_dict(),
        "over": "seeds" if len(means) > 1 else "lifetimes",
        "seeds": means,
    }
    if null is not None:
        found |= {"null": null, "p_value": p_value(means, null)}
    if published:
        found["published"] = dict(published)
    return {**found, **others}
