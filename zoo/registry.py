"""A registry: a folder `<family>/<agent>/<version>/` of published agents."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from . import files, identifiers
from .documents import from_bytes
from .identifiers import AgentReference
from .index import Index, IndexEntry, read_index
from .manifest import Manifest, Submission
from .writing import Published, Writer, add_version, check_place, rebuild

ENVIRONMENT = "KERASMETA_REGISTRY"


class Registry:
    """Published agents in a local folder. Versions are immutable.

    Every answer comes from a manifest whose hash the index holds. An agent is named
    `family/agent`, which means the latest version, or `family/agent@version`.

    Args:
        path: The folder. Publishing makes it where it does not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()

    def __repr__(self) -> str:
        return f"Registry({str(self.path)!r})"

    def list(self) -> tuple[Manifest, ...]:
        """The manifests of the latest version of every agent, by id."""
        return tuple(self.show(name) for name in sorted(read_index(self.path).agents))

    def versions(self, agent: str) -> tuple[int, ...]:
        """The versions of `family/agent`, the oldest first."""
        return tuple(sorted(self._versions(identifiers.parse(agent).name)))

    def resolve(self, agent: str | AgentReference) -> AgentReference:
        """The id with its version: the one asked for, or the latest.

        Raises:
            UserError: There is no such agent or version.
        """
        name, version, _ = self._find(agent)
        return AgentReference(name, version)

    def directory(self, agent: str | AgentReference) -> Path:
        """The directory of a version."""
        name, version, _ = self._find(agent)
        return self.path / name / str(version)

    def show(self, agent: str | AgentReference) -> Manifest:
        """The manifest of a version; its hash is checked."""
        name, version, entry = self._find(agent)
        path = self.path / name / str(version) / files.MANIFEST
        data = files.read_checked(path, entry.manifest_sha256)
        manifest = from_bytes(Manifest, data, path)
        check_place(path, manifest, self.path)
        return manifest

    def verify(self, agent: str | AgentReference) -> Manifest:
        """Checks every file of a version; a missing or additional file is an error.

        Returns:
            The manifest.
        """
        reference = self.resolve(agent)
        manifest, directory = self.show(reference), self.directory(reference)
        files.check(directory, manifest.files)
        files.check_no_others(directory, manifest.files)
        return manifest

    def publish(
        self,
        agent: str,
        submission: Submission,
        write: Writer,
        version: int | None = None,
    ) -> Published:
        """Adds a version: complete, or not at all. `zoo.publish` calls it.

        Args:
            agent: `family/agent`.
            submission: What to say about it.
            write: Puts the agent's files into an empty directory.
            version: Its number; by default the next one.

        Raises:
            UserError: The version exists, or the folder cannot be written.
        """
        name = identifiers.parse_name(agent)
        return add_version(self.path, name, submission, write, version)

    def rebuild_index(self) -> Index:
        """Writes the index anew from the files as they are, which are thereby trusted.

        Raises:
            UserError: A version is damaged. The index is then left alone.
        """
        return rebuild(self.path)

    def _find(self, agent: str | AgentReference) -> tuple[str, int, IndexEntry]:
        name, version = identifiers.parse(agent)
        versions = self._versions(name)
        if version is None:
            version = max(versions)
        if version not in versions:
            raise identifiers.unknown_version(name, version, versions, self.path)
        return name, version, versions[version]

    def _versions(self, name: str) -> dict[int, IndexEntry]:
        index = read_index(self.path)
        if name not in index.agents:
            raise identifiers.unknown_name(name, index.agents, self.path)
        return index.agents[name]


def default_registry() -> Registry:
    """The registry in the package, or the one `KERASMETA_REGISTRY` names."""
    if path := os.environ.get(ENVIRONMENT):
        return Registry(path)
    return Registry(Path(str(resources.files(__package__).joinpath("agents"))))


def open_registry(registry: Registry | str | Path | None) -> Registry:
    """A registry from what callers give: one, its path, or None for the default."""
    if registry is None:
        return default_registry()
    return registry if isinstance(registry, Registry) else Registry(registry)
