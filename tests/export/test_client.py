"""`ServedAgent` over gRPC and REST: what it keeps, retries and refuses."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from harness import toy_server
from harness.toy_server import LARGE, NAME, ToyServer

from export import errors
from export.client import ServedAgent, ServedState
from export.contracts import Contract
from kerasmeta.errors import UserError

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def toy() -> Iterator[ToyServer]:
    with ToyServer() as server:
        yield server


@pytest.fixture(params=["grpc", "rest"])
def agent(request: pytest.FixtureRequest, toy: ToyServer) -> Iterator[ServedAgent]:
    """The toy agent over each protocol."""
    with ServedAgent(getattr(toy, request.param), NAME, timeout=5.0) as served:
        yield served


def shown(rows: int = 2, **changes: Any) -> dict[str, Any]:
    return {
        "stimulus": np.ones((rows, 2)),
        "store": np.zeros(rows, bool),
        **changes,
    }


def test_a_lifetime(agent: ServedAgent) -> None:
    state = agent.initial_state(batch_size=2, seed=7)
    assert state.tensors["state_seed"].tolist() == [[7, 0], [7, 1]]
    for t in range(5):
        before = state
        output = agent.step(shown(), state)
        state = output.state
        assert output.action.tolist() == [100 + t, 100 + t]
        assert output.greedy_action.tolist() == [0, 0]
        assert output.value.tolist() == [2.0, 2.0]
        assert output.mean is None
        assert before.tensors["state_count"].tolist() == [t, t]  # not changed
    assert agent.step(shown(), state, greedy=True).action.tolist() == [0, 0]
    assert (state.batch_size, state.version) == (2, 1)
    assert set(agent.observation_spec()) == {"stimulus", "store"}


def test_a_lifetime_keeps_its_version(agent: ServedAgent, toy: ToyServer) -> None:
    old = agent.initial_state()
    toy.versions[2] = toy_server.signatures()
    new = agent.initial_state()
    assert (old.version, new.version) == (1, 2)
    for _ in range(2):
        went_on, begun = agent.step(shown(1), old), agent.step(shown(1), new)
        old, new = went_on.state, begun.state
        assert went_on.action[0] // 100 == 1
        assert begun.action[0] // 100 == 2
    del toy.versions[1]
    with pytest.raises(errors.WrongVersionError, match="keep both"):
        agent.step(shown(1), old)
    assert agent.step(shown(1), new).state.version == 2


def test_a_version_or_a_label_may_be_asked_for(toy: ToyServer) -> None:
    toy.versions[2] = toy_server.signatures()
    toy.labels = {"stable": 1}
    for url in (toy.grpc, toy.rest):
        with (
            ServedAgent(url, NAME) as newest,
            ServedAgent(url, NAME, version=1) as first,
            ServedAgent(url, NAME, version="stable") as stable,
        ):
            begun = [agent.initial_state() for agent in (newest, first, stable)]
            assert [state.version for state in begun] == [2, 1, 1]
            with pytest.raises(errors.WrongVersionError, match="keeps to"):
                first.step(shown(1), newest.initial_state())
            state = first.initial_state()
            assert newest.step(shown(1), state).state.version == 1
        with pytest.raises(errors.UnknownAgentError, match="canary"):
            ServedAgent(url, NAME, version="canary").initial_state()
        with pytest.raises(errors.WrongVersionError):
            ServedAgent(url, NAME, version=9).initial_state()
        with pytest.raises(errors.UnknownAgentError):
            ServedAgent(url, "other").initial_state()


def test_states_of_another_schema_are_refused(
    agent: ServedAgent, toy: ToyServer
) -> None:
    state = agent.initial_state()
    toy.versions = {2: toy_server.signatures(width=4)}
    other = agent.initial_state()
    assert other.schema != state.schema
    with pytest.raises(errors.WrongSchemaError, match="schema"):
        agent.step(shown(1), other._replace(schema=state.schema))
    with pytest.raises(errors.TensorError, match="state_notes"):
        agent.step(shown(1), other._replace(tensors=state.tensors))
    with pytest.raises(errors.WrongSchemaError, match="not that of toy"):
        agent.step(shown(1), other._replace(agent="another"))
    with pytest.raises(errors.WrongSchemaError, match="no state"):
        agent.step(shown(1), other.tensors)  # type: ignore[arg-type]
    expecting = ServedAgent(agent.url, NAME, schema=state.schema)
    with pytest.raises(errors.WrongSchemaError, match="another schema"):
        expecting.initial_state()
    known = toy_server.signatures(width=4)
    hashed = Contract.of(known, known["initial_state"].outputs).state_sha256
    expecting = ServedAgent(agent.url, NAME, schema=hashed)
    assert expecting.initial_state().schema == hashed == other.schema


def test_what_is_no_agent_is_refused(agent: ServedAgent, toy: ToyServer) -> None:
    toy.versions = {1: {"step": toy_server.signatures()["step"]}}
    with pytest.raises(errors.WrongSchemaError, match="initial_state"):
        agent.initial_state()


@pytest.mark.parametrize(
    ("changes", "error", "word"),
    [
        ({"stimulus": np.ones((2, 3))}, errors.TensorError, "wrong shape"),
        ({"stimulus": np.ones((3, 2))}, errors.TensorError, "batch of 2"),
        ({"stimulus": [[1, 2], [3]]}, errors.TensorError, "not numeric"),
        ({"stimulus": "text"}, errors.TensorError, "not numeric"),
        ({"stimulus": [[1, np.nan]] * 2}, errors.NotFiniteError, "nan"),
        ({"stimulus": [[1, 1e300]] * 2}, errors.NotFiniteError, "inf"),
        ({"store": [0.5, 0]}, errors.TensorError, "no bool"),
        ({"store": [np.nan, 0]}, errors.NotFiniteError, "nan"),
        ({"more": [1, 2]}, errors.TensorError, "more"),
        ({"state_count": [1, 2]}, errors.TensorError, "state_count"),
    ],
)
def test_bad_observations(
    toy: ToyServer, changes: dict[str, Any], error: type, word: str
) -> None:
    agent = ServedAgent(toy.grpc, NAME)
    state = agent.initial_state(2)
    asked = toy.asked
    with pytest.raises(error, match=word):
        agent.step(shown(2, **changes), state)
    assert toy.asked == asked  # refused before anything was sent
    assert agent.step(shown(), state).action.tolist() == [100, 100]


def test_bad_states(toy: ToyServer) -> None:
    agent = ServedAgent(toy.grpc, NAME)
    state = agent.initial_state(2)
    notes = np.full((2, 3), np.nan, np.float32)
    for key, value, error in (
        ("state_notes", notes, errors.NotFiniteError),
        ("state_notes", notes[:, :2], errors.TensorError),
        ("state_count", np.array([0.5, 1.0]), errors.TensorError),
    ):
        tensors = {**state.tensors, key: value}
        with pytest.raises(error, match=key):
            agent.step(shown(), state._replace(tensors=tensors))
    with pytest.raises(errors.TensorError, match="lacks"):
        agent.step(shown(), state._replace(tensors={"state_count": [0, 0]}))


def test_asks_again_where_the_server_is_busy(
    agent: ServedAgent, toy: ToyServer
) -> None:
    state = agent.initial_state(2)
    toy.asked, toy.failures = 0, [UNAVAILABLE] * 3
    assert agent.step(shown(), state).action.tolist() == [100, 100]
    assert toy.asked == 4
    toy.asked, toy.failures = 0, [UNAVAILABLE] * 9
    with pytest.raises(errors.ServerUnavailableError, match="too busy"):
        agent.step(shown(), state)
    assert toy.asked == agent.attempts


def test_does_not_ask_again_where_that_is_in_vain(
    agent: ServedAgent, toy: ToyServer
) -> None:
    state = agent.initial_state()
    toy.asked, toy.failures = 0, [grpc.StatusCode.INVALID_ARGUMENT]
    with pytest.raises(errors.ServerRefusedError, match="as the test wants it"):
        agent.step(shown(1), state)
    assert toy.asked == 1


def test_gives_up_in_time(agent: ServedAgent, toy: ToyServer) -> None:
    state = agent.initial_state()
    agent.timeout, toy.pause = 0.3, 1.0
    begun = time.monotonic()
    with pytest.raises(errors.ServerTimeoutError):
        agent.step(shown(1), state)
    assert 0.2 < time.monotonic() - begun < 0.9


def test_a_server_that_comes_back(toy: ToyServer) -> None:
    agent = ServedAgent("grpc://127.0.0.1:9", NAME, timeout=0.5)
    begun = time.monotonic()
    with pytest.raises(errors.ServerUnavailableError):
        agent.initial_state()
    assert time.monotonic() - begun < 2.0
    with pytest.raises(errors.ServerUnavailableError):
        ServedAgent("http://127.0.0.1:9", NAME, timeout=0.5).initial_state()


def test_messages_may_be_large(toy: ToyServer) -> None:
    toy.versions = {1: toy_server.signatures(width=LARGE)}
    agent = ServedAgent(toy.grpc, NAME)
    output = agent.step(shown(1), agent.initial_state())
    assert output.state.tensors["state_notes"].nbytes > 2**22


def test_wrong_answers_are_refused(agent: ServedAgent, toy: ToyServer) -> None:
    state = agent.initial_state()

    def nan(outputs: dict[str, np.ndarray]) -> None:
        outputs["logits"] = outputs["logits"] * np.nan

    def wide(outputs: dict[str, np.ndarray]) -> None:
        outputs["logits"] = np.zeros((1, 5), np.float32)

    def short(outputs: dict[str, np.ndarray]) -> None:
        del outputs["value"]

    refused = (errors.WrongSchemaError, errors.ServerRefusedError)
    for spoil, error in (
        (nan, errors.NotFiniteError),
        (wide, refused),
        (short, refused),
    ):
        toy.spoil = spoil
        with pytest.raises(error):
            agent.step(shown(1), state)


def test_states_outlive_the_process(toy: ToyServer) -> None:
    agent = ServedAgent(toy.grpc, NAME)
    state = agent.step(shown(), agent.initial_state(2)).state
    again = ServedState.from_bytes(state.to_bytes())
    assert again._replace(tensors={}) == state._replace(tensors={})
    assert set(again.tensors) == set(state.tensors)
    assert agent.step(shown(), again).action.tolist() == [101, 101]
    for data in (b"", b"\x08", state.to_bytes()[:-1], b"\xff" * 64):
        with pytest.raises(errors.WrongSchemaError, match="no state"):
            ServedState.from_bytes(data)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("localhost", NAME), "url"),
        (("ftp://localhost:1", NAME), "url"),
        (("grpc://:8500", NAME), "url"),
        (("grpc://localhost:8500", ""), "name"),
    ],
)
def test_bad_addresses(arguments: tuple[str, str], word: str) -> None:
    with pytest.raises(UserError, match=word):
        ServedAgent(*arguments)


def test_bad_numbers(toy: ToyServer) -> None:
    for changes in ({"timeout": 0}, {"attempts": 0}, {"version": True}):
        with pytest.raises(UserError, match=next(iter(changes))):
            ServedAgent(toy.grpc, NAME, **changes)  # type: ignore[arg-type]
    agent = ServedAgent(toy.grpc, NAME)
    for batch_size in (0, True, 1.5):
        with pytest.raises(UserError, match="batch_size"):
            agent.initial_state(batch_size)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="seed"):
        agent.initial_state(seed=2**31)


def test_every_error_is_a_user_error() -> None:
    kinds = set(errors.ServingError.__subclasses__())
    assert issubclass(errors.ServingError, UserError)
    ours = {kind for kind in kinds if kind.__module__ == "export.errors"}
    assert len(ours) == 8
    for kind in ours:
        assert f"| `{kind.__name__}` |" in str(errors.__doc__)


def test_the_client_needs_no_tensorflow() -> None:
    code = (
        "import sys; from export.client import ServedAgent\n"
        "for url in ('grpc://localhost:1', 'http://localhost:1'):\n"
        "    ServedAgent(url, 'toy').close()\n"
        "assert not {'tensorflow', 'tensorflow_serving'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
