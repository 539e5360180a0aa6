"""Sessions in the memory of this process: for one gateway, and gone with it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from ..errors import StoreFullError
from .base import Usage

OVERHEAD = 500  # bytes that Python takes for a session besides its data, about


class _Kept(NamedTuple):
    data: bytes
    step: int
    until: float


class MemoryStore:
    """See `Store`.

    Every session has the same time to live, so that the order of their last steps is
    the order in which they are forgotten. A session is never forgotten earlier to make
    room: a full store refuses new ones.

    Args:
        seconds: A session's time to live after its last step.
        limit: Bytes that all sessions may take together.
        clock: Seconds that only grow.
    """

    def __init__(
        self, seconds: float, limit: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds, self.limit, self.clock = seconds, limit, clock
        self.kept: OrderedDict[str, _Kept] = OrderedDict()
        self.size = 0

    async def create(self, name: str, data: bytes) -> None:
        """See `Store`."""
        self._forget()
        if self.size + len(data) + OVERHEAD > self.limit:
            raise StoreFullError(
                "sessions",
                len(self.kept),
                f"fill the {self.limit} bytes that this gateway may use",
                "end some, wait until some are forgotten, or give the gateway more",
            )
        self._put(name, data, 0)

    async def read(self, name: str) -> bytes | None:
        """See `Store`."""
        self._forget()
        kept = self.kept.get(name)
        return None if kept is None else kept.data

    async def replace(self, name: str, step: int, data: bytes) -> bool:
        """See `Store`. A session may outgrow the limit, by its first answer only."""
        self._forget()
        kept = self.kept.get(name)
        if kept is None or kept.step != step:
            return False
        self._put(name, data, step + 1)
        return True

    async def delete(self, name: str) -> bool:
        """See `Store`."""
        self._forget()
        return self._drop(name)

    async def check(self) -> None:
        """See `Store`."""

    def usage(self) -> Usage:
        """See `Store`."""
        self._forget()
        return Usage(len(self.kept), self.size)

    async def close(self) -> None:
        """See `Store`."""

    def _put(self, name: str, data: bytes, step: int) -> None:
        self._drop(name)
        self.kept[name] = _Kept(data, step, self.clock() + self.seconds)
        self.size += len(data) + OVERHEAD

    def _drop(self, name: str) -> bool:
        kept = self.kept.pop(name, None)
        if kept is not None:
            self.size -= len(kept.data) + OVERHEAD
        return kept is not None

    def _forget(self) -> None:
        """Drops the sessions whose time is over."""
        now = self.clock()
        while self.kept:
            name = next(iter(self.kept))
            if self.kept[name].until > now:
                return
            self._drop(name)
