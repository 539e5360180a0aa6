"""A search: alone, or shared by a chief that chooses and workers that train."""

from __future__ import annotations

import contextlib
import io
import json
import os
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from keras_tuner.engine import base_tuner

from kerasmeta import tasks
from kerasmeta.errors import UserError
from kerasmeta.training.config import validate
from kerasmeta.training.run_directory import to_json, write_atomically
from kerasmeta.training.tuning.configuration import SearchConfig
from kerasmeta.training.tuning.oracles import OBJECTIVE, make_oracle, part_of_steps
from kerasmeta.training.tuning.results import Results, Trial, finished_trials
from kerasmeta.training.tuning.space import settings
from kerasmeta.training.tuning.trial import run_seeds

Report = Callable[[Trial], None]


class Role(NamedTuple):
    """What a process does in a shared search."""

    name: Literal["chief", "worker"]
    address: str  # of the chief, host:port


class _Tuner(base_tuner.BaseTuner):
    """Runs trials; what it needs to know of keras-tuner is in its oracle."""

    def __init__(self, config: SearchConfig, path: Path, report: Report) -> None:
        self.config, self.path, self.report = config, path, report
        oracle = make_oracle(config)
        oracle.verbose = 0
        super().__init__(oracle, directory=str(path), project_name="tuner")
        known = path / "tuner" / "oracle.json"
        if known.exists() and not self._is_worker():
            self.oracle.reload()  # whichever process wrote it

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """Trains all seeds of a trial; those that have a result are not trained."""
        values = trial.hyperparameters.values
        results = Results(self.path)
        results.write_values(trial.trial_id, values)
        run = self.config.run.with_overrides(settings(values))
        steps = max(1, round(part_of_steps(values) * self.config.steps))
        run = run.model_copy(update={"steps": steps})
        run_seeds(run, list(range(self.config.seeds)), self.path, trial.trial_id)
        found = results.trial(trial.trial_id, self.config.seeds)
        if found is None:
            raise RuntimeError(f"trial {trial.trial_id} left no result")
        self.report(found)
        return {OBJECTIVE: float("nan") if found.score is None else found.score}


def search(
    config: SearchConfig,
    path: Path,
    resume: bool = False,
    role: Role | None = None,
    report: Report = lambda trial: None,
) -> list[Trial]:
    """Searches, and keeps what it finds in a directory.

    A search that was killed at any moment and is resumed repeats no seed of a trial
    that was finished.

    Args:
        config: The search.
        path: Its directory. Chief and workers must all see it.
        resume: Go on with the search there; `config` must be its own, but for a larger
            number of trials.
        role: Of this process in a shared search; None: it does everything.
        report: Called with each trial that this process finished.

    Returns:
        The finished trials, in the order they were begun.

    Raises:
        UserError: The directory holds something and `resume` is false, or another
            search.
    """
    check(config)
    if role is None or role.name == "chief":
        _begin(config, path, resume)
    with _environment(role), _quiet():
        _Tuner(config, path, report).search()
    return finished_trials(path, config.seeds)


def read(path: Path) -> SearchConfig:
    """The search in a directory.

    Raises:
        UserError: There is none, or it is damaged.
    """
    file = path / "search.json"
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError:
        fix = "begin one there first, or correct --out"
        raise UserError("--out", str(path), "holds no search", fix) from None
    except (OSError, ValueError):
        problem = "cannot be read (it is not the JSON that was written)"
        raise UserError("search", str(file), problem, "restore it") from None
    config: SearchConfig = validate(SearchConfig, data, str(file))
    return config


def check(config: SearchConfig) -> None:
    """Refuses a search some of whose values a run would refuse.

    Raises:
        UserError: A key is not known, or a value is not valid.
    """
    for dimension in config.dimensions:
        for value in dimension.examples:
            run = config.run.with_overrides(settings({dimension.key: value}))
            tasks.make(run.task.name, **run.task.parameters)


def _begin(config: SearchConfig, path: Path, resume: bool) -> None:
    """Writes search.json, or checks that the one there is this search's."""
    file = path / "search.json"
    if resume:
        if not file.exists():
            fix = "leave --resume out to begin one, or correct --out"
            raise UserError("--resume", str(path), "holds no search", fix)
        if read(path).model_copy(update={"trials": config.trials}) != config:
            problem = "was begun with other options"
            fix = "give the options it was begun with, or choose another directory"
            raise UserError("--resume", str(path), problem, fix)
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        problem = "holds a search already" if file.exists() else "is not empty"
        fix = "choose another directory"
        if file.exists():
            fix = f"add --resume to go on with it, or {fix}"
        raise UserError("--out", str(path), problem, fix)
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_atomically(file, to_json(config.model_dump(mode="json")))
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        fix = "choose a directory you may write to"
        raise UserError("--out", str(path), problem, fix) from None


@contextlib.contextmanager
def _environment(role: Role | None) -> Iterator[None]:
    """Tells keras-tuner what this process does, in the way it wants to be told."""
    names = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
    before = {name: os.environ.get(name) for name in names}
    if role is not None:
        host, _, port = role.address.rpartition(":")
        # A name with "chief" in it makes a chief; no two workers may share one.
        identity = "chief" if role.name == "chief" else f"worker-{uuid.uuid4().hex}"
        os.environ.update(zip(names, (identity, host, port), strict=True))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """keras-tuner tells what it reloads on standard output, which is for results.

    And it uses what Python has deprecated, and means of scores that are none.
    """
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
