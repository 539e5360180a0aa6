"""Statistics over seeds: against SciPy's t-test and t interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from kerasmeta.analysis.estimates import UNKNOWN, Estimate
from kerasmeta.analysis.over_seeds import over_seeds, p_value, statistic

NARROW = 0.001  # half-width of each seed's own interval: it must not matter


def estimates(*means: float) -> list[Estimate]:
    return [Estimate(m, (m - NARROW, m + NARROW)) for m in means]


def test_interval_and_p_are_those_of_the_t_test(rng: np.random.Generator) -> None:
    sample = rng.normal(0.3, 1.0, size=7)
    found = over_seeds(estimates(*sample))
    expected = stats.t.interval(0.95, 6, sample.mean(), stats.sem(sample))
    assert found.mean == pytest.approx(sample.mean())
    assert found.ci95 == pytest.approx(expected)
    test = stats.ttest_1samp(sample, 0.1)
    assert p_value(list(sample), 0.1) == pytest.approx(test.pvalue)


def test_one_seed_keeps_its_interval_over_lifetimes() -> None:
    (only,) = estimates(0.5)
    assert over_seeds([only]) == only
    assert over_seeds([only, UNKNOWN]) == only
    assert math.isnan(over_seeds([UNKNOWN]).mean)
    assert statistic([only], null=0.0)["over"] == "lifetimes"
    assert math.isnan(p_value([0.5]))


def test_equal_seeds_leave_no_doubt() -> None:
    assert p_value([0.5, 0.5], null=0.5) == 1.0
    assert p_value([0.5, 0.5], null=0.4) == 0.0


def test_what_a_statistic_holds() -> None:
    made = statistic(
        estimates(0.1, 0.3), null=0.0, published={"somebody": 0.2}, unit="nats"
    )
    assert made["seeds"] == [0.1, 0.3]
    assert made["over"] == "seeds"
    assert made["published"] == {"somebody": 0.2}
    assert made["unit"] == "nats"
    assert made["mean"] == pytest.approx(0.2)
    assert 0 < made["p_value"] < 1
    assert "published" not in statistic(estimates(0.1, 0.3), published={})
