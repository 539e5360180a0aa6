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

    What a signal is, its unit and its axis are told by `SIGNALS` in
    `kerasmeta.analysis.recordings.signals`. After a lifetime's last action signals have
    no meaning (`lifetimes.valid` is false there).
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
    # kerasmeta.training.experiments: mostly `Lifetimes`, the behaviour there.
    experiments: Mapping[str, Mapping[str, Any]] = _NOTHING
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


class Table(NamedTuple):
    """A tidy table: one row an observation, one column a variable."""

    columns: Mapping[str, np.ndarray]  # by name, each [rows]
    # By column: "long_name" and "units", as NetCDF's conventions call them.
    attributes: Mapping[str, Mapping[str, str]] = _NOTHING


class Finding(NamedTuple):
    """The result of an analysis.

    What becomes a file is a function that makes it, by the file's name without ending.
    """

    # JSON data; NaN may stand for "not known". Entries made by
    # `kerasmeta.analysis.over_seeds.statistic` are shown as a table.
    statistics: Mapping[str, Any]
    figures: Mapping[str, Callable[[], Figure]] = _NOTHING  # PNG and SVG
    tables: Mapping[str, Callable[[], Table]] = _NOTHING  # Parquet
    datasets: Mapping[str, Callable[[], Any]] = _NOTHING  # xarray.Dataset: NetCDF
