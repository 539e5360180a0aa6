"""Stores of sessions: what is kept, for how long, and who may replace it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving.processes import redis_server

from export.client import ServedState
from export.errors import WrongSchemaError
from export.gateway import sessions
from export.gateway.errors import StoreFullError, StoreUnavailableError
from export.gateway.sessions import Session
from export.gateway.stores import Store, open_store
from export.gateway.stores.memory import OVERHEAD, MemoryStore
from kerasmeta.errors import UserError

SECONDS = 1.0


def use(store: Store, work: Callable[[Store], Awaitable[Any]]) -> Any:
    """Runs a coroutine on a store, and closes it in the same event loop."""

    async def run() -> Any:
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


class StoreContract:
    """What every store does; inherit it and give the fixture `address`."""

    def store(self, address: str) -> Store:
        return open_store(address, SECONDS, 10_000)

    def test_created_read_replaced_deleted(self, address: str) -> None:
        async def work(store: Store) -> None:
            await store.check()
            assert await store.read("a") is None
            await store.create("a", b"0")
            assert await store.read("a") == b"0"
            assert await store.replace("a", 0, b"1")
            assert await store.read("a") == b"1"
            assert await store.delete("a")
            assert not await store.delete("a")
            assert await store.read("a") is None
            assert not await store.replace("a", 1, b"2")

        use(self.store(address), work)

    def test_of_two_who_read_the_same_step_one_replaces_it(self, address: str) -> None:
        async def work(store: Store) -> None:
            await store.create("b", b"0")
            both = await asyncio.gather(
                *(store.replace("b", 0, data) for data in (b"1", b"one"))
            )
            assert sorted(both) == [False, True]
            assert await store.read("b") == (b"1" if both[0] else b"one")
            assert not await store.replace("b", 0, b"late")
            assert await store.replace("b", 1, b"2")

        use(self.store(address), work)

    def test_forgotten_a_while_after_the_last_step(self, address: str) -> None:
        async def work(store: Store) -> None:
            await store.create("c", b"0")
            await store.create("d", b"0")
            await asyncio.sleep(0.6 * SECONDS)
            assert await store.replace("c", 0, b"1")
            await asyncio.sleep(0.6 * SECONDS)
            assert await store.read("c") == b"1"
            assert await store.read("d") is None
            assert not await store.replace("d", 0, b"1")
            await store.delete("c")

        use(self.store(address), work)


class TestMemory(StoreContract):
    """In this process."""

    @pytest.fixture
    def address(self) -> str:
        return "memory"

    def test_a_full_store_refuses_and_forgets_nobody(self) -> None:
        now = [0.0]
        store = MemoryStore(10.0, 2 * (100 + OVERHEAD), lambda: now[0])

        async def work(store: Any) -> None:
            await store.create("a", bytes(100))
            await store.create("b", bytes(100))
            with pytest.raises(StoreFullError, match="fill the 1200 bytes"):
                await store.create("c", b"")
            assert await store.read("a") == bytes(100)
            now[0] = 5.0
            await store.replace("b", 0, bytes(50))
            now[0] = 10.0  # the time of a is over
            assert (store.usage().sessions, store.usage().size) == (1, 50 + OVERHEAD)
            await store.create("c", bytes(100))

        use(store, work)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as address:
        yield address


class TestRedis(StoreContract):
    """In a Redis of Debian's, which the tests start."""

    @pytest.fixture
    def address(self, redis: str) -> str:
        return redis

    def test_another_gateway_reads_what_one_kept(self, address: str) -> None:
        use(self.store(address), lambda store: store.create("e", b"kept"))
        found = use(self.store(address), lambda store: store.read("e"))
        assert found == b"kept"

    def test_full(self, tmp_path: Path) -> None:
        options = ("--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
        with redis_server(tmp_path, *options) as address:

            async def work(store: Store) -> None:
                for n in range(100):
                    await store.create(f"{n}", bytes(100_000))

            with pytest.raises(StoreFullError, match="maxmemory"):
                use(self.store(address), work)


def test_a_redis_that_is_gone() -> None:
    store = open_store("redis://127.0.0.1:1/0", SECONDS, 0)
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        use(store, lambda store: store.check())


@pytest.mark.parametrize("address", ["sqlite://x", "", "redis://host:port/0"])
def test_no_such_store(address: str) -> None:
    with pytest.raises(UserError, match="store"):
        open_store(address, 1.0, 1)


def _session() -> Session:
    tensors = {"state_seed": np.ones([2, 2], np.int32), "state_h": np.zeros([2, 3])}
    state = ServedState("m", 3, "f" * 64, tensors)
    return Session(state, 7, 4, "abc", {"done": np.array([True, False])})


def test_a_session_survives_its_bytes() -> None:
    session = _session()
    back = Session.from_bytes(session.to_bytes())
    assert back.state[:3] == session.state[:3]
    assert (back.seed, back.step, back.seen) == (7, 4, "abc")
    for mine, theirs in (
        (session.state.tensors, back.state.tensors),
        (session.answer, back.answer),
    ):
        assert mine.keys() == theirs.keys()
        for key in mine:
            np.testing.assert_array_equal(mine[key], theirs[key])
            assert mine[key].dtype == theirs[key].dtype


@pytest.mark.parametrize("damage", [b"", b"x" * 40, "cut", "flip"])
def test_bytes_that_are_no_session(damage: Any) -> None:
    data = _session().to_bytes()
    broken = {"cut": data[:-3], "flip": b"\xff" + data[1:]}.get(damage, damage)
    with pytest.raises(WrongSchemaError, match="no session"):
        Session.from_bytes(broken)


def test_names_cannot_be_guessed_and_others_are_none() -> None:
    names = {sessions.new_name() for _ in range(100)}
    assert len(names) == 100
    assert all(sessions.check_name(name) == name for name in names)
    for odd in ("", "a" * 23, "../../../../etc/passwd", None, 5, "ä" * 22, "a\n" * 11):
        with pytest.raises(sessions.UnknownSessionError):
            sessions.check_name(odd)
