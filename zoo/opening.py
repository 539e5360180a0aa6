"""From addresses to registries: one, or several that are searched in order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from kerasmeta.errors import UserError

from . import identifiers
from .catalogue import Catalogue
from .identifiers import AgentReference
from .index import Index
from .manifest import Manifest
from .registry import Registry
from .remote import RemoteRegistry

ENVIRONMENT = "KERASMETA_REGISTRY"
OFFLINE = "KERASMETA_OFFLINE"
EMBEDDED = "embedded"  # the address of the registry in the package

# A colon that ends an address: another one begins behind it.
_BEFORE_ADDRESS = re.compile(
    rf"{re.escape(os.pathsep)}(?=[a-z][a-z0-9]*://|/(?!/)|~|\.|{EMBEDDED}\b)"
)

# A registry, its folder or address; or several, which are searched in order.
Registries = Catalogue | str | Path | Sequence[Catalogue | str | Path] | None


class SearchPath(Catalogue):
    """Several registries: an agent is that of the first one that has it.

    Args:
        registries: The first one to look in, the second one, ...
    """

    def __init__(self, registries: Iterable[Catalogue]) -> None:
        self.registries = tuple(registries)
        self.address = ", ".join(one.address for one in self.registries)

    def __repr__(self) -> str:
        return f"SearchPath({list(self.registries)!r})"

    def index(self) -> Index:
        """All agents; those of a registry hide those of the same name in later ones."""
        agents: dict[str, Any] = {}
        aliases: dict[str, Any] = {}
        for index in [one.index() for one in self.registries]:
            new = set(index.agents) - set(agents)
            agents |= {name: index.agents[name] for name in new}
            aliases |= {name: index.aliases[name] for name in new & set(index.aliases)}
        return Index(agents=agents, aliases=aliases)

    def list(self) -> tuple[Manifest, ...]:
        found: dict[str, Manifest] = {}
        for one in self.registries:
            found = {**{manifest.id: manifest for manifest in one.list()}, **found}
        return tuple(found[name] for name in sorted(found))

    def references(self) -> tuple[AgentReference, ...]:
        found = {one for registry in self.registries for one in registry.references()}
        return tuple(sorted(found))

    def where(self, agent: str | AgentReference) -> Catalogue:
        """The first registry that has this version of an agent.

        Raises:
            UserError: None has.
        """
        reference = identifiers.parse(agent)
        refusals = []
        for one in self.registries:
            try:
                one.resolve(reference)
                return one
            except identifiers.UnknownAgentError as error:
                refusals.append(error)
        known = [error for error in refusals if error.version_only]
        if known:
            raise known[0]
        names = {name for one in self.registries for name in one.index().agents}
        raise identifiers.unknown_name(reference.name, names, self.address)

    def show(self, agent: str | AgentReference) -> Manifest:
        return self.where(agent).show(agent)

    def directory(self, agent: str | AgentReference) -> Path:
        return self.where(agent).directory(agent)

    def verify(self, agent: str | AgentReference) -> Manifest:
        return self.where(agent).verify(agent)

    def resolve(self, agent: str | AgentReference) -> AgentReference:
        return self.where(agent).resolve(agent)


def open_registry(
    registry: Registries = None,
    offline: bool | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Catalogue:
    """The registry that an address names, or several, to be searched in order.

    Args:
        registry: A folder, a zip file, `https://...`, `s3://...`, `gs://...`,
            `hf://owner/name`, or `embedded`, the registry in this package; or several.
            By default what the environment variable KERASMETA_REGISTRY names, between
            commas (or, as in PATH, colons), or else the embedded one.
        offline: Never use the network; by default as KERASMETA_OFFLINE says.
        report: Told what is being done, a line at a time.

    Raises:
        UserError: An address is of no known kind, or needs packages that are not there.
    """
    if offline is None:
        offline = os.environ.get(OFFLINE, "").lower() not in ("", "0", "false", "no")
    opened = [_open(one, offline, report) for one in _addresses(registry)]
    return opened[0] if len(opened) == 1 else SearchPath(opened)


def default_registry() -> Catalogue:
    """The registry in the package, or what `KERASMETA_REGISTRY` names."""
    return open_registry()


def open_folder(registry: Registries) -> Registry:
    """A registry to publish to.

    Raises:
        UserError: It is not one local folder.
    """
    opened = open_registry(registry)
    if isinstance(opened, Registry):
        return opened
    raise UserError(
        "registry",
        opened.address,
        "is not a folder on this machine, and agents are published to one",
        "give a folder (--registry FOLDER), and copy or upload the whole folder later",
    )


def split_addresses(text: str) -> list[str]:
    """The addresses in the value of `KERASMETA_REGISTRY`.

    Commas stand between them, or what stands between folders in PATH. A colon within a
    URL divides only where the next address clearly begins.
    """
    found: list[str] = []
    for part in text.split(","):
        urls = "://" in part
        found += _BEFORE_ADDRESS.split(part) if urls else part.split(os.pathsep)
    return [address.strip() for address in found if address.strip()]


def _addresses(registry: Registries) -> list[Catalogue | str | Path]:
    if isinstance(registry, (Catalogue, str, Path)):
        return [registry]
    given = list(registry or split_addresses(os.environ.get(ENVIRONMENT, "")))
    return given or [EMBEDDED]


def _open(
    address: Catalogue | str | Path, offline: bool, report: Callable[[str], None]
) -> Catalogue:
    if isinstance(address, Catalogue):
        return address
    if address == EMBEDDED:
        return Registry(Path(str(resources.files(__package__).joinpath("agents"))))
    if "://" in (text := str(address).removeprefix("file://")):
        return RemoteRegistry(text, offline=offline, report=report)
    path = Path(text).expanduser().absolute()
    if path.suffix == ".zip" and not path.is_dir():
        return RemoteRegistry(str(path), report=report)  # needs no network
    return Registry(path)
