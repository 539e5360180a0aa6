"""Sessions: begun, stepped, described and ended, whatever the protocol."""

from __future__ import annotations

import asyncio
import secrets
import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..client import checks, states
from ..client.states import ServedState
from ..contracts import Contract, TensorContract
from ..errors import WrongSchemaError
from . import sessions
from .errors import RequestError, WrongStepError
from .serving import Serving
from .sessions import Session
from .stores import Store

Tensors = dict[str, np.ndarray]
LONGEST = 200  # characters of an agent's name, a label or a hash
MOST_LIFETIMES = 1024


class Wish(NamedTuple):
    """What a client begins."""

    agent: Any
    version: Any = None
    label: Any = None
    lifetimes: Any = None
    seed: Any = None
    schema: Any = None


class Described(NamedTuple):
    """A session as its client may know it."""

    name: str
    session: Session
    observation: dict[str, TensorContract]


class Gateway:
    """The sessions of every agent of one server.

    Args:
        serving: The server.
        store: Where the sessions are.
    """

    def __init__(self, serving: Serving, store: Store) -> None:
        self.serving, self.store = serving, store
        self._contracts: dict[tuple[str, int], Contract] = {}
        # A lock is there as long as somebody holds it or waits for it.
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock]
        self._locks = weakref.WeakValueDictionary()

    async def begin(self, wish: Wish) -> Described:
        """A new session, of a version that it keeps to.

        Raises:
            ServingError: The wish is no wish, or cannot be granted (of every method).
        """
        version, lifetimes, seed = _check(wish)
        found = await self.serving.describe(wish.agent, version)
        contract = self._contracts[wish.agent, found.number] = found.contract
        _check_schema(wish, found.number, contract.state_sha256)
        [(name, _)] = contract.signatures["initial_state"].inputs.items()
        seeds = {name: states.lifetime_seeds(seed, lifetimes)}
        tensors = await self.serving.predict(
            wish.agent, found.number, "initial_state", seeds
        )
        checks.check_outputs(tensors, contract.state, lifetimes)
        schema = contract.state_sha256
        state = ServedState(wish.agent, found.number, schema, tensors)
        begun = Described(
            sessions.new_name(), Session(state, seed, 0, "", {}), _observed(contract)
        )
        await self.store.create(begun.name, begun.session.to_bytes())
        return begun

    async def step(
        self, name: Any, step: Any, observation: Mapping[str, Any]
    ) -> tuple[int, Tensors]:
        """Takes a session's next step, or repeats the answer to its last one.

        Args:
            name: The session's.
            step: The number of the step; None: the next one.
            observation: By name, what the task shows; batch-first.

        Returns:
            The number of the step and what the agent gives besides its state.
        """
        sessions.check_name(name)
        _check_number("step", step, 0, 2**53)
        async with self._locks.setdefault(name, asyncio.Lock()):
            session = await self._read(name)
            contract = await self._contract(session.state)
            shown = _shown(observation, _observed(contract), session.state.batch_size)
            if step is not None and step != session.step:
                return session.step - 1, _repeated(session, step, shown)
            return await self._take(name, session, contract, shown, step)

    async def describe(self, name: Any) -> Described:
        """What is known of a session."""
        session = await self._read(sessions.check_name(name))
        contract = await self._contract(session.state)
        return Described(name, session, _observed(contract))

    async def end(self, name: Any) -> None:
        """Forgets a session."""
        if not await self.store.delete(sessions.check_name(name)):
            raise sessions.unknown(name)

    async def check(self) -> None:
        """Returns where the server and the store can be reached."""
        await self.store.check()
        await self.serving.check()

    async def close(self) -> None:
        """Lets go of the connections."""
        await self.serving.close()
        await self.store.close()

    async def _read(self, name: str) -> Session:
        data = await self.store.read(name)
        if data is None:
            raise sessions.unknown(name)
        return Session.from_bytes(data)

    async def _contract(self, state: ServedState) -> Contract:
        """The contract of a session's version, which must still carry its state."""
        key = (state.agent, state.version)
        if key not in self._contracts:
            found = await self.serving.describe(*key)
            self._contracts[key] = found.contract
        contract = self._contracts[key]
        states.check_schema(state, contract.state_sha256)
        return contract

    async def _take(
        self,
        name: str,
        session: Session,
        contract: Contract,
        shown: Tensors,
        asked: int | None,
    ) -> tuple[int, Tensors]:
        """Steps a session; nothing of it changes where that fails."""
        state = session.state
        outputs = await self.serving.predict(
            state.agent, state.version, "step", {**shown, **state.tensors}
        )
        wanted = contract.signatures["step"].outputs
        checks.check_outputs(outputs, wanted, state.batch_size)
        carried = {key: outputs.pop(key) for key in state.tensors}
        answer = {key: outputs[key] for key in wanted if key in outputs}
        after = Session(
            state._replace(tensors=carried),
            session.seed,
            session.step + 1,
            sessions.digest(shown),
            answer,
        )
        if not await self.store.replace(name, session.step, after.to_bytes()):
            # Another gateway was faster, with the same request or with another one.
            answer = _repeated(await self._read(name), session.step, shown, asked)
        return session.step, answer


