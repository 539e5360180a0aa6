"""The dose-response curve: performance by the fraction of silenced units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.labels import label_right
from kerasmeta.analysis.figures.style import CYCLE, GREY, horizontal_grid, styled

_SIDESTEP = 0.008  # keeps the error bars of two curves apart


def dose_figure(
    fractions: Sequence[float],
    curves: Mapping[str, Sequence[Estimate]],
    players: Mapping[str, float],
    y_label: str,
) -> Figure:
    """Means with 95% intervals, one line an order of silencing.

    Args:
        fractions: Of units that are silenced.
        curves: By order, one estimate a fraction.
        players: Levels of reference players by name.
        y_label: What is measured.
    """
    with styled():
        figure = Figure(figsize=(6.8, 3.8), layout="constrained")
        axes = figure.subplots()
        labels = []  # (y, text, colour) of the direct labels
        for name, level in players.items():
            if math.isfinite(level):
                axes.axhline(level, color=GREY, linewidth=1.1, dashes=(4, 3), zorder=1)
                labels.append((level, name, GREY))
        for number, (name, values) in enumerate(curves.items()):
            colour = CYCLE[number % len(CYCLE)]
            places = np.asarray(fractions) + number * _SIDESTEP
            means = np.array([value.mean for value in values])
            ends = np.array([value.ci95 for value in values]).T  # [2, fractions]
            errors = np.nan_to_num(np.abs(ends - means))
            axes.errorbar(
                places, means, errors, color=colour, linewidth=1.8, marker="o",
                markersize=4, elinewidth=1.2, zorder=3,
            )  # fmt: skip
            middle = len(means) // 2
            axes.annotate(
                name,
                (places[middle], means[middle]),
                xytext=(8, 8),
                textcoords="offset points",
                color=colour,
                weight="bold",
            )
        axes.set_xlabel("fraction of units silenced")
        axes.set_ylabel(y_label)
        horizontal_grid(axes)
        label_right(axes, labels)
    return figure
