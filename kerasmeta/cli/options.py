"""Checks of options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kerasmeta.errors import UserError

AGENTS = ("ep_lstm", "lstm")

# What an option of its own sets; --set may not contradict it.
_OPTION_OF = {
    "task": "TASK",
    "task.name": "TASK",
    "agent.kind": "--agent",
    "agent.seed": "--seed",
    "seed": "--seed",
    "steps": "--steps",
}


def check_agent(agent: str) -> None:
    """Refuses an unknown kind of agent."""
    if agent not in AGENTS:
        raise UserError("--agent", agent, "is not known", f"use {' or '.join(AGENTS)}")


def check_settings(settings: list[str]) -> None:
    """Refuses a `--set` of what has an option or an argument of its own."""
    for setting in settings:
        key = setting.partition("=")[0].strip()
        if key in _OPTION_OF:
            option = _OPTION_OF[key]
            raise UserError(
                "--set", setting, f"{key} is set by {option}", f"give {option} instead"
            )


def check_task(config: Any) -> None:
    """Refuses parameters the task refuses, under the names they have in `--set`."""
    from kerasmeta import tasks

    try:
        tasks.make(config.task.name, **config.task.parameters)
    except UserError as error:
        if error.argument == "task":  # a Gymnasium id that makes nothing for an agent
            raise
        name = f"--set task.{error.argument}"
        raise UserError(name, error.value, error.problem, error.fix) from None


def check_agent_id(id: str) -> None:
    """Refuses what cannot be published under: no id, or one with a version."""
    from zoo.identifiers import parse

    if parse(id).version is not None:
        name = id.partition("@")[0]
        raise UserError(
            "ID", id, "names a version, and publishing counts them", f"use {name}"
        )


def make_directory(out: Path) -> None:
    """Makes an output directory, or says why it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".kerasmeta-write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            "--out",
            str(out),
            f"cannot be written ({error.strerror})",
            "choose a directory you may write to",
        ) from None


@contextmanager
def named(**options: str) -> Iterator[None]:
    """Lets errors of the library speak of the option a value came from.

    Args:
        **options: By the library's name of the argument, the command line's.
    """
    try:
        yield
    except UserError as error:
        if error.argument not in options:
            raise
        name = options[error.argument]
        raise UserError(name, error.value, error.problem, error.fix) from None
