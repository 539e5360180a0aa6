"""Recordings for other programs: a tidy table and an xarray dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kerasmeta.analysis.recordings.signals import SIGNALS
from kerasmeta.analysis.study import Finding, Recordings, Study, Subject, Table
from kerasmeta.version import __version__

# Larger observations (pictures) are left out.
LARGEST_OBSERVATION = 64
_TASK = "task_"  # begins the names of the task's hidden variables
_BEHAVIOUR = {
    "action": {"long_name": "action chosen at this step", "units": "1"},
    "reward": {"long_name": "reward paid for this action", "units": "reward"},
}


def recordings(study: Study) -> Finding:
    """Everything that was recorded, step by step, of every subject.

    `recordings.parquet` has one row a step that was lived: subject, lifetime, step,
    what was seen, done, paid and hidden, and every signal, a column for each unit
    (`hidden_07`). `recordings.nc` has the same as arrays over (subject, lifetime, step)
    and unit, NaN after a lifetime's end.
    """
    recorded = [_recorded(subject) for subject in study.subjects]
    return Finding(
        {
            "lifetimes": [len(one.lifetimes.valid) for one in recorded],
            "steps": [int(one.lifetimes.valid.sum()) for one in recorded],
            "gamma": [one.gamma for one in recorded],
            "signals": sorted(recorded[0].signals),
        },
        tables={"recordings": lambda: tidy_table(study)},
        datasets={"recordings": lambda: dataset(study)},
    )


def tidy_table(study: Study) -> Table:
    """One row for each step that was lived."""
    parts = [_rows(subject) for subject in study.subjects]
    columns = {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0]
    }
    attributes = {}
    for variable, (_, about) in _variables(_recorded(study.subjects[0])).items():
        for name in columns:
            if name == variable or name.rpartition("_")[0] == variable:
                attributes[name] = about
    return Table(columns, attributes)


def dataset(study: Study) -> Any:
    """An `xarray.Dataset` over subject, lifetime, step and unit."""
    import xarray as xr

    by_subject = [_variables(_recorded(subject)) for subject in study.subjects]
    valid = np.stack([_recorded(s).lifetimes.valid for s in study.subjects])
    variables: dict[str, Any] = {
        "valid": (("subject", "lifetime", "step"), valid, {"long_name": "was lived"})
    }
    for name, (first, about) in by_subject[0].items():
        values = np.stack([of[name][0] for of in by_subject])  # [S, B, T, ...]
        if np.issubdtype(values.dtype, np.floating):
            lived = valid.reshape(valid.shape + (1,) * (values.ndim - 3))
            values = np.where(lived, values, np.nan)
        axes = ("subject", "lifetime", "step", *_axes(name, first))
        variables[name] = (axes, values, dict(about))
    recorded = _recorded(study.subjects[0])
    return xr.Dataset(
        variables,
        coords={"subject": [subject.name for subject in study.subjects]},
        attrs={
            "title": f"recordings of {study.agent} on {study.task}",
            "source": f"kerasmeta {__version__}",
            "task": study.task,
            "task_parameters": json.dumps(dict(study.parameters), sort_keys=True),
            "seed": study.seed,
            "gamma": recorded.gamma,
        },
    )


def _recorded(subject: Subject) -> Recordings:
    assert subject.recordings is not None  # the registry says they are needed
    return subject.recordings


def _variables(
    recorded: Recordings,
) -> dict[str, tuple[np.ndarray, Mapping[str, str]]]:
    """Everything recorded: arrays `[B, T, ...]` with their attributes, by name."""
    found: dict[str, tuple[np.ndarray, Mapping[str, str]]] = {}
    lifetimes = recorded.lifetimes
    for name, values in lifetimes.observation.items():
        if values[0, 0].size <= LARGEST_OBSERVATION:
            about = {"long_name": f"observation: {name.replace('_', ' ')}"}
            found[name] = values, {**about, "units": "1"}
    for name, about in _BEHAVIOUR.items():
        found[name] = getattr(lifetimes, name), about
    for name, values in recorded.hidden_variables.items():
        about = {"long_name": f"hidden from the agent: {name.replace('_', ' ')}"}
        found[f"{_TASK}{name}"] = values, {**about, "units": "1"}
    for name, values in recorded.signals.items():
        signal = SIGNALS[name]
        found[name] = values, {"long_name": signal.long_name, "units": signal.unit}
    return found


def _rows(subject: Subject) -> dict[str, np.ndarray]:
    """The columns of one subject's steps."""
    recorded = _recorded(subject)
    valid = recorded.lifetimes.valid
    lifetime, step = np.nonzero(valid)
    columns: dict[str, np.ndarray] = {
        "subject": np.full(len(step), subject.name, object),
        "lifetime": lifetime.astype(np.int32),
        "step": step.astype(np.int32),
    }
    for name, (values, _) in _variables(recorded).items():
        columns.update(_columns(name, values[valid]))
    return columns


def _columns(name: str, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """One column for each number of a row: `value`, or `hidden_00`, `hidden_01`."""
    flat = values.reshape(len(values), -1)
    if values.ndim == 1:
        yield name, values
        return
    width = len(str(flat.shape[1] - 1))
    for index in range(flat.shape[1]):
        yield f"{name}_{index:0{width}}", np.ascontiguousarray(flat[:, index])


def _axes(name: str, values: np.ndarray) -> Sequence[str]:
    """Names of what follows (lifetime, step)."""
    rest = values.ndim - 2
    if name in SIGNALS and (axis := SIGNALS[name].axis):
        return [axis]
    return [f"{name}_{number}" for number in range(rest)]
