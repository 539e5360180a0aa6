"""One panel of the stay figure: four trial types, bars and reference marks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.families.two_step import TRIAL_TYPES
from kerasmeta.analysis.figures.style import (
    BAND,
    BLUE,
    GREY,
    INK,
    SMALL,
    VERMILLION,
    horizontal_grid,
)

Values = Mapping[str, Estimate | float]  # by metric name

_COLOUR = {True: BLUE, False: VERMILLION}  # common, uncommon transition
_CENTRES = (0.0, 1.0, 2.2, 3.2)  # of the four trial types, a gap between the rewards
_CLUSTER = 0.56  # width of the agent's bars, with or without a lesioned twin
_HALF = _CLUSTER / 2 + 0.04  # from a trial type's centre to the end of its bars
_LANE = 0.12  # width of a column of markers, right of the bars
_MARKERS = ("D", "o", "s", "^")


class Panel(NamedTuple):
    """Which metrics a panel shows, and its words."""

    prefix: str
    title: str
    y_label: str
    x_label: str


class Drawn(NamedTuple):
    """Everything a panel shows, in drawing order."""

    agents: list[tuple[str, Values]]  # the agent, then perhaps its lesioned twin
    optimal: Values | None
    published: Mapping[str, Values]
    optimal_name: str = "optimal"


def draw_panel(axes: Axes, panel: Panel, drawn: Drawn) -> None:
    """Draws everything of one panel into `axes`."""
    for centre, (name, (common, _)) in zip(_CENTRES, TRIAL_TYPES.items(), strict=True):
        metric = f"{panel.prefix}_{name}"
        width = _CLUSTER / len(drawn.agents)
        for i, (_, values) in enumerate(drawn.agents):
            left = centre - _CLUSTER / 2 + i * width
            target = _mean(drawn.optimal, metric)
            _draw_bar(axes, left, width, values.get(metric), common, i == 0, target)
        _draw_references(axes, centre, metric, drawn)
    _draw_axes(axes, panel, shift=_LANE * len(drawn.published) / 2)


def _draw_bar(
    axes: Axes,
    left: float,
    width: float,
    value: Estimate | float | None,
    common: bool,
    solid: bool,
    target: float,
) -> None:
    """One bar with its interval and its number; nothing where there is no value."""
    mean, (low, high) = _interval(value)
    centre = left + width / 2
    if math.isnan(mean):
        axes.annotate("no\ntrials", (centre, 0.02), ha="center", color=GREY, size=SMALL)
        return
    colour = _COLOUR[common]
    axes.bar(
        centre,
        mean,
        width * 0.92,
        facecolor=colour if solid else "white",
        edgecolor=colour,
        linewidth=1.3,
    )
    if not math.isnan(low):
        axes.vlines(centre, low, high, color="white", linewidth=3.2, zorder=3)
        axes.vlines(centre, low, high, color=INK, linewidth=1.3, zorder=4)
    top = mean if math.isnan(high) else max(mean, high)
    if top - 0.02 < target < top + 0.08:
        top = target  # keeps the number clear of the optimal agent's line
    axes.annotate(
        _number(mean),
        (centre, top),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        size=SMALL,
        zorder=6,
        path_effects=[withStroke(linewidth=2, foreground=BAND)],
    )


def _number(probability: float) -> str:
    """Three characters (.07, .98, 1.0), so that neighbours' numbers stay apart."""
    text = f"{probability:.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


def _draw_references(axes: Axes, centre: float, metric: str, drawn: Drawn) -> None:
    half, lanes = _HALF, _LANE * len(drawn.published)
    axes.axvspan(
        centre - half, centre + half + lanes, color=BAND, linewidth=0, zorder=0
    )
    optimum = [_mean(drawn.optimal, metric)] * 2
    front: dict[str, Any] = {"zorder": 5, "clip_on": False}
    line = [centre - half, centre + half - 0.02]
    axes.plot(line, optimum, color=INK, linewidth=2, solid_capstyle="butt", **front)
    for i, values in enumerate(drawn.published.values()):
        lane = centre + half + _LANE * (i + 0.5)
        axes.plot(lane, _mean(values, metric), **marker(i), **front)


def _draw_axes(axes: Axes, panel: Panel, shift: float) -> None:
    centres = [centre + shift for centre in _CENTRES]
    axes.set_title(panel.title)
    axes.set_ylabel(panel.y_label)
    axes.set_xlim(-0.45, centres[-1] + 0.45 + shift)
    axes.set_ylim(0, 1.1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    horizontal_grid(axes)
    transitions = [common for common, _ in TRIAL_TYPES.values()]
    axes.set_xticks(centres, ["common" if c else "uncommon" for c in transitions])
    axes.tick_params(axis="x", length=0)
    for label, common in zip(axes.get_xticklabels(), transitions, strict=True):
        label.set_color(_COLOUR[common])
    second = axes.secondary_xaxis("bottom")
    groups = [sum(centres[:2]) / 2, sum(centres[2:]) / 2]
    second.set_xticks(groups, ["\nrewarded", "\nunrewarded"])
    second.tick_params(length=0)
    second.set_xlabel(panel.x_label, color=GREY, size=SMALL + 0.5)


def marker(index: int) -> dict[str, Any]:
    """How the values of the index-th published source are drawn."""
    return {
        "marker": _MARKERS[index % len(_MARKERS)],
        "linestyle": "none",
        "markersize": 5.5,
        "markerfacecolor": "white",
        "markeredgecolor": INK,
        "markeredgewidth": 1.2,
    }


def _mean(values: Values | None, metric: str) -> float:
    return _interval(None if values is None else values.get(metric))[0]


def _interval(value: Estimate | float | None) -> Estimate:
    if isinstance(value, Estimate):
        return value
    return Estimate(math.nan if value is None else value, (math.nan, math.nan))
