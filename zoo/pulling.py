"""Bringing a version into the cache: whole, checked, by one process at a time.

The files come into a directory of a temporary name, each hashed as it arrives, and the
directory is renamed at the end. One that was killed in between leaves what it had, and
the next goes on from there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from export.directories import TEMPORARY
from kerasmeta.errors import UserError

from . import files
from .cache import Cache, discard
from .catalogue import Found
from .files import FileEntry
from .manifest import Manifest
from .stores import MissingError, Store, receive

SIGNATURE_LIMIT = 1 << 20  # bytes

Report = Callable[[str], None]


def pull(
    store: Store, cache: Cache, found: Found, manifest: Manifest, report: Report
) -> Path:
    """Brings a version into the cache, or finds it there.

    Args:
        store: Where it is.
        cache: Where it goes.
        found: The version and its hashes, from the index.
        manifest: Its manifest; its content is in the cache already.
        report: Told what is being done, a line at a time.

    Returns:
        The version's directory. Every file in it has just been checked.

    Raises:
        UserError: A file cannot be had, or is not the one that was published.
    """
    sha256 = found.entry.manifest_sha256
    target = cache.directory(sha256, found.name, found.version)
    with cache.locked(sha256):
        if is_intact(target, manifest, found):
            return target
        with cache.writing():
            discard(target)
            staging = _staging(target)
            _check_space(cache, staging, manifest)
            _bring(store, staging, found, manifest, report)
            (staging / files.MANIFEST).write_bytes(cache.manifest(sha256) or b"")
            files.check_all(staging, manifest.files, found.entry.signature_sha256)
            # No fsync: what a loss of power may damage here is found and fetched anew.
            os.rename(staging, target)
    return target


def is_intact(directory: Path, manifest: Manifest, found: Found) -> bool:
    """Whether a version is there with every file as it was published."""
    if not directory.is_dir():
        return False
    try:
        path = directory / files.MANIFEST
        files.read_checked(path, found.entry.manifest_sha256)
        files.check_all(directory, manifest.files, found.entry.signature_sha256)
    except UserError:
        return False
    return True


def _staging(target: Path) -> Path:
    """The directory for a version on its way, with what came earlier."""
    staging = target.with_name(f"{TEMPORARY}{target.name}")
    if staging.is_symlink() or (staging.exists() and not staging.is_dir()):
        discard(staging)
    staging.mkdir(parents=True, exist_ok=True)
    return staging


def _check_space(cache: Cache, staging: Path, manifest: Manifest) -> None:
    size, free = sum(e.size for e in manifest.files), shutil.disk_usage(staging).free
    if size > free:
        raise UserError(
            "cache",
            str(cache.root),
            f"has room for {free:,} bytes, and {manifest.id}@{manifest.version} needs "
            f"{size:,}",
            "make room: kerasmeta zoo cache prune",
        )


def _bring(
    store: Store, staging: Path, found: Found, manifest: Manifest, report: Report
) -> None:
    """Brings every file, and removes whatever else there is."""
    expected = list(manifest.files)
    known = {entry.path for entry in expected} | {files.SIGNATURE}
    for path in files.listing(staging):
        if path not in known:
            (staging / path).unlink()
    base = f"{found.name}/{found.version}"
    for number, entry in enumerate(expected, start=1):
        report(f"pulling {found.reference}, file {number} of {len(expected)}")
        _fetch(store, f"{base}/{entry.path}", staging / entry.path, entry)
    if sha256 := found.entry.signature_sha256:
        source = f"{base}/{files.SIGNATURE}"
        _fetch_signature(store, source, staging / files.SIGNATURE, sha256)


def _fetch(store: Store, source: str, target: Path, entry: FileEntry) -> None:
    """Brings one file, going on with what is there of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Arriving(target, entry.size, f"{store.address}/{source}") as sink:
        begun = sink.size > 0
        if not sink.brings(store, source, entry):
            if begun:  # what was there may have been the damage
                sink.restart()
            if not begun or not sink.brings(store, source, entry):
                sink.restart()
                raise wrong(sink.name, files.CHANGED)


def _fetch_signature(store: Store, source: str, target: Path, sha256: str) -> None:
    from .stores import read

    try:
        data = read(store, source, SIGNATURE_LIMIT)
    except MissingError:
        raise wrong(f"{store.address}/{source}", "is missing") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise wrong(f"{store.address}/{source}", files.CHANGED)
    target.write_bytes(data)


def wrong(name: str, problem: str) -> UserError:
    """The error for a file of a registry that is not what it should be."""
    return UserError(
        "file", name, problem, "call again; if it stays so, ask the registry's owner"
    )


class Arriving:
    """A file on its way: hashed as it comes, and never longer than it should be.

    Args:
        path: Where it goes; the beginning may be there already.
        expected: How many bytes it should have.
        name: What errors call it.
    """

    def __init__(self, path: Path, expected: int, name: str) -> None:
        self.name, self._expected = name, expected
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        self._file = os.fdopen(descriptor, "r+b")
        self._hash = hashlib.sha256()
        if os.fstat(descriptor).st_size > expected:
            self.restart()
        while piece := self._file.read(1 << 20):
            self._hash.update(piece)

    def __enter__(self) -> Arriving:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def size(self) -> int:
        return self._file.tell()

    def write(self, data: bytes) -> int:
        if self.size + len(data) > self._expected:
            self.restart()
            problem = f"is longer than the {self._expected:,} bytes published"
            raise wrong(self.name, problem)
        self._hash.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()

    def brings(self, store: Store, source: str, entry: FileEntry) -> bool:
        """Lets the rest come, and tells whether the whole is what was published."""
        if self.size < entry.size:
            try:
                receive(store, source, self, entry.size)
            except MissingError:
                raise wrong(self.name, "is missing") from None
        self.flush()
        return self.size == entry.size and self._hash.hexdigest() == entry.sha256
