"""Names of agents: `family/agent`, `family/agent@version`, `family/agent@alias`."""

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


# A name for a version that may move to another one, such as `stable`.
_ALIAS = r"[a-z][a-z0-9_-]{0,31}"
Alias = Annotated[str, StringConstraints(pattern=rf"^{_ALIAS}$")]
LATEST = "latest"  # the alias that every agent has


class AgentReference(NamedTuple):
    """A parsed id. Version None is the latest; text is an alias."""

    name: str  # family/agent
    version: int | str | None

    @property
    def family(self) -> str:
        return self.name.split("/")[0]

    @property
    def agent(self) -> str:
        return self.name.split("/")[1]

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


class UnknownAgentError(UserError):
    """A registry has no such agent; or it has, but not that version or alias of it.

    Attributes:
        version_only: The latter.
    """

    version_only = False


def parse(text: str | AgentReference) -> AgentReference:
    """Reads `family/agent`, with `@version` or `@alias` behind it or not.

    Raises:
        UserError: The text is no such id.
    """
    if isinstance(text, AgentReference):
        return text
    match = isinstance(text, str) and re.fullmatch(
        rf"({_PART}/{_PART})(?:@([1-9][0-9]{{0,8}}|{_ALIAS}))?", text
    )
    if not match:
        raise UserError(
            "agent",
            text,
            "is not the id of an agent",
            "give family/agent, family/agent@version or family/agent@alias, as in "
            "two_step/lstm@1",
        )
    name, version = match.groups()
    return AgentReference(name, int(version) if (version or "").isdigit() else version)


def is_name(text: str) -> bool:
    """Whether a text is `family/agent`."""
    return re.fullmatch(rf"{_PART}/{_PART}", text) is not None


def parse_name(text: str) -> str:
    """Reads `family/agent`; the version of a new agent is not part of its id."""
    reference = parse(text)
    if reference.version is not None:
        raise UserError(
            "agent", text, "names a version", f"give {reference.name} and version="
        )
    return reference.name


def check_alias(alias: str) -> None:
    """Refuses what cannot be an alias."""
    if alias == LATEST:
        raise UserError(
            "alias", alias, "is always the highest version", "choose another name"
        )
    if not isinstance(alias, str) or not re.fullmatch(_ALIAS, alias):
        raise UserError(
            "alias",
            alias,
            "is not a name for a version",
            "use at most 32 lower-case letters, digits, - and _, a letter first",
        )


def unknown_name(name: str, known: Iterable[str], where: object) -> UnknownAgentError:
    """The error for an agent that is not there, with the closest one that is."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        fix = f"did you mean '{close[0]}'?"
    elif names:
        fix = f"use one of {', '.join(names)}"
    else:
        fix = "publish one there first"
    return UnknownAgentError("agent", name, f"is not in the registry {where}", fix)


def unknown_version(
    reference: AgentReference,
    versions: Iterable[int],
    aliases: Iterable[str],
    where: object,
) -> UnknownAgentError:
    """The error for a version or alias that is not there, with those that are."""
    what = "alias" if isinstance(reference.version, str) else "version"
    known = ", ".join(str(version) for version in sorted(versions))
    named = ", ".join([LATEST, *sorted(aliases)])
    error = UnknownAgentError(
        "agent",
        str(reference),
        f"has no {what} {reference.version} in the registry {where}",
        f"use one of its versions: {known} (aliases: {named})",
    )
    error.version_only = True
    return error
