"""The learning systems side by side: how much each one governs repetition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.stay_panel import marker
from kerasmeta.analysis.figures.style import (
    BLUE,
    GREY,
    INK,
    SMALL,
    VERMILLION,
    horizontal_grid,
    legend_above,
    styled,
)

_WIDTH = 0.5  # of a bar
_LANE = 0.14  # width of a column of markers, right of the bars
_TOP = 2.25
_ROOM = 0.55  # for the numbers, below everything that is drawn


class System(NamedTuple):
    """One learning system's effect."""

    value: Estimate
    seeds: Sequence[float]  # one mean each
    p_value: float
    optimal: float
    published: Mapping[str, float]  # by label


def systems_figure(systems: Mapping[str, System], agent_name: str = "agent") -> Figure:
    """Bars with 95% intervals and p-values, a point a seed, and what they compare with.

    Args:
        systems: By name, `incremental_model_free` and so on, in drawing order.
        agent_name: In the legend.
    """
    labels = list(dict.fromkeys(k for s in systems.values() for k in s.published))
    with styled():
        figure = Figure(figsize=(2.2 + 1.35 * len(systems), 3.9), layout="constrained")
        axes = figure.subplots()
        bottom = min(0.0, *map(_lowest, systems.values())) - _ROOM
        axes.set_ylim(bottom, _TOP)
        for place, (name, system) in enumerate(systems.items()):
            _draw_system(axes, place, name, system, labels)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_xticks(range(len(systems)), [_in_words(name) for name in systems])
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("effect on P(repeat)")
        horizontal_grid(axes)
        _draw_legend(figure, agent_name, labels)
    return figure


def _draw_system(
    axes: Axes, place: int, name: str, system: System, labels: Sequence[str]
) -> None:
    colour = VERMILLION if name.endswith("model_free") else BLUE
    mean, (low, high) = system.value
    axes.bar(place, mean, _WIDTH, color=colour, zorder=2)
    if len(system.seeds) > 1:
        places = [place - 0.36] * len(system.seeds)
        axes.plot(places, system.seeds, ".", color=GREY, markersize=4, zorder=3)
    if not math.isnan(low):
        axes.vlines(place, low, high, color="white", linewidth=3.2, zorder=3)
        axes.vlines(place, low, high, color=INK, linewidth=1.3, zorder=4)
    half = _WIDTH / 2 + 0.04
    axes.hlines(
        system.optimal, place - half, place + half, color=INK, linewidth=2, zorder=5
    )
    for index, label in enumerate(labels):
        if label in system.published:
            lane = place + half + _LANE * (index + 0.6)
            axes.plot(lane, system.published[label], **marker(index), zorder=5)
    axes.annotate(
        f"{mean:.2f}\n{_p_in_words(system.p_value)}",
        (place, 0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        size=SMALL,
        color=INK,
    )


def _lowest(system: System) -> float:
    values = (*system.value.ci95, *system.seeds, *system.published.values())
    return min((value for value in values if math.isfinite(value)), default=0.0)


def _draw_legend(figure: Figure, agent_name: str, labels: Sequence[str]) -> None:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=GREY, label=agent_name),
        Line2D([], [], color=INK, linewidth=2, label="optimal"),
    ]
    handles += [Line2D([], [], **marker(i), label=k) for i, k in enumerate(labels)]
    legend_above(figure, handles)


def _p_in_words(p_value: float) -> str:
    if math.isnan(p_value):
        return ""
    return "p < .001" if p_value < 0.001 else f"p = {p_value:.3f}".replace("0.", ".", 1)


def _in_words(name: str) -> str:
    """`incremental_model_free` over two lines."""
    system, _, effect = name.partition("_")
    return f"{system}\n{effect.replace('_', '-')}"
