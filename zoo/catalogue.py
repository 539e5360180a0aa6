"""What every registry answers, wherever its files are: agents by id, from its index."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import NamedTuple

from . import identifiers
from .identifiers import LATEST, AgentReference
from .index import Index, IndexEntry
from .manifest import Manifest


class Found(NamedTuple):
    """A version that an index holds."""

    name: str  # family/agent
    version: int
    entry: IndexEntry

    @property
    def reference(self) -> AgentReference:
        return AgentReference(self.name, self.version)


class Catalogue(abc.ABC):
    """A registry to read from.

    An agent is named `family/agent`, which means the latest version,
    `family/agent@version` or `family/agent@alias`. Every answer comes from a manifest
    whose hash the index holds.

    Attributes:
        address: Where it is: a folder or a URL.
    """

    address: str

    @abc.abstractmethod
    def index(self) -> Index:
        """The versions of every agent, and their hashes."""

    @abc.abstractmethod
    def show(self, agent: str | AgentReference) -> Manifest:
        """The manifest of a version; its hash is checked."""

    @abc.abstractmethod
    def directory(self, agent: str | AgentReference) -> Path:
        """The directory of a version on this machine."""

    @abc.abstractmethod
    def verify(self, agent: str | AgentReference) -> Manifest:
        """Checks every file of a version; a missing or additional file is an error.

        Returns:
            The manifest.
        """

    def where(self, agent: str | AgentReference) -> Catalogue:
        """The one registry that an agent is in, of several that are searched: this."""
        self._find(agent)
        return self

    def list(self) -> tuple[Manifest, ...]:
        """The manifests of the latest version of every agent, by id."""
        return tuple(self.show(name) for name in sorted(self.index().agents))

    def versions(self, agent: str) -> tuple[int, ...]:
        """The versions of `family/agent`, the oldest first."""
        name = identifiers.parse(agent).name
        return tuple(sorted(self._versions(self.index(), name)))

    def references(self) -> tuple[AgentReference, ...]:
        """Every version of every agent, by id, the oldest first."""
        return tuple(
            AgentReference(name, version)
            for name, versions in sorted(self.index().agents.items())
            for version in sorted(versions)
        )

    def aliases(self, agent: str) -> dict[str, int]:
        """The aliases of `family/agent` and the versions they name; not `latest`."""
        name, index = identifiers.parse(agent).name, self.index()
        self._versions(index, name)
        return dict(index.aliases.get(name, {}))

    def resolve(self, agent: str | AgentReference) -> AgentReference:
        """The id with its version: the one asked for, or the latest.

        Raises:
            UserError: There is no such agent, version or alias.
        """
        return self._find(agent).reference

    def _find(self, agent: str | AgentReference) -> Found:
        return self._find_in(self.index(), identifiers.parse(agent))

    def _find_in(self, index: Index, reference: AgentReference) -> Found:
        name, version = reference
        versions = self._versions(index, name)
        aliases = index.aliases.get(name, {})
        if version is None or version == LATEST:
            version = max(versions)
        elif isinstance(version, str):
            version = aliases.get(version, 0)
        if version not in versions:
            raise identifiers.unknown_version(
                reference, versions, aliases, self.address
            )
        return Found(name, version, versions[version])

    def _versions(self, index: Index, name: str) -> dict[int, IndexEntry]:
        if name not in index.agents:
            raise identifiers.unknown_name(name, index.agents, self.address)
        return index.agents[name]
