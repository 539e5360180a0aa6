"""Names of agents: `family/agent` and `family/agent@version`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from kerasmeta.errors import UserError

_PART = r"[A-Za-z0-9][A-Za-z0-9_-]*"

# `family/agent`. A part starts with a letter or digit, so none can be `..` or hidden.
AgentName = Annotated[str, StringConstraints(pattern=rf"^{_PART}/{_PART}$")]


class AgentReference(NamedTuple):
    """A parsed id. Version None is the latest."""

    name: str  # family/agent
    version: int | None

    @property
    def family(self) -> str:
        return self.name.split("/")[0]

    @property
    def agent(self) -> str:
        return self.name.split("/")[1]

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


def parse(text: str | AgentReference) -> AgentReference:
    """Reads `family/agent[@version]`.

    Raises:
        UserError: The text is no such id.
    """
    if isinstance(text, AgentReference):
        return text
    match = isinstance(text, str) and re.fullmatch(
        rf"({_PART}/{_PART})(?:@([1-9][0-9]{{0,8}}))?", text
    )
    if not match:
        raise UserError(
            "agent",
            text,
            "is not the id of an agent",
            "give family/agent or family/agent@version, as in two_step/lstm@1",
        )
    name, version = match.groups()
    return AgentReference(name, int(version) if version else None)


def parse_name(text: str) -> str:
    """Reads `family/agent`; the version of a new agent is not part of its id."""
    reference = parse(text)
    if reference.version is not None:
        raise UserError(
            "agent", text, "names a version", f"give {reference.name} and version="
        )
    return reference.name


def unknown_name(name: str, known: Iterable[str], where: object) -> UserError:
    """The error for an agent that is not there, with the closest one that is."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        fix = f"did you mean '{close[0]}'?"
    elif names:
        fix = f"use one of {', '.join(names)}"
    else:
        fix = "publish one there first"
    return UserError("agent", name, f"is not in the registry {where}", fix)


def unknown_version(
    name: str, version: int, known: Iterable[int], where: object
) -> UserError:
    """The error for a version that is not there, with those that are."""
    versions = ", ".join(str(n) for n in sorted(known))
    return UserError(
        "agent",
        f"{name}@{version}",
        f"has no version {version} in the registry {where}",
        f"use one of its versions: {versions}",
    )
