"""What every store of sessions does."""

from __future__ import annotations

from typing import Protocol

from kerasmeta.errors import UserError

MEMORY = "memory"


class Usage:
    """How much a store holds."""

    def __init__(self, sessions: int = 0, size: int = 0) -> None:
        self.sessions, self.size = sessions, size  # size in bytes


class Store(Protocol):
    """Sessions by name, as bytes, each with the number of its next step.

    Whoever steps a session reads it, computes, and replaces it: `replace` succeeds only
    where the step is still the one that was read, so that of two gateways (or two
    requests) that step a session at once only one does.
    """

    async def create(self, name: str, data: bytes) -> None:
        """Keeps a new session, at step 0.

        Raises:
            StoreFullError: There is no room.
            StoreUnavailableError: The store cannot be reached (of every method).
        """

    async def read(self, name: str) -> bytes | None:
        """A session's bytes; None where it is not there any more."""

    async def replace(self, name: str, step: int, data: bytes) -> bool:
        """Replaces a session that is at `step` by one at the next step.

        Its time to live begins anew. False where it is at another step, or gone.
        """

    async def delete(self, name: str) -> bool:
        """Forgets a session; False where there was none."""

    async def check(self) -> None:
        """Returns where the store can be reached."""

    def usage(self) -> Usage:
        """What this process knows of how much is held."""

    async def close(self) -> None:
        """Lets go of connections."""


def open_store(address: str, seconds: float, limit: int) -> Store:
    """The store for an address: `memory`, or `redis://host:port/number`.

    Args:
        address: See above; `rediss://` is Redis with TLS, `unix://` a socket.
        seconds: A session's time to live after its last step.
        limit: Bytes that the sessions may take in this process. Redis has a limit of
            its own (`maxmemory`), and must not evict (`maxmemory-policy noeviction`).

    Raises:
        UserError: There is no such store, or its client is not installed.
    """
    if address == MEMORY:
        from .memory import MemoryStore

        return MemoryStore(seconds, limit)
    if address.partition("://")[0] in ("redis", "rediss", "unix"):
        from .redis import RedisStore

        return RedisStore(address, seconds)
    raise UserError(
        "store", address, "is unknown", f"give {MEMORY} or redis://host:port/number"
    )
