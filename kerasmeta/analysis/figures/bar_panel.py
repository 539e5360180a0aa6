"""A panel of bars with intervals, a point a seed, and levels to compare with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.style import (
    CYCLE,
    GREY,
    INK,
    SMALL,
    horizontal_grid,
    legend_above,
    styled,
)
from kerasmeta.analysis.over_seeds import over_seeds

_CLUSTER = 0.76  # width of the bars of one group
_DASHES = ((1, 1), (4, 2), (6, 2, 1, 2), (2, 2))  # one style a level

# By group (a place on the axis) and series (a colour): one estimate a seed.
Bars = Mapping[str, Mapping[str, Sequence[Estimate]]]


class Panel(NamedTuple):
    """What one panel shows."""

    title: str
    label: str  # of the vertical axis
    bars: Bars
    # By name ("optimal"), group and series: drawn across the bar.
    levels: Mapping[str, Mapping[str, Mapping[str, float]]] = {}
    reference: float | None = None  # a line all across: no effect


def bar_figure(panels: Sequence[Panel]) -> Figure:
    """Panels side by side, with one legend of the series and of the levels."""
    with styled():
        widths = [1.2 + 0.55 * sum(map(len, p.bars.values())) for p in panels]
        figure = Figure(figsize=(max(5.0, sum(widths)), 3.9), layout="constrained")
        columns = figure.subplots(1, len(panels), squeeze=False, width_ratios=widths)
        for axes, panel in zip(columns[0], panels, strict=True):
            _draw_panel(axes, panel)
        legend_above(figure, _handles(panels))
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    for place, (group, by_series) in enumerate(panel.bars.items()):
        width = _CLUSTER / len(by_series)
        for number, (series, by_seed) in enumerate(by_series.items()):
            left = place - _CLUSTER / 2 + (number + 0.5) * width
            _draw_bar(axes, left, width, by_seed, CYCLE[number % len(CYCLE)])
            for style, level in enumerate(panel.levels.values()):
                value = level.get(group, {}).get(series, math.nan)
                half = 0.46 * width
                axes.plot(
                    [left - half, left + half],
                    [value, value],
                    color=INK,
                    linewidth=1.6,
                    dashes=_DASHES[style % len(_DASHES)],
                    zorder=5,
                )
    if panel.reference is not None:
        axes.axhline(panel.reference, color=GREY, linewidth=1.1, zorder=1)
    groups = [name.replace("_", "\n") for name in panel.bars]
    axes.set_xticks(range(len(groups)), groups, size=SMALL)
    axes.tick_params(axis="x", length=0)
    axes.set_title(panel.title)
    axes.set_ylabel(panel.label)
    horizontal_grid(axes)


def _draw_bar(
    axes: Axes, place: float, width: float, by_seed: Sequence[Estimate], colour: str
) -> None:
    mean, (low, high) = over_seeds(by_seed)
    axes.bar(place, mean, width * 0.9, color=colour, zorder=2)
    if not math.isnan(low):
        axes.vlines(place, low, high, color="white", linewidth=3.2, zorder=3)
        axes.vlines(place, low, high, color=INK, linewidth=1.3, zorder=4)
    if len(by_seed) > 1:
        places = place + np.linspace(-0.25, 0.25, len(by_seed)) * width
        means = [estimate.mean for estimate in by_seed]
        axes.plot(places, means, "o", markersize=3, color="white", mec=INK, zorder=4)


def _handles(panels: Sequence[Panel]) -> list[Patch | Line2D]:
    series = dict.fromkeys(s for p in panels for one in p.bars.values() for s in one)
    handles: list[Patch | Line2D] = [
        Patch(facecolor=CYCLE[n % len(CYCLE)], label=name.replace("_", " "))
        for n, name in enumerate(series)
    ]
    levels = dict.fromkeys(name for panel in panels for name in panel.levels)
    handles += [
        Line2D([], [], color=INK, linewidth=1.6, dashes=_DASHES[n % 4], label=name)
        for n, name in enumerate(levels)
    ]
    return handles
