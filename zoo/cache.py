"""What has been read from other machines, kept on this one.

    indexes/<hash of an address>.json               the index as last read from there
    manifests/<SHA-256>.json                        by what they contain
    agents/<SHA-256>/<family>/<agent>/<version>/    whole versions, by their manifest

Two registries with the same agent share it, and one that has moved is still known. The
directory of an agent is one that TensorFlow Serving can serve.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from export.directories import TEMPORARY
from kerasmeta.errors import UserError

from . import files
from .documents import from_bytes, write_atomically
from .index import Index

ENVIRONMENT = "KERASMETA_CACHE"
LOCK_SECONDS = 600.0
DIGITS = 32  # of a hash, in names of directories; the whole hash is checked


class Cached(NamedTuple):
    """A whole version in the cache."""

    id: str  # family/agent
    version: int
    path: Path
    size: int  # bytes


class Cache:
    """A directory for copies of what registries hold. Everything in it can be lost.

    Args:
        root: The directory; by default what `KERASMETA_CACHE` names, or else where
            this platform keeps caches.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or _default()).expanduser().absolute()

    def index(self, address: str) -> Index | None:
        """The index last read from an address, if it is here and whole."""
        path = self._index_path(address)
        try:
            return from_bytes(Index, path.read_bytes(), path)
        except (OSError, UserError):
            return None

    def keep_index(self, address: str, data: bytes) -> None:
        """Keeps an index, which has been checked."""
        self._keep(self._index_path(address), data)

    def manifest(self, sha256: str) -> bytes | None:
        """The content of the manifest with this hash, if it is here and whole."""
        try:
            data = self._manifest_path(sha256).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def keep_manifest(self, sha256: str, data: bytes) -> None:
        """Keeps a manifest, whose hash has been checked."""
        self._keep(self._manifest_path(sha256), data)

    def directory(self, sha256: str, name: str, version: int) -> Path:
        """Where the version with this manifest is, once it is here."""
        return self.root / "agents" / sha256[:DIGITS] / name / str(version)

    @contextlib.contextmanager
    def locked(self, sha256: str) -> Iterator[None]:
        """Holds the lock of one version, between processes.

        Raises:
            UserError: Another process has had it for `LOCK_SECONDS`.
        """
        from filelock import FileLock, Timeout

        path = self.root / "agents" / f"{sha256[:DIGITS]}.lock"
        with self.writing():
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path, timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise UserError(
                "cache",
                str(path),
                f"has been locked by another pull for {LOCK_SECONDS:.0f} seconds",
                "try again when it has ended",
            ) from None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turns an `OSError` of the body into a `UserError`."""
        try:
            yield
        except OSError as error:
            raise UserError(
                "cache",
                str(self.root),
                f"cannot be written ({error.strerror or error})",
                f"let {ENVIRONMENT} name a directory that can be, with space in it",
            ) from None

    def _keep(self, path: Path, data: bytes) -> None:
        with self.writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data, durable=False)

    def _index_path(self, address: str) -> Path:
        name = hashlib.sha256(address.encode()).hexdigest()[:DIGITS]
        return self.root / "indexes" / f"{name}.json"

    def _manifest_path(self, sha256: str) -> Path:
        return self.root / "manifests" / f"{sha256}.json"

    # What is here, and removing it.

    def list(self) -> tuple[Cached, ...]:
        """Every whole version in the cache, by id."""
        found = []
        for path in self.root.glob(f"agents/*/*/*/*/{files.MANIFEST}"):
            if path.parent.name.isdecimal():
                name = "/".join(path.parts[-4:-2])
                size = _size(path.parent)
                found.append(Cached(name, int(path.parent.name), path.parent, size))
        return tuple(sorted(found))


def discard(path: Path) -> None:
    """Removes a directory: first out of sight at once, then for good."""
    if not path.exists() and not path.is_symlink():
        return
    aside = path.with_name(f"{TEMPORARY}old-{path.name}-{os.getpid()}")
    os.rename(path, aside)
    if aside.is_symlink() or aside.is_file():
        aside.unlink()
    else:
        shutil.rmtree(aside)


def _default() -> Path | str:
    if path := os.environ.get(ENVIRONMENT):
        return path
    import platformdirs

    return platformdirs.user_cache_path("kerasmeta", appauthor=False)


def _size(directory: Path) -> int:
    return sum((directory / path).lstat().st_size for path in files.listing(directory))
