"""Loading the agent a run directory holds."""

from __future__ import annotations

from pathlib import Path

from kerasmeta import tasks
from kerasmeta.agents import EpisodicAgent, storage
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.training.run_directory import RunDirectory


def load_run(path: Path | str) -> tuple[EpisodicAgent, Task]:
    """The agent of a run directory, as of its last checkpoint, and its task.

    Raises:
        UserError: The directory is no run's, is damaged, or has no checkpoint yet.
    """
    directory = RunDirectory(path)
    data = directory.read()
    config = directory.read_config()
    if not directory.weights_path.exists():
        raise UserError(
            "run",
            str(path),
            "has no trained weights yet",
            "let kerasmeta train reach its first checkpoint",
        )
    agent = storage.build(data, str(directory.config_path))
    storage.load_weights(agent, directory.weights_path)
    return agent, tasks.make(config.task.name, **config.task.parameters)
