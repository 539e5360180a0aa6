"""What an analysis reads, a `Study`, and what it gives, a `Finding`.

A study is one agent, trained from one or several seeds, with everything that was
recorded of it. Recording needs the agent and is done in `kerasmeta.training.studies`;
analyses only see NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from kerasmeta.lifetimes import Lifetimes

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Recordings(NamedTuple):
    """What went on inside an agent during `B` lifetimes of at most `T` steps.

    What a signal is, its unit and its axes are told by `SIGNALS` in
    `kerasmeta.analysis.recordings.signals`.
    """

    lifetimes: Lifetimes
    signals: Mapping[str, np.ndarray]  # by name, [B, T] or [B, T, units]
    hidden_variables: Mapping[str, np.ndarray]  # the task's own, [B, T] or [B, T, ...]
    gamma: float  # discount per step of the reward prediction error


class Subject(NamedTuple):
    """The weights of one seed, and what was recorded of them."""

    name: str  # "two_step/lstm seed 3", or a run directory
    lifetimes: Lifetimes  # its behaviour
    recordings: Recordings | None = None
    # By experiment ("memory_lesion") and condition ("memory lesioned"), as named in
    # kerasmeta.training.experiments: the behaviour under that condition.
    experiments: Mapping[str, Mapping[str, Lifetimes]] = _NOTHING
    training: Sequence[Mapping[str, Any]] = ()  # rows of its metrics.jsonl


class Study(NamedTuple):
    """One agent, and what was recorded of each of its seeds."""

    agent: str  # what the user called it
    task: str  # the family
    parameters: Mapping[str, Any]  # the task's, all of them
    default_parameters: bool  # whether they are the family's own, as published
    trials_per_lifetime: int
    subjects: Sequence[Subject]  # one or more
    players: Mapping[str, Lifetimes] = _NOTHING  # the reference players' behaviour
    seed: int = 0  # of what an analysis draws


class Finding(NamedTuple):
    """The result of an analysis."""

    # JSON data; NaN may stand for "not known". Entries made by
    # `kerasmeta.analysis.over_seeds.statistic` are shown as a table.
    statistics: Mapping[str, Any]
    figures: Mapping[str, Callable[[], Figure]] = _NOTHING  # by file name
    # Tidy tables by file name: columns of equal length, one row an observation.
    tables: Mapping[str, Mapping[str, np.ndarray]] = _NOTHING
    # Labelled arrays (xarray.Dataset) by file name.
    datasets: Mapping[str, Callable[[], Any]] = _NOTHING
