"""Configurations in files of their own: what `kerasmeta train --config` reads."""

from __future__ import annotations

import json
from pathlib import Path

from kerasmeta import tasks
from kerasmeta.errors import UserError
from kerasmeta.training.config import RunConfig, validate


def read_config(
    path: Path, task: str | None = None, agent: str | None = None
) -> RunConfig:
    """The configuration in a JSON file.

    Args:
        path: A run's config.json, or the configuration alone, as `kerasmeta tune`
            writes it (best.json).
        task: The task it must be of; None: of any.
        agent: The kind of agent it must be of; None: of any.

    Raises:
        UserError: It cannot be read, is no configuration, is one of fine-tuning, or is
            of another task or agent.
    """
    argument = f"--config {path}"
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or "it is not JSON"
        raise UserError(
            "--config",
            str(path),
            f"cannot be read ({problem})",
            "give best.json of kerasmeta tune, or config.json of a run",
        ) from None
    inner = data.get("run", data) if isinstance(data, dict) else data
    config: RunConfig = validate(RunConfig, inner, argument)
    if config.start is not None:
        problem = f"was fine-tuned from {config.start.agent}"
        fix = "use kerasmeta fine-tune, or take start out of the file"
        raise UserError("--config", str(path), problem, fix)
    pairs = (("TASK", task, config.task.name), ("--agent", agent, config.agent.kind))
    for name, wanted, found in pairs:
        if wanted not in (None, found):
            problem = f"is not that of {path}, {found}"
            raise UserError(name, str(wanted), problem, f"leave out {name}")
    tasks.check(config.task.name)
    return config
