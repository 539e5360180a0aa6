"""Curves over the trials of an episode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.labels import label_right
from kerasmeta.analysis.figures.style import CYCLE, GREY, horizontal_grid, styled

_SIDESTEP = 0.04  # keeps the error bars of neighbours apart


def trial_figure(
    curves: Mapping[str, Sequence[Estimate]],
    optimal: Mapping[str, Sequence[float]],
    x_label: str,
    y_label: str,
    chance: float | None = None,
    in_order: bool = False,
) -> Figure:
    """Means with 95% intervals by trial.

    Args:
        curves: By label, the first trial first.
        optimal: The optimal player's means by the same labels, dashed.
        x_label: What is counted.
        y_label: What is measured.
        chance: Level of a guess.
        in_order: The curves follow each other: from a light to a dark colour.
    """
    with styled():
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.set_ylim(0, 1.03)
        labels = []  # (y, text, colour) of the direct labels
        if chance is not None:
            axes.axhline(chance, color=GREY, linewidth=1.1, dashes=(1, 2), zorder=1)
        for number, (name, values) in enumerate(curves.items()):
            colour = _colour(number, len(curves), in_order)
            trials = np.arange(1, len(values) + 1)
            if name in optimal:
                axes.plot(trials, optimal[name], color=colour, lw=1.1, dashes=(4, 3))
            means = np.array([value.mean for value in values])
            ends = np.array([value.ci95 for value in values]).T  # [2, trials]
            axes.errorbar(
                trials + number * _SIDESTEP,
                means,
                np.nan_to_num(np.abs(ends - means)),
                color=colour,
                linewidth=1.8,
                marker="o",
                markersize=4,
                elinewidth=1.2,
                zorder=3,
            )
            if math.isfinite(means[-1]):
                labels.append((float(means[-1]), name, colour))
        axes.set_xticks(range(1, max(map(len, curves.values())) + 1))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        horizontal_grid(axes)
        label_right(axes, labels)
    return figure


def _colour(number: int, count: int, in_order: bool) -> str:
    if not in_order:
        return CYCLE[number % len(CYCLE)]
    shade = matplotlib.colormaps["Blues"](0.35 + 0.6 * number / max(count - 1, 1))
    return str(matplotlib.colors.to_hex(shade))
