"""The files of a run in progress: metrics, event files, checkpoints and weights."""

from __future__ import annotations

import json
from typing import Any

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.storage import describe, save_weights
from kerasmeta.errors import UserError
from kerasmeta.training import starting
from kerasmeta.training.config import RunConfig
from kerasmeta.training.events import EventLog
from kerasmeta.training.run_directory import RunDirectory, replacing

Row = dict[str, Any]  # of metrics.jsonl


class NoFiles:
    """What a worker keeps that is not the chief: the rows, as long as it runs.

    Attributes:
        rows: Of metrics.jsonl.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def write(self, row: Row) -> None:
        """Adds a row."""
        self.rows.append(row)

    def save(self) -> None:
        """Keeps the agent and all that is needed to go on from here."""

    def close(self) -> None:
        """Writes out what is left."""


class RunFiles(NoFiles):
    """What the chief, or a worker that trains alone, keeps in the run directory.

    Args:
        trainer: The `Trainer`; it is brought to where the run stands.
        directory: The run's.
        resume: Go on with the run there.
        parent: The agent that is fine-tuned, if one is; None where a run is resumed.

    Raises:
        UserError: The directory cannot be written, or what it holds is damaged.
    """

    def __init__(
        self,
        trainer: Any,
        directory: RunDirectory,
        resume: bool,
        parent: EpisodicAgent | None,
    ) -> None:
        super().__init__()
        self.trainer = trainer
        self.directory = directory
        config = trainer.config
        if config.start:
            parent = None if resume else parent
            starting.begin(trainer.agent, config.start, directory, parent)
        if not resume:
            directory.create(config, describe(trainer.agent))
        self._manager = tf.train.CheckpointManager(
            trainer.checkpoint, str(directory.checkpoints_path), max_to_keep=2
        )
        _restore(self._manager, directory)
        if resume and not trainer.finished:
            directory.change_steps(config.steps)
        first = int(trainer.iterations)
        self.rows = directory.keep_metrics_until(first)
        self._events = EventLog(directory.events_path, purge_from=first)
        self._log = open(directory.metrics_path, "a", encoding="utf-8")  # noqa: SIM115

    def write(self, row: Row) -> None:
        self._log.write(json.dumps(row) + "\n")
        self._log.flush()
        super().write(row)
        self._events.write(row)

    def save(self) -> None:
        with replacing(self.directory.weights_path) as temporary:
            save_weights(self.trainer.agent, temporary)
        self._manager.save(checkpoint_number=int(self.trainer.iterations))

    def close(self) -> None:
        self._events.close()
        self._log.close()


def check_beginning(config: RunConfig, directory: RunDirectory, resume: bool) -> None:
    """Refuses to begin a run where something is, or to resume what is not this one.

    Raises:
        UserError: Says which.
    """
    if resume:
        _check_resumable(config, directory)
    else:
        directory.check_free()


def _restore(manager: Any, directory: RunDirectory) -> None:
    """Goes back to the last checkpoint, if there is one."""
    path = manager.latest_checkpoint
    fix = "restore the file, or train again in another directory"
    if path is None and (index := directory.checkpoints_path / "checkpoint").exists():
        raise UserError("checkpoint", str(index), "names no checkpoint", fix)
    try:
        manager.restore_or_initialize()
    except Exception as error:  # damage makes TensorFlow's reader raise all sorts
        reason = str(getattr(error, "message", error)).strip().splitlines()[0]
        problem = f"cannot be read ({reason})"
        raise UserError("checkpoint", path, problem, fix) from None


def _check_resumable(config: RunConfig, directory: RunDirectory) -> None:
    """Refuses to resume what is no run, or one with other settings than `config`."""
    if not directory.exists():
        raise UserError(
            "--resume",
            str(directory.path),
            "holds no run",
            "leave --resume out to begin one, or correct --out",
        )
    ours, theirs = config.settings(), directory.read_config().settings()
    different = [
        f"{key}={theirs.get(key, 'its default')}"
        for key in sorted(ours.keys() | theirs.keys())
        if key != "steps" and ours.get(key) != theirs.get(key)
    ]
    if different:
        raise UserError(
            "--resume",
            str(directory.path),
            f"was begun with {', '.join(different)}",
            "give the options it was begun with, or choose another directory",
        )
