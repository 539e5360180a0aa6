"""The one thing a store does: send the bytes of a file, from some point on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kerasmeta.errors import UserError

CHUNK = 1 << 14  # bytes; at most so much is lost where a connection breaks
ATTEMPTS = 4  # in a row that bring nothing new
PAUSE = 0.5  # seconds before the second attempt; twice as long before each further one
CLOUD = ("s3", "gs", "gcs", "memory")  # memory: for tests
SCHEMES = ("http", "https", "s3", "gs", "hf")

# Waits between two attempts; tests do not.
sleep: Callable[[float], None] = time.sleep


class MissingError(Exception):
    """The store has no such file."""


class BrokenError(Exception):
    """The file stopped coming, or never came; another attempt may do."""


class Sink(Protocol):
    """Where the bytes of a file go."""

    @property
    def size(self) -> int:
        """How many bytes are here. The next to come is the one after them."""

    def write(self, data: bytes) -> int:
        """Takes the next bytes."""

    def flush(self) -> None:
        """Is called when all has come."""

    def restart(self) -> None:
        """Forgets what is here: the store can only send the file from its beginning."""


class Store(Protocol):
    """A tree of files that can be read.

    Attributes:
        address: Where it is, as the user gave it.
    """

    address: str

    def send(self, path: str, sink: Sink) -> None:
        """Writes a file into a sink, from `sink.size` on.

        Args:
            path: Below the store's address, with `/`.
            sink: Gets the bytes in order.

        Raises:
            MissingError: There is no such file.
            BrokenError: It broke off. What came is in the sink.
            UserError: The store refuses, and another attempt is no use.
        """


def open_store(address: str, cache: Path) -> Store:
    """The store at an address. Nothing is read yet.

    Args:
        address: `https://...`, `s3://...`, `gs://...`, `hf://...` or a zip file.
        cache: A directory for what a store's own library keeps.

    Raises:
        UserError: The address is of no such kind, or a package is not installed.
    """
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme in ("http", "https"):
        from .web import WebStore

        return WebStore(address)
    if scheme == "hf":
        from .hub import HubStore

        return HubStore(address, cache)
    if scheme in CLOUD:
        from .cloud import CloudStore

        return CloudStore(address)
    if not scheme:
        from .archive import ArchiveStore

        return ArchiveStore(address)
    known = ", ".join(f"{name}://" for name in SCHEMES)
    raise UserError(
        "registry",
        address,
        f"is of the unknown kind {scheme}://",
        f"give a folder, a .zip file or an address that begins with one of {known}",
    )


def receive(store: Store, path: str, sink: Sink, size: int = 0) -> None:
    """Has a file sent into a sink, going on where a broken connection stopped.

    Args:
        store: Where it is.
        path: Its path there.
        sink: Where it goes.
        size: How long it should be at least; not every server tells when it broke off.

    Raises:
        MissingError: There is no such file.
        UserError: It broke off `ATTEMPTS` times without anything new.
    """
    failures, furthest = 0, sink.size
    while True:
        try:
            store.send(path, sink)
            if sink.size >= size:
                return
            raise BrokenError(f"it ended before its {size:,} bytes")
        except BrokenError as error:
            failures = 1 if sink.size > furthest else failures + 1
            furthest = max(furthest, sink.size)
            if failures == ATTEMPTS:
                raise _unreachable(store, path, furthest, error) from None
        sleep(PAUSE * 2 ** (failures - 1))


def read(store: Store, path: str, limit: int) -> bytes:
    """The content of a small file.

    Raises:
        MissingError: There is no such file.
        UserError: It is larger than `limit` bytes, or cannot be had.
    """
    sink = _Memory(store, path, limit)
    receive(store, path, sink)
    return bytes(sink.data)


class _Memory:
    """A sink in memory, with an end."""

    def __init__(self, store: Store, path: str, limit: int) -> None:
        self.data = bytearray()
        self._store, self._path, self._limit = store, path, limit

    @property
    def size(self) -> int:
        return len(self.data)

    def write(self, data: bytes) -> int:
        if len(self.data) + len(data) > self._limit:
            raise UserError(
                "registry",
                self._store.address,
                f"sends more than {self._limit:,} bytes as {self._path}",
                "do not use it, or ask its owner",
            )
        self.data += data
        return len(data)

    def flush(self) -> None:
        pass

    def restart(self) -> None:
        self.data.clear()


def _unreachable(store: Store, path: str, size: int, error: Exception) -> UserError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    cached = "use what is in the cache: --offline, or KERASMETA_OFFLINE=1"
    if not size:
        problem, fix = (
            f"cannot be reached ({reason})",
            f"check the address, or {cached}",
        )
    else:
        problem = f"stopped sending {path} after {size:,} bytes ({reason})"
        fix = f"call again, which goes on from there, or {cached}"
    return UserError("registry", store.address, problem, fix)
