"""How well hidden variables can be read from units, beside chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kerasmeta.analysis.figures.style import (
    CYCLE,
    GREY,
    INK,
    SMALL,
    horizontal_grid,
    legend_above,
    styled,
)

_WORDS = {
    "hidden": "actor's h",
    "cell": "actor's c",
    "critic_hidden": "critic's h",
    "observation": "last observation",
}
_WIDTH = 0.8  # of all bars of a variable
_HALF = 0.44  # of the line of chance


def decoding_figure(
    statistics: Mapping[str, Mapping[str, Any]], sources: Sequence[str]
) -> Figure:
    """Bars of the scores, a group a variable and a bar a source; a dot a seed.

    Args:
        statistics: By variable: `score`, `chance` and a statistic for each source.
        sources: Which entries are bars, in order. The last one is the control.
    """
    with styled():
        width = max(5.0, 1.2 + 1.5 * len(statistics))
        figure = Figure(figsize=(width, 3.8), layout="constrained")
        axes = figure.subplots()
        colours = [*CYCLE[: len(sources) - 1], GREY]
        for place, entry in enumerate(statistics.values()):
            for number, source in enumerate(sources):
                left = place - _WIDTH / 2 + number * _WIDTH / len(sources)
                _draw_bar(
                    axes, left, _WIDTH / len(sources), entry[source], colours[number]
                )
            ends = [place - _HALF, place + _HALF]
            axes.plot(ends, [entry["chance"]] * 2, color=INK, dashes=(4, 3), zorder=5)
            if "ideal_observer" in entry:
                best = entry["ideal_observer"]["mean"]
                axes.plot(ends, [best] * 2, color=INK, linewidth=2, zorder=5)
        labels = [
            f"{name.replace('_', ' ')}\n({entry['score']})"
            for name, entry in statistics.items()
        ]
        axes.set_xticks(range(len(labels)), labels, size=SMALL + 0.5)
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("score in lifetimes left out")
        axes.set_ylim(top=1.02)
        horizontal_grid(axes)
        handles: list[Patch | Line2D] = [
            Patch(facecolor=colour, label=_WORDS.get(source, source))
            for source, colour in zip(sources, colours, strict=True)
        ]
        handles.append(Line2D([], [], color=INK, dashes=(4, 3), label="chance"))
        if any("ideal_observer" in entry for entry in statistics.values()):
            handles.append(
                Line2D([], [], color=INK, linewidth=2, label="ideal observer")
            )
        legend_above(figure, handles)
    return figure


def _draw_bar(
    axes: Axes, left: float, width: float, entry: Mapping[str, Any], colour: str
) -> None:
    """One bar with its interval and its seeds."""
    mean = _number(entry["mean"])
    low, high = (_number(end) for end in entry["ci95"])
    if math.isnan(mean):
        return
    centre = left + width / 2
    axes.bar(centre, mean, width * 0.9, color=colour)
    axes.vlines(centre, low, high, color=INK, linewidth=1.3, zorder=4)
    seeds = entry["seeds"]
    if len(seeds) > 1:
        places = centre + np.linspace(-0.3, 0.3, len(seeds)) * width
        axes.plot(places, seeds, "o", markersize=3, color="white", mec=INK, zorder=6)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
