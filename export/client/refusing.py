"""A server's errors as ours: the same for gRPC and REST."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import (
    ServerRefusedError,
    ServerTimeoutError,
    ServerUnavailableError,
    ServingError,
    UnknownAgentError,
    WrongVersionError,
)

NOT_FOUND, TIMEOUT, UNAVAILABLE, OTHER = "not found", "timeout", "unavailable", "other"


class Asked(NamedTuple):
    """What a request was about."""

    agent: str
    version: int | str | None  # a number, a label, or the newest


def refusal(kind: str, asked: Asked, said: str) -> ServingError:
    """The error for what a server said, by its kind."""
    said = " ".join(said.split())[:300]
    if kind == TIMEOUT:
        return ServerTimeoutError(
            "server", asked.agent, "did not answer in time", "ask again, or wait longer"
        )
    if kind == UNAVAILABLE:
        return ServerUnavailableError(
            "server",
            asked.agent,
            f"is gone or too busy ({said})",
            "look whether it runs, and ask again",
        )
    if kind == NOT_FOUND and isinstance(asked.version, int):
        return WrongVersionError(
            "version",
            asked.version,
            f"of {asked.agent} is not served ({said})",
            "begin a new lifetime with initial_state; while versions roll over, "
            "the server should keep both",
        )
    if kind == NOT_FOUND:
        return UnknownAgentError(
            "agent",
            asked.agent if asked.version is None else f"{asked.agent} {asked.version}",
            f"is not served ({said})",
            "give a name that models.config lists, and wait until it is loaded",
        )
    fix = "look at the server; its agent may be of another kind"
    return ServerRefusedError("server", asked.agent, f"refused ({said})", fix)
