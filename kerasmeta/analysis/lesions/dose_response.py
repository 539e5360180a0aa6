"""Dose-response: performance by how much of an agent is silenced.

Units are silenced one after the other, in random orders and, where the agent has a
reinstatement gate, from the unit whose gate is most open on (AlKhamissi et al. 2021).
An agent whose knowledge is spread over its units loses it step by step; units that
matter more than others show where their order departs from the random ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.dose_figure import dose_figure
from kerasmeta.analysis.headline import headline
from kerasmeta.analysis.metrics import metrics
from kerasmeta.analysis.over_seeds import over_seeds, statistic
from kerasmeta.analysis.study import Finding, Study

RANDOM = "random order"
OPEN_FIRST = "most open gates first"
FRACTIONS = tuple(n / 8 for n in range(9))  # of the units


class Dose(NamedTuple):
    """What an agent achieved with some of its units silenced."""

    order: str  # `RANDOM` or `OPEN_FIRST`
    repeat: int  # which random order
    fraction: float  # of the units, silenced
    performance: Estimate  # of the family's first headline metric


Curve = Sequence[Estimate]  # by fraction, in the order of `FRACTIONS`


def units_to_silence(order: np.ndarray, fraction: float) -> tuple[int, ...]:
    """The first units of an order (int `[H]`), as many as a fraction of all is."""
    count = round(fraction * len(order))
    return tuple(sorted(int(unit) for unit in order[:count]))


def curve(doses: Sequence[Dose], order: str) -> list[Estimate]:
    """One agent's performance by fraction, the mean over repeats of an order.

    The interval is over random orders; that of a single order is over lifetimes.
    """
    found = []
    for fraction in FRACTIONS:
        group = [d for d in doses if d.order == order and d.fraction == fraction]
        found.append(over_seeds([dose.performance for dose in group]))
    return found


def half_dose(performance: Sequence[float]) -> float:
    """The fraction at which half of what silencing all units takes away is lost.

    By linear interpolation, at the first crossing; nan where nothing is lost.

    Args:
        performance: By fraction, in the order of `FRACTIONS`.
    """
    values = np.asarray(performance, np.float64)
    lost = (values[0] - values) / (values[0] - values[-1] or math.nan)
    beyond = np.flatnonzero(lost >= 0.5)
    if not len(beyond):
        return math.nan
    after = int(beyond[0])  # at least 1: nothing is lost at fraction 0
    between = slice(after - 1, after + 1)
    return float(np.interp(0.5, lost[between], FRACTIONS[between]))


def dose_response(study: Study) -> Finding:
    """The family's first headline metric by the fraction of silenced units.

    Statistics, by order: `silenced_<percent>`, and `half_dose`, the fraction of units
    at which half of the performance that the units make is gone. Errors are over
    seeds, or where there is one seed over random orders. The figure has the reference
    players as lines.
    """
    by_seed = [
        list(subject.experiments["dose_response"].values())
        for subject in study.subjects
    ]
    orders = list(dict.fromkeys(dose.order for dose in by_seed[0]))
    curves = {name: [curve(doses, name) for doses in by_seed] for name in orders}
    metric = headline(study.task)[0]
    players = {
        name: metrics(study.task, lifetimes)[metric].mean
        for name, lifetimes in study.players.items()
    }
    return Finding(
        {name.replace(" ", "_"): _statistics(of) for name, of in curves.items()},
        figures={
            "dose_response": lambda: dose_figure(
                FRACTIONS, _means(curves), players, metric.replace("_", " ")
            )
        },
    )


def _statistics(curves: Sequence[Curve]) -> dict[str, Any]:
    found = {
        f"silenced_{round(100 * fraction)}": statistic([of[index] for of in curves])
        for index, fraction in enumerate(FRACTIONS)
    }
    halves = [half_dose([value.mean for value in of]) for of in curves]
    unknown = (math.nan, math.nan)
    found["half_dose"] = statistic([Estimate(half, unknown) for half in halves])
    return found


def _means(curves: Mapping[str, Sequence[Curve]]) -> dict[str, list[Estimate]]:
    return {
        name: [over_seeds(list(values)) for values in zip(*of, strict=True)]
        for name, of in curves.items()
    }
