"""A search for settings: how it got on, and the score by each setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from kerasmeta.analysis.figures.style import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    horizontal_grid,
    styled,
)

COLUMNS = 4
_SIZE = (2.6, 2.4)  # inches of a panel


def search_figure(
    scores: Sequence[float],
    values: Mapping[str, Sequence[Any]],
    logarithmic: Sequence[str] = (),
    y_label: str = "reward per trial",
) -> Figure:
    """One panel for the trials as they came, and one for each setting.

    Args:
        scores: Of the trials, in order; NaN where training diverged.
        values: By setting, its value in each trial.
        logarithmic: The settings that are drawn on a logarithmic axis.
        y_label: What a score is.
    """
    count = 1 + len(values)
    columns = min(COLUMNS, count)
    rows = math.ceil(count / columns)
    with styled():
        size = (_SIZE[0] * columns, _SIZE[1] * rows)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        flat = list(panels.flat)
        _progress(flat[0], np.asarray(scores, float))
        for axes, (key, given) in zip(flat[1:], values.items(), strict=False):
            _setting(axes, np.asarray(scores, float), given, key in logarithmic)
            axes.set_xlabel(key.rpartition(".")[2].replace("_", " "))
        for axes in flat[count:]:
            axes.remove()
        for row in panels:
            row[0].set_ylabel(y_label)
    return figure


def best_so_far(scores: np.ndarray) -> np.ndarray:
    """The running maximum `[n]`; NaN counts as nothing."""
    return np.fmax.accumulate(scores)


def _progress(axes: Axes, scores: np.ndarray) -> None:
    numbers = np.arange(1, len(scores) + 1)
    axes.plot(numbers, best_so_far(scores), color=GREY, drawstyle="steps-post")
    axes.scatter(numbers, scores, s=18, color=BLUE, zorder=3)
    _mark_best(axes, numbers, scores)
    axes.set_xlabel("trial")
    axes.locator_params(axis="x", integer=True)
    horizontal_grid(axes)


def _setting(
    axes: Axes, scores: np.ndarray, given: Sequence[Any], logarithmic: bool
) -> None:
    places = _places(axes, given)
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.scatter(places, scores, s=18, color=BLUE, zorder=3)
    _mark_best(axes, places, scores)
    horizontal_grid(axes)


def _places(axes: Axes, given: Sequence[Any]) -> np.ndarray:
    """Where values are drawn: numbers where they are, words side by side."""
    if not any(isinstance(value, str) for value in given):
        return np.asarray(given, float)
    words = sorted({str(value) for value in given})
    labels = [word.replace("_", "\n") for word in words]
    axes.set_xticks(range(len(words)), labels, fontsize=8)
    axes.set_xlim(-0.5, len(words) - 0.5)
    return np.array([words.index(str(value)) for value in given], float)


def _mark_best(axes: Axes, places: np.ndarray, scores: np.ndarray) -> None:
    if np.isfinite(scores).any():
        best = int(np.nanargmax(scores))
        axes.scatter(
            places[best], scores[best], s=40, color=VERMILLION, edgecolor=INK, zorder=4
        )
