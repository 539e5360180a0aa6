"""The figure of model-based weights: a histogram each for the agent and the players."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasmeta.analysis.estimates import mean_over_lifetimes
from kerasmeta.analysis.figures.style import BLUE, GREY, INK, SMALL, styled

BINS = np.linspace(0, 1, 21)


def weight_figure(weights: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Histograms of w, one below the other, the first one emphasised.

    Args:
        weights: By name, one array `[B]` for each seed. Bars are the mean over seeds of
          the share of lifetimes; with several seeds they have 95% intervals. The mark
          above them is the mean weight.
    """
    with styled():
        height = 0.75 + 0.85 * len(weights)
        figure = Figure(figsize=(6.0, height), layout="constrained")
        rows = figure.subplots(len(weights), 1, sharex=True, squeeze=False)[:, 0]
        for row, (name, by_seed) in enumerate(weights.items()):
            _draw_row(rows[row], name, by_seed, BLUE if row == 0 else GREY)
        rows[-1].set_xlabel("weight w of planning (0: model-free, 1: model-based)")
        rows[-1].set_xlim(0, 1)
        figure.supylabel("share of lifetimes", size=10, color=INK)
    return figure


def _draw_row(
    axes: Axes, name: str, by_seed: Sequence[np.ndarray], colour: str
) -> None:
    shares = np.array([np.histogram(w, BINS)[0] / len(w) for w in by_seed])  # [S, bins]
    middle, top = (BINS[1:] + BINS[:-1]) / 2, shares.mean(axis=0)
    axes.bar(middle, top, width=0.044, color=colour)
    if len(shares) > 1:
        limits = np.array([mean_over_lifetimes(share).ci95 for share in shares.T])
        low, high = np.maximum(limits[:, 0], 0), limits[:, 1]
        axes.vlines(middle, low, high, color=INK, linewidth=1)
        top = np.maximum(top, high)
    mean = float(np.mean([w.mean() for w in by_seed]))
    axes.plot(mean, 1.16 * top.max(), "v", color=INK, markersize=5, clip_on=False)
    label = name.replace("_", "-") if colour == GREY else name
    title = f"{label}, mean {mean:.2f}"
    axes.set_title(title, size=SMALL, weight="normal", pad=4)
    axes.set_ylim(0, 1.3 * top.max())
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
