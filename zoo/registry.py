"""A registry: a folder `<family>/<agent>/<version>/` of published agents."""

from __future__ import annotations

from pathlib import Path

from . import files, identifiers
from .catalogue import Catalogue
from .documents import from_bytes
from .identifiers import AgentReference
from .index import Index, read_index
from .manifest import Manifest, Submission
from .writing import (
    Published,
    Writer,
    add_version,
    change_alias,
    check_free,
    check_place,
    rebuild,
)


class Registry(Catalogue):
    """Published agents in a local folder. Versions are immutable.

    Args:
        path: The folder. Publishing makes it where it does not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()
        self.address = str(self.path)

    def __repr__(self) -> str:
        return f"Registry({self.address!r})"

    def index(self) -> Index:
        return read_index(self.path)

    def directory(self, agent: str | AgentReference) -> Path:
        found = self._find(agent)
        return self.path / found.name / str(found.version)

    def show(self, agent: str | AgentReference) -> Manifest:
        name, version, entry = self._find(agent)
        path = self.path / name / str(version) / files.MANIFEST
        data = files.read_checked(path, entry.manifest_sha256)
        manifest = from_bytes(Manifest, data, path)
        check_place(path, manifest, self.path)
        return manifest

    def verify(self, agent: str | AgentReference) -> Manifest:
        name, version, entry = self._find(agent)
        manifest = self.show(AgentReference(name, version))
        directory = self.path / name / str(version)
        files.check_all(directory, manifest.files, entry.signature_sha256)
        return manifest

    def publish(
        self,
        agent: str,
        submission: Submission,
        write: Writer,
        version: int | None = None,
        sign: Path | None = None,
    ) -> Published:
        """Adds a version: complete, or not at all. `zoo.publish` calls it.

        Args:
            agent: `family/agent`.
            submission: What to say about it.
            write: Puts the agent's files into an empty directory.
            version: Its number; by default the next one.
            sign: The file of a private key (elliptic curve, PEM) to sign it with.

        Raises:
            UserError: The version exists, or the folder cannot be written.
        """
        name = identifiers.parse_name(agent)
        return add_version(self.path, name, submission, write, version, sign)

    def check_free(self, agent: str, version: int | None = None) -> None:
        """Refuses what `publish` would refuse, before the work that leads to it.

        Raises:
            UserError: The version exists, or the index is damaged.
        """
        check_free(self.path, identifiers.parse_name(agent), version)

    def set_alias(self, agent: str, alias: str) -> AgentReference:
        """Lets an alias, such as `stable`, name a version. It may move later.

        Args:
            agent: `family/agent@version`, or `family/agent` for the latest.
            alias: Lower-case letters, digits, `-` and `_`; not `latest`.

        Returns:
            The version that it names now.
        """
        identifiers.check_alias(alias)
        found = self._find(agent)
        change_alias(self.path, found.name, alias, found.version)
        return found.reference

    def remove_alias(self, agent: str, alias: str) -> None:
        """Removes an alias of `family/agent`; the version stays.

        Raises:
            UserError: There is no such alias.
        """
        name = identifiers.parse_name(agent)
        identifiers.check_alias(alias)
        self._find(AgentReference(name, alias))
        change_alias(self.path, name, alias, None)

    def rebuild_index(self) -> Index:
        """Writes the index anew from the files as they are, which are thereby trusted.

        Raises:
            UserError: A version is damaged. The index is then left alone.
        """
        return rebuild(self.path)
