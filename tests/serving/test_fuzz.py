"""Bad requests by the hundred: each gets its documented error, and nobody else suffers.

KERASMETA_FUZZ=2000 python -m pytest -s tests/serving/test_fuzz.py
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from serving import lives
from serving.conftest import load
from serving.lives import Lives
from serving.processes import Running, gateway, served_name

from export.client import ServedAgent, ServedState
from export.errors import ServingError
from export.gateway import GatewayClient, GatewaySession, errors
from export.gateway import gateway_pb2 as messages

ID = "episodic_two_step/ep_lstm"
NAME = served_name(ID)
TOKEN = "a-token-that-nobody-guesses"
COUNT = int(os.environ.get("KERASMETA_FUZZ", "150"))
STEPS_OF_OTHERS = 30

Case = tuple[str, Callable[[], str]]  # the reason that is expected, and what finds it


def reason_of(call: Callable[[], Any]) -> str:
    """The reason of the error that a call raises."""
    try:
        call()
    except ServingError as error:
        return errors.reason(error).name
    return "accepted"


Spec = dict[str, tuple[str, tuple[int, ...]]]
KINDS = ["shape", "rank", "rows", "missing", "more"]
KINDS += ["nan", "inf", "huge", "fraction", "range"]
DTYPES = ["float32", "object", "", "str", "complex64", "f4"]


def zeros(spec: Spec, rows: int = 1) -> dict[str, Any]:
    return {key: np.zeros((rows, *s), dtype) for key, (dtype, s) in spec.items()}


def damaged(rng: np.random.Generator, spec: Spec) -> tuple[str, dict[str, Any]]:
    """An observation with one defect, and the reason that it should be refused with."""
    shown, keys = zeros(spec), sorted(spec)
    floats = [key for key in keys if spec[key][0] == "float32"]
    whole = [key for key in keys if spec[key][0] == "int32"]
    key, one = str(rng.choice(keys)), str(rng.choice(floats))
    kind = str(rng.choice(KINDS))
    if kind == "missing":
        del shown[key]
    elif kind == "more":
        shown[f"x{rng.integers(1e6)}"] = np.zeros(1, np.float32)
    elif kind in ("shape", "rank", "rows"):
        size = int(rng.integers(2, 9))
        shape = shown[key].shape
        shape = {"rows": (size, *shape[1:]), "rank": (*shape, size)}.get(
            kind, (1, *shape[1:], size + 1)
        )
        shown[key] = np.zeros(shape, shown[key].dtype)
    elif kind in ("nan", "inf", "huge"):
        value = {"nan": np.nan, "inf": -np.inf, "huge": 10.0 ** rng.integers(39, 300)}
        array = np.zeros(shown[one].shape)
        array.flat[rng.integers(array.size)] = value[kind]
        shown[one] = array
        return "not_finite", shown
    else:
        value = 0.5 if kind == "fraction" else float(2 ** rng.integers(32, 60))
        shown[str(rng.choice(whole))] = np.array([value])
    return "bad_tensor", shown


class Fuzzer:
    """Makes bad requests to a gateway (with and without a token) and a client."""

    def __init__(
        self, seed: int, running: Running, guarded: Running, server: Running
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.running, self.guarded = running, guarded
        self.gateway = GatewayClient(running.grpc, timeout=300)
        self.session = self.gateway.begin(NAME)
        self.served = ServedAgent(f"grpc://{server.grpc}", NAME, timeout=300)
        self.state = self.served.initial_state(1)
        keeper = GatewayClient(guarded.grpc, TOKEN, timeout=300)
        self.expired = keeper.begin(NAME)
        self.keeper = keeper
        time.sleep(1.5)  # a session lives for a second there

    def cases(self) -> list[Callable[[], Case]]:
        return [
            self.observation,
            self.observation_over_rest,
            self.observation_to_a_client,
            self.beginning,
            self.tensor,
            self.body,
            self.size,
            self.step,
            self.name,
            self.forgotten,
            self.token,
            self.state_of_a_client,
        ]

    def observation(self) -> Case:
        why, shown = damaged(self.rng, self.session.observation_spec)
        return why, lambda: reason_of(lambda: self.session.step(shown))

    def observation_over_rest(self) -> Case:
        why, shown = damaged(self.rng, self.session.observation_spec)
        body = {"observation": {k: np.asarray(v).tolist() for k, v in shown.items()}}
        return why, lambda: self.posted(f"/{self.session.name}/step", json_of(body))

    def observation_to_a_client(self) -> Case:
        why, shown = damaged(self.rng, self.session.observation_spec)
        return why, lambda: reason_of(lambda: self.served.step(shown, self.state))

    def state_of_a_client(self) -> Case:
        """A state of another version, schema, agent or shape."""
        shown, state = zeros(self.session.observation_spec), self.state
        tensors = dict(state.tensors)
        tensors["state_step"] = np.zeros(int(self.rng.integers(2, 9)), np.int32)
        number = int(self.rng.integers(100, 10**6))
        why, odd = [
            ("wrong_version", state._replace(version=number)),
            ("wrong_schema", state._replace(schema=f"{number:064x}")),
            ("wrong_schema", state._replace(agent=f"agent_{number}")),
            ("bad_tensor", state._replace(tensors=tensors)),
        ][self.rng.integers(4)]
        return why, lambda: reason_of(lambda: self.served.step(shown, odd))

    def beginning(self) -> Case:
        number = int(self.rng.integers(100, 10**6))
        why, changes = [
            ("unknown_agent", {"agent": f"agent_{number}"}),
            ("bad_request", {"agent": "a" * (200 + number)}),
            ("wrong_version", {"version": number}),
            ("bad_request", {"version": -number}),
            ("unknown_agent", {"label": f"label_{number}"}),
            ("wrong_schema", {"schema": f"{number:064x}"}),
            ("bad_request", {"lifetimes": -number}),
            ("bad_request", {"lifetimes": 10_000 + number}),
            ("bad_request", {"seed": 2**31 + number}),
        ][self.rng.integers(9)]
        wish: dict[str, Any] = {"agent": NAME, **changes}
        return why, lambda: reason_of(lambda: self.gateway.begin(**wish))

    def tensor(self) -> Case:
        """A tensor whose parts do not fit together."""
        dtype = str(self.rng.choice(DTYPES))
        shape = self.rng.integers(-3, 10**6, self.rng.integers(1, 6)).tolist()
        content = self.rng.bytes(int(self.rng.integers(1, 50)))
        request = messages.StepRequest(session=self.session.name)
        made = messages.Tensor(dtype=dtype, shape=shape, content=content)
        request.observation["stimulus"].CopyFrom(made)
        return "bad_tensor", lambda: reason_of(
            lambda: self.gateway.ask("Step", request, messages.StepResponse)
        )

    def body(self) -> Case:
        """JSON that is none, or says something else."""
        bodies = [b"{", b"[]", b"null", b'"x"', b"[" * int(self.rng.integers(10**5))]
        bodies += [self.rng.bytes(30), b'{"agent": 1}', b'{"agnet": "x"}', b"{}"]
        bodies += [b'{"agent": "x", "seed": 1e400}', b'{"agent": "x", "seed": "1"}']
        body = bodies[self.rng.integers(len(bodies))]
        return "bad_request", lambda: self.posted("", body)

    def size(self) -> Case:
        body = b" " * int(2**22 + self.rng.integers(1, 2**20))
        return "too_large", lambda: self.posted("", body)

    def step(self) -> Case:
        number = int(self.rng.integers(2, 10**9))
        shown = zeros(self.session.observation_spec)

        def ask() -> Any:
            session = self.gateway.resume(self.session.name)
            session.step_number = number
            return session.step(shown)

        return "wrong_step", lambda: reason_of(ask)

    def name(self) -> Case:
        letters = list("abcXYZ012_-./%é")
        size = int(self.rng.choice([1, 5, 21, 22, 23, 300]))
        name = "".join(self.rng.choice(letters, size))
        return "unknown_session", lambda: reason_of(lambda: self.gateway.resume(name))

    def forgotten(self) -> Case:
        shown = zeros(self.session.observation_spec)
        return "unknown_session", lambda: reason_of(lambda: self.expired.step(shown))

    def token(self) -> Case:
        token = self.rng.bytes(int(self.rng.integers(1, 40)))
        printed, odd = token.hex(), b"Bearer x" + bytes(b | 0x80 for b in token)
        headers: list[dict[str, str | bytes]] = [
            *({}, {"authorization": f"Bearer {printed}"}, {"authorization": printed}),
            {"authorization": odd},  # no UTF-8, for the most part
        ]
        chosen = headers[self.rng.integers(len(headers))]

        def ask() -> str:
            url = f"{self.guarded.rest}/v1/sessions"
            answer = requests.post(url, json={"agent": NAME}, headers=chosen)
            return answer.json()["error"]["reason"]

        return "bad_token", ask

    def posted(self, path: str, body: bytes) -> str:
        answer = requests.post(f"{self.running.rest}/v1/sessions{path}", data=body)
        assert answer.status_code < 500
        return answer.json().get("error", {"reason": "accepted"})["reason"]


def json_of(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def fuzzer(
    server: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fuzzer]:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "token").write_text(TOKEN)
    guarding = ["--token-file", folder / "token", "--ttl", 1]
    with (
        gateway(folder / "open", server.grpc) as running,
        gateway(folder / "guarded", server.grpc, *guarding) as guarded,
    ):
        yield Fuzzer(7, running, guarded, server)


def test_bad_requests_get_their_errors_and_harm_nobody(
    fuzzer: Fuzzer, recorded: Callable[..., Lives]
) -> None:
    expected = recorded(ID)
    others = [fuzzer.gateway.begin(NAME, seed=row) for row in range(2)]
    given: list[list[dict[str, np.ndarray]]] = [[], []]

    def live_on(t: int) -> None:
        """The others take a step each, between bad requests."""
        for row, session in enumerate(others):
            shown = {k: v[t, row : row + 1] for k, v in expected.shown.items()}
            given[row].append(session.step(shown))

    cases, outcomes, taken = fuzzer.cases(), Counter[str](), 0
    for n in range(COUNT):
        if n * STEPS_OF_OTHERS >= taken * COUNT:
            live_on(taken)
            taken += 1
        why, ask = cases[n % len(cases)]()
        found = ask()
        assert found == why, f"request {n}, {cases[n % len(cases)].__name__}"
        outcomes[found] += 1
    print(f"\n{COUNT} bad requests: {dict(sorted(outcomes.items()))}")
    for running in (fuzzer.running, fuzzer.guarded):
        assert running.process.poll() is None
        assert requests.get(f"{running.rest}/healthz").ok
    assert fuzzer.gateway.resume(fuzzer.session.name).step_number == 0
    assert "internal" not in requests.get(f"{fuzzer.running.rest}/metrics").text
    hold_others(expected, others, given)


def hold_others(
    expected: Lives, others: list[GatewaySession], given: list[list[dict[str, Any]]]
) -> None:
    """The other sessions' lifetimes are those of the live agent with their seeds."""
    agent = load(ID)
    seeds = np.array([[session.seed, 0] for session in others], np.int32)
    state = agent.state_from_seeds(seeds)
    for t in range(len(given[0])):
        shown = {k: v[t, : len(others)] for k, v in expected.shown.items()}
        output = agent.step(shown, state)
        state = output.state
        for row, steps in enumerate(given):
            wanted = {
                "action": output.action.numpy()[row : row + 1],
                "logits": output.logits.numpy()[row : row + 1],
            }
            lives.assert_equal(steps[t], wanted)


def test_bytes_of_a_state_that_are_damaged(tmp_path: Path) -> None:
    """A client's stored state, cut or changed at any place, is refused or the same."""
    tensors = {"state_seed": np.arange(8, dtype=np.int32).reshape(4, 2)}
    state = ServedState(NAME, 1, "f" * 64, tensors)
    data, rng = state.to_bytes(), np.random.default_rng(3)
    for _ in range(COUNT):
        place = int(rng.integers(len(data)))
        changed = bytearray(data)
        changed[place] ^= int(rng.integers(1, 256))
        for odd in (data[:place], bytes(changed)):
            try:
                back = ServedState.from_bytes(odd)
            except ServingError:
                continue
            assert isinstance(back.version, int)
