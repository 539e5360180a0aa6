"""What units code: fractions with errors over seeds, and every unit's correlation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kerasmeta.analysis.estimates import Counts, proportion
from kerasmeta.analysis.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SMALL,
    horizontal_grid,
    legend_above,
    styled,
)
from kerasmeta.analysis.over_seeds import over_seeds

_COLOURS = {"actor": BLUE, "critic": ORANGE}
_WIDTH = 0.36  # of a bar
_SPREAD = 0.15  # of the points of one variable to either side


class Coded(Protocol):
    """Of `U` units, each `[U, variables]`."""

    @property
    def coefficient(self) -> np.ndarray: ...
    @property
    def codes(self) -> np.ndarray: ...


def coding_figure(
    found: Mapping[str, Sequence[Coded]], variables: Sequence[str]
) -> Figure:
    """Left: fractions of coding units. Right: each unit's |ρ|, coding ones filled.

    Args:
        found: By population ("actor", "critic"), one entry a seed.
        variables: Names of the second axis, in order.
    """
    with styled():
        figure = Figure(figsize=(9.0, 3.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        for number, (population, subjects) in enumerate(found.items()):
            shift = (number - (len(found) - 1) / 2) * _WIDTH
            colour = _COLOURS.get(population, GREY)
            _draw_fractions(left, subjects, shift, colour)
            _draw_units(right, subjects, shift, colour)
        _label(left, variables, "Coding units", "fraction of units")
        _label(right, variables, "Every unit", "|ρ| with the variable")
        handles: list[Patch | Line2D] = [
            Patch(facecolor=_COLOURS.get(p, GREY), label=f"{p}'s units") for p in found
        ]
        handles.append(
            Line2D([], [], color=GREY, dashes=(4, 3), label="by chance, uncorrected")
        )
        legend_above(figure, handles)
    return figure


def _draw_fractions(
    axes: Axes, subjects: Sequence[Coded], shift: float, colour: str
) -> None:
    axes.axhline(0.05, color=GREY, linewidth=1.1, dashes=(4, 3), zorder=1)
    for variable in range(subjects[0].codes.shape[1]):
        ones = np.ones(len(subjects[0].codes))
        counts = [Counts(one.codes[:, variable], ones) for one in subjects]
        mean, (low, high) = over_seeds([proportion(count) for count in counts])
        place = variable + shift
        axes.bar(place, mean, _WIDTH * 0.92, color=colour)
        axes.vlines(place, low, high, color=INK, linewidth=1.3, zorder=4)
        if len(subjects) > 1:
            seeds = [one.codes[:, variable].mean() for one in subjects]
            places = place + np.linspace(-_SPREAD, _SPREAD, len(seeds))
            axes.plot(places, seeds, "o", markersize=3, color="white", mec=INK)


def _draw_units(
    axes: Axes, subjects: Sequence[Coded], shift: float, colour: str
) -> None:
    """A point a unit, its place its rank among the units of its seed."""
    for one in subjects:
        for variable in range(one.codes.shape[1]):
            strength = np.abs(one.coefficient[:, variable])
            order = np.argsort(strength)
            places = variable + shift + np.linspace(-_SPREAD, _SPREAD, len(order))
            for codes, face in ((True, colour), (False, "white")):
                which = one.codes[order, variable] == codes
                axes.plot(
                    places[which],
                    strength[order][which],
                    "o",
                    markersize=2.6,
                    markerfacecolor=face,
                    markeredgecolor=colour,
                    markeredgewidth=0.6,
                )


def _label(axes: Axes, variables: Sequence[str], title: str, label: str) -> None:
    axes.set_title(title)
    axes.set_ylabel(label)
    axes.set_ylim(0, 1.02)
    words = [v.replace("_times_", " × ").replace("_", " ") for v in variables]
    axes.set_xticks(range(len(words)), words, size=SMALL + 0.5)
    axes.tick_params(axis="x", length=0)
    horizontal_grid(axes)
