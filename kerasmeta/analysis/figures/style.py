"""How all figures look: one palette, one type size, light background, few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

# Okabe & Ito's palette, distinguishable with every common colour blindness.
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)

INK = "#222222"  # text, error bars, reference marks
GREY = "#8A8A8A"  # secondary text and lines
FAINT = "#DDDDDD"  # grid
BAND = "#F4F4F4"  # what belongs together

DPI = 200  # of PNG files
SMALL = 8.5  # point size of secondary text

STYLE: Mapping[str, Any] = {
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.facecolor": "white",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "svg.fonttype": "path",
    "svg.hashsalt": "kerasmeta",
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's defaults plus `STYLE`, whatever the user has configured."""
    with matplotlib.style.context(["default", dict(STYLE)]):
        yield


def horizontal_grid(axes: Axes) -> None:
    """Faint lines across, behind the data; no tick marks needed then."""
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def legend_above(figure: Figure, handles: Sequence[Artist]) -> None:
    """A legend over the figure, in as few rows as fit its width."""
    labels = [str(handle.get_label()) for handle in handles]
    figure.legend(
        handles=list(handles),
        loc="outside upper left",
        ncols=_columns(labels, available=72 * figure.get_figwidth()),
        handlelength=1.3,
        columnspacing=1.6,
        handletextpad=0.5,
        borderaxespad=0.2,
    )


def _columns(labels: Sequence[str], available: float) -> int:
    """How many legend columns fit into `available` points (it fills column-wise)."""
    size = STYLE["legend.fontsize"]
    widths = [TextPath((0, 0), s, size=size).get_extents().width for s in labels]
    for columns in range(len(labels), 1, -1):
        per_column = [widths[i::columns] for i in range(columns)]
        beside_text = columns * 3.6 * size  # handle, padding and column spacing
        if sum(max(column) for column in per_column) + beside_text <= available:
            return columns
    return 1
