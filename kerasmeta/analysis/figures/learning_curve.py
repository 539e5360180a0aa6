"""Learning curves: what agents earn as they train, seed by seed, and references."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kerasmeta.analysis.figures.labels import label_right
from kerasmeta.analysis.figures.style import CYCLE, GREY, horizontal_grid, styled
from kerasmeta.errors import UserError

Rows = Sequence[Mapping[str, Any]]  # the lines of one run's metrics.jsonl
_Curve = tuple[np.ndarray, np.ndarray]  # x and y, ascending in x


def learning_curve(
    runs: Mapping[str, Sequence[Rows]],
    x: str = "steps",
    y: str = "reward_per_trial",
    *,
    references: Mapping[str, float] | None = None,
    x_label: str | None = None,
    y_label: str | None = None,
) -> Figure:
    """Curves of one or several agents, a thin line per seed and a thick mean.

    Args:
        runs: Runs by agent name, which labels the curve; each run (seed) is a list of
          rows, dicts with `x` and `y`. Rows without a finite `y` are skipped, for not
          every row of a log holds every metric.
        x: Key of the horizontal axis.
        y: Key of the vertical axis.
        references: Horizontal lines by label ("random", "optimal").
        x_label: Instead of the key in plain words.
        y_label: Instead of the key in plain words.

    Raises:
        UserError: An agent has no row with both keys.
    """
    curves = {name: _curves(name, seeds, x, y) for name, seeds in runs.items()}
    with styled():
        figure = Figure(figsize=(7.2, 3.8), layout="constrained")
        axes = figure.subplots()
        labels = []  # (y, text, colour) of the direct labels
        for i, (name, seeds) in enumerate(curves.items()):
            colour = CYCLE[i % len(CYCLE)]
            end = _draw_curves(axes, seeds, colour)
            labels.append((end, name, colour))
        for name, value in (references or {}).items():
            axes.axhline(value, color=GREY, linewidth=1.1, dashes=(4, 3), zorder=1)
            labels.append((value, name, GREY))
        _draw_axes(axes, x_label or _in_words(x), y_label or _in_words(y))
        label_right(axes, labels)
    return figure


def mean_curve(curves: Sequence[_Curve]) -> _Curve:
    """The mean over seeds where all seeds have data, on the union of their x.

    Between its points each seed is interpolated linearly.
    """
    start = max(x[0] for x, _ in curves)
    stop = min(x[-1] for x, _ in curves)
    grid = np.unique(np.concatenate([x for x, _ in curves]))
    grid = grid[(grid >= start) & (grid <= stop)]
    return grid, np.mean([np.interp(grid, x, y) for x, y in curves], axis=0)


def _curves(name: str, seeds: Sequence[Rows], x: str, y: str) -> list[_Curve]:
    curves = []
    for rows in seeds:
        points = sorted((float(r[x]), float(r[y])) for r in rows if _has(r, x, y))
        if points:
            xs, ys = zip(*points, strict=True)
            curves.append((np.array(xs), np.array(ys)))
    if not curves:
        seen = sorted({key for rows in seeds for row in rows for key in row})
        raise UserError(
            "runs",
            name,
            f"no row has both '{x}' and '{y}'",
            f"choose from the keys logged: {', '.join(seen) or 'none'}",
        )
    return curves


def _has(row: Mapping[str, Any], *keys: str) -> bool:
    return all(row.get(k) is not None and math.isfinite(row[k]) for k in keys)


def _draw_curves(axes: Axes, seeds: Sequence[_Curve], colour: str) -> float:
    """Draws one agent; returns the height at which its line ends."""
    if len(seeds) > 1:
        for xs, ys in seeds:
            axes.plot(xs, ys, color=colour, linewidth=0.8, alpha=0.4, zorder=2)
    xs, ys = mean_curve(seeds)
    if not len(xs):  # the seeds share no stretch of x
        return float(np.mean([ys[-1] for _, ys in seeds]))
    axes.plot(xs, ys, color=colour, linewidth=2.2, solid_capstyle="round", zorder=3)
    return float(ys[-1])


def _draw_axes(axes: Axes, x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.margins(x=0, y=0.08)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    horizontal_grid(axes)


def _in_words(key: str) -> str:
    return key.replace("_", " ")


def _count(value: float) -> str:
    """1500000 as 1.5M."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