def _check(wish: Wish) -> tuple[int | str | None, int, int]:
    """The version (or label), the lifetimes and the seed of a wish."""
    for what, text in (("agent", wish.agent), ("label", wish.label)):
        if what == "agent" or text is not None:
            _check_text(what, text)
    if wish.schema is not None:
        _check_text("schema", wish.schema)
    if wish.version is not None and wish.label is not None:
        raise RequestError("label", wish.label, "is given with a version", "give one")
    version = wish.label if wish.version is None else wish.version
    _check_number("version", wish.version, 1, 2**63)
    _check_number("lifetimes", wish.lifetimes, 1, MOST_LIFETIMES + 1)
    _check_number("seed", wish.seed, -(2**31), 2**31)
    seed = secrets.randbelow(2**31) if wish.seed is None else wish.seed
    return version, 1 if wish.lifetimes is None else wish.lifetimes, seed


def _check_text(what: str, text: Any) -> None:
    good = isinstance(text, str) and 0 < len(text) <= LONGEST and text.isprintable()
    if not good:
        fix = f"give 1 to {LONGEST} characters that can be printed"
        raise RequestError(what, text, "is no text of the usual sort", fix)


def _check_number(what: str, number: Any, low: int, end: int) -> None:
    """Refuses what is no whole number from `low` to `end` - 1; None is left alone."""
    whole = isinstance(number, int) and not isinstance(number, bool)
    if number is not None and not (whole and low <= number < end):
        fix = f"give a whole number from {low} to {end - 1}"
        raise RequestError(what, number, "is no such number", fix)


def _check_schema(wish: Wish, version: int, schema: str) -> None:
    if wish.schema not in (None, schema):
        raise WrongSchemaError(
            "schema",
            wish.schema[:12],
            f"is not that of {wish.agent} version {version} ({schema[:12]})",
            "ask for the version whose manifest has it",
        )


def _observed(contract: Contract) -> dict[str, TensorContract]:
    inputs = contract.signatures["step"].inputs
    return {key: tensor for key, tensor in inputs.items() if key not in contract.state}


def _shown(
    observation: Any, wanted: Mapping[str, TensorContract], rows: int
) -> Tensors:
    """The observation as arrays of the types that the agent takes."""
    checks.check_names("observation", observation, wanted)
    return {
        key: checks.as_tensor(f"observation {key}", observation[key], tensor, rows)
        for key, tensor in wanted.items()
    }


def _repeated(
    session: Session, step: int, shown: Tensors, asked: int | None = 0
) -> Tensors:
    """The answer to the last step, for a client that asks for it once more."""
    same = step == session.step - 1 and session.seen == sessions.digest(shown)
    if same and asked is not None:
        return session.answer
    if step == session.step - 1:
        problem = "was taken already, with another observation"
    else:
        problem = f"is not the next one, which is {session.step}"
    raise WrongStepError("step", step, problem, "describe the session, and go on there")
