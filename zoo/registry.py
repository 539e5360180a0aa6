"""A registry: a folder `<family>/<agent>/<version>/` of published agents."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from export.contracts import Contract
from export.directories import TEMPORARY, appearing
from kerasmeta.errors import UserError

from . import files, identifiers
from .card import render
from .documents import from_bytes, to_bytes
from .identifiers import AgentReference
from .index import INDEX, Index, IndexEntry, read_index, write_index
from .manifest import Manifest, Submission

LOCK = ".lock"
LOCK_SECONDS = 120.0
ENVIRONMENT = "KERASMETA_REGISTRY"


class Published(NamedTuple):
    """A version of an agent and where it is."""

    id: str  # family/agent
    version: int
    path: Path
    manifest: Manifest


class Registry:
    """Published agents in a local folder. Versions are immutable.

    Every answer comes from a manifest whose hash the index holds.

    Args:
        path: The folder. Publishing makes it where it does not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()

    def __repr__(self) -> str:
        return f"Registry({str(self.path)!r})"

    def list(self) -> tuple[Manifest, ...]:
        """The manifests of the latest version of every agent, by id."""
        return tuple(self.show(name) for name in sorted(self._index().agents))

    def versions(self, agent: str) -> tuple[int, ...]:
        """The versions of `family/agent`, the oldest first."""
        name = identifiers.parse(agent).name
        return tuple(sorted(self._versions(name)))

    def resolve(self, agent: str | AgentReference) -> AgentReference:
        """The id with its version: the one asked for, or the latest.

        Raises:
            UserError: There is no such agent or version.
        """
        name, version = identifiers.parse(agent)
        versions = self._versions(name)
        if version is None:
            version = max(versions)
        if version not in versions:
            raise identifiers.unknown_version(name, version, versions, self.path)
        return AgentReference(name, version)

    def directory(self, agent: str | AgentReference) -> Path:
        """The directory of a version (by default the latest)."""
        reference = self.resolve(agent)
        return self._directory(reference.name, reference.version or 0)

    def show(self, agent: str | AgentReference) -> Manifest:
        """The manifest of a version (by default the latest); its hash is checked."""
        reference = self.resolve(agent)
        entry = self._versions(reference.name)[reference.version or 0]
        path = self.directory(reference) / files.MANIFEST
        data = files.read_checked(path, entry.manifest_sha256)
        manifest = from_bytes(Manifest, data, path)
        if (manifest.id, manifest.version) != reference:
            raise UserError(
                files.MANIFEST,
                str(path),
                f"is that of {manifest.id}@{manifest.version}",
                "restore the file, or publish the agent anew",
            )
        return manifest

    def verify(self, agent: str | AgentReference) -> Manifest:
        """Checks every file of a version; a missing or additional file is an error.

        Returns:
            The manifest.
        """
        reference = self.resolve(agent)
        manifest = self.show(reference)
        directory = self.directory(reference)
        files.check(directory, manifest.files)
        files.check_no_others(directory, manifest.files)
        return manifest

    def publish(
        self,
        agent: str,
        submission: Submission,
        write: Callable[[Path], Contract],
        version: int | None = None,
    ) -> Published:
        """Adds a version: complete, or not at all.

        Args:
            agent: `family/agent`.
            submission: What to say about it.
            write: Puts the agent's files into an empty directory.
            version: Its number; by default the next one.

        Raises:
            UserError: The version exists, or the folder cannot be written.
        """
        name = identifiers.parse(agent).name
        with self._locked():
            index = self._index_for_publishing()
            self._remove_leftovers(name)
            version = version or self._next_version(index, name)
            target = self._directory(name, version)
            _check_free(name, version, index, target)
            with appearing(target, "version") as directory:
                manifest = _complete(name, version, submission, write, directory)
            sha256 = files.digest(target / files.MANIFEST)
            write_index(self.path, index.with_version(name, version, sha256))
        return Published(name, version, target, manifest)

    def rebuild_index(self) -> Index:
        """Writes the index anew from the files as they are, which are thereby trusted.

        Raises:
            UserError: A version is damaged. The index is then left alone.
        """
        with self._locked():
            index = Index()
            for path in sorted(self.path.glob(f"*/*/*/{files.MANIFEST}")):
                data = path.read_bytes()
                manifest = from_bytes(Manifest, data, path)
                if path.parent != self._directory(manifest.id, manifest.version):
                    raise UserError(
                        files.MANIFEST,
                        str(path),
                        f"is that of {manifest.id}@{manifest.version}",
                        "move the directory to where it belongs",
                    )
                files.check(path.parent, manifest.files)
                files.check_no_others(path.parent, manifest.files)
                index = index.with_version(
                    manifest.id, manifest.version, files.digest(path)
                )
            write_index(self.path, index)
        return index

    def _index(self) -> Index:
        return read_index(self.path)

    def _index_for_publishing(self) -> Index:
        """The index; written here for a folder that holds no agents yet."""
        manifests = self.path.glob(f"*/*/*/{files.MANIFEST}")
        if not (self.path / INDEX).exists() and not any(manifests):
            write_index(self.path, Index())
        return self._index()

    def _versions(self, name: str) -> dict[int, IndexEntry]:
        index = self._index()
        if name not in index.agents:
            raise identifiers.unknown_name(name, index.agents, self.path)
        return index.agents[name]

    def _directory(self, name: str, version: int) -> Path:
        return self.path / name / str(version)

    def _next_version(self, index: Index, name: str) -> int:
        """One more than any version, including directories the index lacks."""
        there = [path.name for path in (self.path / name).glob("*")]
        taken = {int(version) for version in there if version.isdecimal()}
        return max(taken | set(index.agents.get(name, {})), default=0) + 1

    def _remove_leftovers(self, name: str) -> None:
        """Removes what a killed publish left. Only while holding the lock."""
        for path in (self.path / name).glob(f"{TEMPORARY}*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.path.glob(f"{TEMPORARY}*"):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path / LOCK, timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise UserError(
                "registry",
                str(self.path),
                f"has been locked by another publish for {LOCK_SECONDS:.0f} seconds",
                "try again when it has ended",
            ) from None
        except OSError as error:
            raise UserError(
                "registry",
                str(self.path),
                f"cannot be written ({error.strerror or error})",
                "give a directory that can be written to",
            ) from None


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


def _check_free(name: str, version: int, index: Index, target: Path) -> None:
    """Refuses a version that exists, in the index or as a directory."""
    if version in index.agents.get(name, {}) or target.exists():
        raise UserError(
            "version",
            version,
            f"of {name} exists already, and nothing is overwritten",
            "leave the version out to get the next one",
        )


def _complete(
    name: str,
    version: int,
    submission: Submission,
    write: Callable[[Path], Contract],
    directory: Path,
) -> Manifest:
    """Writes everything a version holds; the manifest, which lists the rest, last."""
    contract = write(directory)
    manifest = Manifest(
        **dict(submission),
        id=name,
        version=version,
        created=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
        contract=contract,
    )
    (directory / files.CARD).write_text(render(manifest), encoding="utf-8")
    manifest = manifest.model_copy(update={"files": files.entries(directory)})
    (directory / files.MANIFEST).write_bytes(to_bytes(manifest))
    return manifest
