"""Checks of options that several commands share."""

from __future__ import annotations

from pathlib import Path

from kerasmeta.errors import UserError

AGENTS = ("ep_lstm", "lstm")


def check_agent(agent: str) -> None:
    """Refuses an unknown kind of agent."""
    if agent not in AGENTS:
        raise UserError("--agent", agent, "is not known", f"use {' or '.join(AGENTS)}")


def check_lesion(lesion: str | None) -> None:
    """Refuses an unknown lesion."""
    if lesion not in (None, "memory"):
        raise UserError("--lesion", lesion, "is not known", "use memory")


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
