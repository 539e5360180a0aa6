"""What an agent does by how often it has met the context: the mark of a memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.labels import label_right
from kerasmeta.analysis.figures.style import (
    BLUE,
    GREY,
    VERMILLION,
    horizontal_grid,
    styled,
)

_COLOURS = (BLUE, VERMILLION)  # the agent, its lesioned twin
_SIDESTEP = 0.04  # keeps the error bars of the two apart


class ExposureCurve(NamedTuple):
    """One agent's line."""

    mean: Sequence[Estimate]  # by exposure, the first one first
    seeds: Sequence[Sequence[float]]  # one line a seed


def exposure_figure(
    agents: Mapping[str, ExposureCurve],
    players: Mapping[str, Sequence[float]],
    y_label: str,
    top: float | None = None,
) -> Figure:
    """Means with 95% intervals by exposure, a thin line a seed, and the players.

    Args:
        agents: Curves by name, the agent's first, then perhaps its lesioned twin's.
        players: Means by player and exposure.
        y_label: What is measured.
        top: The vertical axis's upper end; by default what is needed.
    """
    with styled():
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.subplots()
        labels = []  # (y, text, colour) of the direct labels
        for name, means in players.items():
            axes.plot(_numbers(means), means, color=GREY, lw=1.1, dashes=(4, 3))
            labels.append((means[-1], name, GREY))
        for i, (name, curve) in enumerate(agents.items()):
            _draw_curve(axes, curve, _COLOURS[i % len(_COLOURS)], shift=i * _SIDESTEP)
            labels.append((curve.mean[-1].mean, name, _COLOURS[i % len(_COLOURS)]))
        axes.set_ylim(0, top)
        axes.set_xticks(_numbers(next(iter(agents.values())).mean))
        axes.set_xlabel("exposure to the context")
        axes.set_ylabel(y_label)
        horizontal_grid(axes)
        label_right(axes, [one for one in labels if math.isfinite(one[0])])
    return figure


def _draw_curve(axes: Axes, curve: ExposureCurve, colour: str, shift: float) -> None:
    numbers = [number + shift for number in _numbers(curve.mean)]
    if len(curve.seeds) > 1:
        for means in curve.seeds:
            axes.plot(numbers, means, color=colour, lw=0.8, alpha=0.4, zorder=2)
    means = [estimate.mean for estimate in curve.mean]
    low = [estimate.mean - estimate.ci95[0] for estimate in curve.mean]
    high = [estimate.ci95[1] - estimate.mean for estimate in curve.mean]
    axes.errorbar(
        numbers,
        means,
        yerr=[low, high],
        color=colour,
        lw=2.2,
        elinewidth=1.3,
        capsize=3,
        marker="o",
        markersize=5,
        zorder=3,
    )


def _numbers(values: Sequence[object]) -> list[int]:
    return list(range(1, len(values) + 1))
