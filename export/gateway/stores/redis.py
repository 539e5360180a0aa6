"""Sessions in Redis: several gateways share them, and none is lost with a gateway."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kerasmeta.errors import UserError

from ..errors import StoreFullError, StoreUnavailableError
from .base import Usage

PREFIX = "kerasmeta:session:"
TIMEOUT = 5.0  # seconds for Redis to answer

# Compares and replaces in one go, as Redis runs a script alone.
_REPLACE = """
if redis.call('HGET', KEYS[1], 'step') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'step', ARGV[2], 'data', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""


class RedisStore:
    """See `Store`. Redis counts the memory, and forgets sessions after their time.

    Args:
        address: `redis://host:port/number`, `rediss://...` or `unix://path`.
        seconds: A session's time to live after its last step.
    """

    def __init__(self, address: str, seconds: float) -> None:
        try:
            from redis import asyncio as client
            from redis import exceptions
        except ImportError:
            raise UserError(
                "store", address, "needs a package", "pip install 'kerasmeta[gateway]'"
            ) from None
        self.exceptions = exceptions
        self.milliseconds = max(1, round(seconds * 1000))
        try:
            self.redis: Any = client.from_url(
                address, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
            )
        except ValueError as error:
            raise UserError(
                "store", address, f"is no address of Redis ({error})", "mend it"
            ) from None
        self.replaced = self.redis.register_script(_REPLACE)

    async def create(self, name: str, data: bytes) -> None:
        """See `Store`."""
        with self._refusals():
            async with self.redis.pipeline(transaction=True) as commands:
                commands.hset(PREFIX + name, mapping={"step": 0, "data": data})
                commands.pexpire(PREFIX + name, self.milliseconds)
                await commands.execute()

    async def read(self, name: str) -> bytes | None:
        """See `Store`."""
        with self._refusals():
            return await self.redis.hget(PREFIX + name, "data")

    async def replace(self, name: str, step: int, data: bytes) -> bool:
        """See `Store`."""
        with self._refusals():
            arguments: list[Any] = [step, step + 1, data, self.milliseconds]
            return bool(await self.replaced(keys=[PREFIX + name], args=arguments))

    async def delete(self, name: str) -> bool:
        """See `Store`."""
        with self._refusals():
            return bool(await self.redis.delete(PREFIX + name))

    async def check(self) -> None:
        """See `Store`."""
        with self._refusals():
            await self.redis.ping()

    def usage(self) -> Usage:
        """See `Store`: nothing of it is in this process."""
        return Usage()

    async def close(self) -> None:
        """See `Store`."""
        await self.redis.aclose()

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except self.exceptions.OutOfMemoryError:
            raise StoreFullError(
                "sessions", "in Redis", "fill its maxmemory", "end some, or give more"
            ) from None
        except (self.exceptions.RedisError, OSError) as error:
            raise StoreUnavailableError(
                "store", "redis", f"cannot be reached ({error})", "ask again later"
            ) from None
