"""A registry elsewhere: read through a store, kept in a cache."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

from kerasmeta.errors import UserError

from . import files, identifiers, pulling
from .cache import Cache
from .catalogue import Catalogue, Found
from .documents import from_bytes
from .identifiers import AgentReference
from .index import INDEX, Index
from .manifest import Manifest
from .pulling import Report, wrong
from .stores import MissingError, Store, open_store, read

INDEX_LIMIT = 16 << 20  # bytes
MANIFEST_LIMIT = 4 << 20


class RemoteRegistry(Catalogue):
    """Published agents at an address. What is read is kept, and found without network.

    The index is read once by each object, and again by the next. A version that the
    cache holds and whose number is given needs no network at all.

    Args:
        address: `https://...`, `s3://...`, `gs://...`, `hf://...`, or a zip file.
        cache: Where copies are kept.
        offline: Never use the network: what the cache holds, or an error.
        report: Told what is being done, a line at a time.
    """

    def __init__(
        self,
        address: str,
        cache: Cache | None = None,
        offline: bool = False,
        report: Report = lambda line: None,
    ) -> None:
        self.address = address.rstrip("/")
        self.cache = cache or Cache()
        self.offline, self.report = offline, report
        self._index: Index | None = None

    def __repr__(self) -> str:
        return f"RemoteRegistry({self.address!r})"

    def index(self) -> Index:
        if self._index is None:
            self._index = self._kept_index() if self.offline else self._read_index()
        return self._index

    def list(self) -> tuple[Manifest, ...]:
        """The manifests of the latest version of every agent; offline, known ones."""
        agents = sorted(self.index().agents)
        if self.offline:
            agents = [name for name in agents if self._kept(self._find(name))]
        return tuple(self.show(name) for name in agents)

    def references(self) -> tuple[AgentReference, ...]:
        """Every version of every agent; offline, those that the cache holds."""
        found = super().references()
        if self.offline:
            found = tuple(r for r in found if self._place(self._find(r)).is_dir())
        return found

    def show(self, agent: str | AgentReference) -> Manifest:
        return self._manifest(self._find(agent))

    def directory(self, agent: str | AgentReference) -> Path:
        """The directory of a version in the cache; it is pulled where it is not there.

        Raises:
            UserError: A file cannot be had, or is not the one that was published.
        """
        found = self._find(agent)
        manifest = self._manifest(found)
        if self.offline:
            return self._kept_directory(found, manifest)
        return pulling.pull(self._store, self.cache, found, manifest, self.report)

    def verify(self, agent: str | AgentReference) -> Manifest:
        found = self._find(agent)
        self.directory(found.reference)  # every file of it has then been checked
        return self._manifest(found)

    @cached_property
    def _store(self) -> Store:
        return open_store(self.address, self.cache.root)

    def _find(self, agent: str | AgentReference) -> Found:
        reference = identifiers.parse(agent)
        if self._index is None and isinstance(reference.version, int):
            kept = self.cache.index(self.address)
            if kept and reference.version in kept.agents.get(reference.name, {}):
                found = self._find_in(kept, reference)
                if self._place(found).is_dir():
                    return found  # versions never change
        return super()._find(reference)

    def _place(self, found: Found) -> Path:
        sha256 = found.entry.manifest_sha256
        return self.cache.directory(sha256, found.name, found.version)

    def _manifest(self, found: Found) -> Manifest:
        """The manifest of a version: from the cache, or else from the store."""
        sha256 = found.entry.manifest_sha256
        path = f"{found.name}/{found.version}/{files.MANIFEST}"
        address = f"{self.address}/{path}"
        data = self.cache.manifest(sha256)
        if data is None:
            if self.offline:
                raise self._not_kept(found)
            try:
                data = read(self._store, path, MANIFEST_LIMIT)
            except MissingError:
                raise wrong(address, "is missing") from None
            if hashlib.sha256(data).hexdigest() != sha256:
                raise wrong(address, files.CHANGED)
            self.cache.keep_manifest(sha256, data)
        manifest = from_bytes(Manifest, data, address)
        if (manifest.id, manifest.version) != (found.name, found.version):
            raise wrong(address, f"is that of {manifest.id}@{manifest.version}")
        return manifest

    def _read_index(self) -> Index:
        try:
            data = read(self._store, INDEX, INDEX_LIMIT)
        except MissingError:
            raise UserError(
                "registry",
                self.address,
                f"has no {INDEX}",
                "check the address: it is that of the folder which holds the index",
            ) from None
        index = from_bytes(Index, data, f"{self.address}/{INDEX}")
        self._check_unchanged(index)
        self.cache.keep_index(self.address, data)
        return index

    def _check_unchanged(self, index: Index) -> None:
        """Refuses an index that gives a version other hashes than it once gave."""
        before = self.cache.index(self.address) or Index()
        for name, versions in before.agents.items():
            for version, entry in versions.items():
                now = index.agents.get(name, {}).get(version, entry)
                if now != entry:
                    raise UserError(
                        "registry",
                        self.address,
                        f"gives {name}@{version} other hashes than before, and a "
                        "version never changes",
                        "ask its owner; to trust it as it is now: kerasmeta zoo cache "
                        "prune --all",
                    )

    # Offline.

    def _kept_index(self) -> Index:
        index = self.cache.index(self.address)
        if index is None:
            raise UserError(
                "registry",
                self.address,
                "has not been read yet, and offline mode is on",
                "read it once without: kerasmeta zoo list",
            )
        return index

    def _kept(self, found: Found) -> bool:
        return self.cache.manifest(found.entry.manifest_sha256) is not None

    def _kept_directory(self, found: Found, manifest: Manifest) -> Path:
        place = self._place(found)
        if not place.is_dir():
            raise self._not_kept(found)
        if not pulling.is_intact(place, manifest, found):
            problem = "is damaged in the cache, and offline mode is on"
            fix = f"pull it again without: kerasmeta zoo pull {found.reference}"
            raise UserError("agent", str(found.reference), problem, fix)
        return place

    def _not_kept(self, found: Found) -> UserError:
        versions = self._versions(self._index or self._kept_index(), found.name)
        here = [
            f"{found.name}@{version}"
            for version, entry in sorted(versions.items())
            if self._place(Found(found.name, version, entry)).is_dir()
        ]
        fix = f"pull it without: kerasmeta zoo pull {found.reference}"
        return UserError(
            "agent",
            str(found.reference),
            "is not in the cache, and offline mode is on",
            f"{fix}, or use {', '.join(here)}" if here else fix,
        )
