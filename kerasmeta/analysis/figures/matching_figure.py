"""The matching law as a scatter of lifetimes, and the weights of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.style import (
    BLUE,
    CYCLE,
    GREY,
    INK,
    horizontal_grid,
    legend_above,
    styled,
)

_POINTS = 600  # of a seed's scatter; more only make the file larger


class Ratios(Protocol):
    """Logarithms to base 2 of the ratios of `N` lifetimes, each `[N]`."""

    @property
    def rewards(self) -> np.ndarray: ...
    @property
    def choices(self) -> np.ndarray: ...


def matching_figure(
    ratios: Sequence[Ratios],
    slope: Estimate,
    bias: Estimate,
    weights: Mapping[str, Sequence[Estimate]],
) -> Figure:
    """Left: a point a lifetime, and the law fitted. Right: weights by lag.

    Args:
        ratios: One entry a seed.
        slope: Of the generalised matching law, over seeds.
        bias: The same.
        weights: By predictor ("reward", "choice"), one estimate a lag, over seeds.
    """
    with styled():
        figure = Figure(figsize=(9.0, 4.0), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_law(left, ratios, slope, bias)
        _draw_weights(right, weights)
        handles = [
            Line2D([], [], color=GREY, dashes=(4, 3), label="perfect matching"),
            Line2D([], [], color=INK, label=f"fitted, slope {slope.mean:.2f}"),
            *(
                Line2D([], [], color=CYCLE[i], marker="o", label=f"past {name}s")
                for i, name in enumerate(weights)
            ),
        ]
        legend_above(figure, handles)
    return figure


def _draw_law(
    axes: Axes, ratios: Sequence[Ratios], slope: Estimate, bias: Estimate
) -> None:
    for one in ratios:
        shown = slice(None, None, max(1, len(one.rewards) // _POINTS))
        axes.plot(
            one.rewards[shown],
            one.choices[shown],
            "o",
            markersize=2.2,
            color=BLUE,
            alpha=0.35,
            markeredgewidth=0,
        )
    values = [part for one in ratios for part in (one.rewards, one.choices)]
    limit = max((float(np.abs(v).max()) for v in values if len(v)), default=1.0)
    ends = np.array([-limit, limit])
    axes.plot(ends, ends, color=GREY, linewidth=1.1, dashes=(4, 3), zorder=1)
    axes.plot(ends, slope.mean * ends + bias.mean, color=INK, linewidth=1.6)
    axes.set_title("Matching")
    axes.set_xlabel("log₂ of the ratio of rewards")
    axes.set_ylabel("log₂ of the ratio of choices")


def _draw_weights(axes: Axes, weights: Mapping[str, Sequence[Estimate]]) -> None:
    for number, by_lag in enumerate(weights.values()):
        lags = np.arange(1, len(by_lag) + 1)
        means = np.array([estimate.mean for estimate in by_lag])
        limits = np.array([estimate.ci95 for estimate in by_lag]).reshape(-1, 2)
        colour = CYCLE[number]
        axes.plot(lags, means, "o-", color=colour, markersize=4, linewidth=1.6)
        axes.vlines(lags, limits[:, 0], limits[:, 1], color=colour, linewidth=1.3)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_title("What the past weighs")
    axes.set_xlabel("trials ago")
    axes.set_ylabel("weight (log odds)")
    horizontal_grid(axes)
