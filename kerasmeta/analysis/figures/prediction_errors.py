"""An agent's prediction errors beside two learners': scatter and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasmeta.analysis.figures.style import (
    BLUE,
    GREY,
    INK,
    SMALL,
    VERMILLION,
    horizontal_grid,
    styled,
)
from kerasmeta.analysis.recordings.regression import without

_COLOURS = {"model_based": BLUE, "model_free": VERMILLION}
_POINTS = 1500  # of a scatter, more only make the file larger


class Watched(Protocol):
    """An agent's errors and two learners', each `[N]`, by moment."""

    @property
    def agent(self) -> Mapping[str, np.ndarray]: ...
    @property
    def model_based(self) -> Mapping[str, np.ndarray]: ...
    @property
    def model_free(self) -> Mapping[str, np.ndarray]: ...
    @property
    def reward(self) -> np.ndarray: ...


def errors_figure(
    watched: Sequence[Watched], statistics: Mapping[str, Mapping[str, Any]]
) -> Figure:
    """A row for each moment: the first seed's errors against both learners', weights.

    At an outcome the reward is taken out of the errors, which would hide all else.

    Args:
        watched: One entry a seed.
        statistics: By moment: `correlation_*` and `weight_*` statistics.
    """
    moments = list(watched[0].agent)
    with styled():
        size = (10.4, 0.4 + 3.2 * len(moments))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(moments), 3, squeeze=False, width_ratios=(1, 1, 1.2))
        for row, moment in zip(grid, moments, strict=True):
            for axes, learner in zip(row, _COLOURS, strict=False):
                _draw_scatter(axes, watched[0], moment, learner)
                _entitle(axes, moment, learner, statistics[moment])
            _draw_weights(row[2], statistics[moment])
    return figure


def _draw_scatter(axes: Axes, watched: Watched, moment: str, learner: str) -> None:
    theirs: Mapping[str, np.ndarray] = getattr(watched, learner)
    whole = moment == "whole_trial"
    errors = theirs["transition"] + theirs["outcome"] if whole else theirs[moment]
    agent = watched.agent[moment]
    if moment != "transition":
        errors, agent = (without(part, watched.reward) for part in (errors, agent))
    shown = slice(None, None, max(1, len(errors) // _POINTS))
    axes.plot(
        errors[shown],
        agent[shown],
        "o",
        markersize=2,
        color=_COLOURS[learner],
        alpha=0.35,
        markeredgewidth=0,
    )
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    axes.axvline(0, color=GREY, linewidth=0.6, zorder=0)


def _entitle(
    axes: Axes, moment: str, learner: str, statistics: Mapping[str, Any]
) -> None:
    after = "" if moment == "transition" else ", reward taken out"
    kind = "beyond_reward" if after else "correlation"
    r = statistics[f"{kind}_{learner}"]["mean"]
    axes.set_title(f"{learner.replace('_', '-')} learner, r = {r:.2f}")
    axes.set_xlabel(f"its error{after}")
    axes.set_ylabel(
        f"agent's error at the {moment}{after}".replace(" at the whole_trial", "")
    )


def _draw_weights(axes: Axes, statistics: Mapping[str, Any]) -> None:
    weights = {k: v for k, v in statistics.items() if k.startswith("weight_")}
    for place, (name, entry) in enumerate(weights.items()):
        learner = next((k for k in _COLOURS if k in name), None)
        colour = _COLOURS[learner] if learner else GREY
        axes.bar(place, entry["mean"], 0.7, color=colour)
        axes.vlines(place, *entry["ci95"], color=INK, linewidth=1.3, zorder=4)
        if len(entry["seeds"]) > 1:
            places = place + np.linspace(-0.2, 0.2, len(entry["seeds"]))
            axes.plot(places, entry["seeds"], "o", markersize=3, color="white", mec=INK)
    labels = [
        name.removeprefix("weight_").replace("model_", "model-\n").replace("_", "\n")
        for name in weights
    ]
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(len(labels)), labels, size=SMALL)
    axes.tick_params(axis="x", length=0)
    axes.set_title("Regression on both")
    axes.set_ylabel("weight")
    horizontal_grid(axes)
