"""The gateway: lifetimes as a live agent's, and a documented error for bad requests."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import requests
from serving import lives
from serving.lives import Lives
from serving.processes import Running, free_port, gateway, served_name

from export import errors as serving_errors
from export.gateway import GatewayClient, GatewaySession, errors
from export.gateway import gateway_pb2 as messages

ID = "episodic_two_step/ep_lstm"
NAME = served_name(ID)
TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def running(
    server: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("gateway")
    with gateway(folder, server.grpc, "--ttl", 60) as running:
        yield running


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[GatewayClient]:
    with GatewayClient(running.grpc) as client:
        yield client


@pytest.fixture(scope="module")
def lifetimes(recorded: Callable[..., Lives]) -> Lives:
    return recorded(ID)


def replay(client: GatewayClient, expected: Lives, seed: int = 5) -> None:
    """Plays recorded observations through a session, and holds every step."""
    steps, rows = next(iter(expected.shown.values())).shape[:2]
    session = client.begin(NAME, lifetimes=rows, seed=seed)
    for t in range(steps):
        shown = {key: array[t] for key, array in expected.shown.items()}
        given = session.step(shown)
        lives.assert_equal(given, {k: array[t] for k, array in expected.given.items()})
    session.end()


@pytest.mark.parametrize("rows", [1, 7])
def test_a_session_is_the_live_agent(
    client: GatewayClient, lifetimes: Lives, rows: int
) -> None:
    replay(client, lifetimes.rows(0, rows, steps=30))


def test_over_http_too(running: Running, lifetimes: Lives) -> None:
    expected = lifetimes.rows(0, 2, steps=10)
    begun = requests.post(
        f"{running.rest}/v1/sessions", json={"agent": NAME, "lifetimes": 2, "seed": 5}
    )
    assert begun.status_code == 201
    described = begun.json()
    assert (described["step"], described["lifetimes"], described["seed"]) == (0, 2, 5)
    assert described["observation"]["stimulus"] == {"dtype": "float32", "shape": [4]}
    url = f"{running.rest}/v1/sessions/{described['session']}"
    for t in range(10):
        shown = {key: array[t].tolist() for key, array in expected.shown.items()}
        answer = requests.post(f"{url}/step", json={"step": t, "observation": shown})
        assert answer.json()["step"] == t
        given = {key: np.array(v) for key, v in answer.json()["outputs"].items()}
        lives.assert_equal(given, {k: array[t] for k, array in expected.given.items()})
    assert requests.get(url).json()["step"] == 10
    assert requests.delete(url).json() == {}
    assert requests.delete(url).status_code == 404


def shown_at(expected: Lives, t: int) -> dict[str, np.ndarray]:
    return {key: array[t] for key, array in expected.shown.items()}


def test_a_lost_answer_can_be_had_again(
    client: GatewayClient, lifetimes: Lives
) -> None:
    """The same step with the same observation is not taken twice."""
    expected = lifetimes.rows(0, 1)
    session = client.begin(NAME, seed=5)
    first = session.step(shown_at(expected, 0))
    session.step_number = 0
    again = session.step(shown_at(expected, 0))
    for key, array in first.items():
        np.testing.assert_array_equal(array, again[key])
    resumed = client.resume(session.name)
    assert resumed.step_number == 1
    given = resumed.step(shown_at(expected, 1))
    lives.assert_equal(given, {k: array[1] for k, array in expected.given.items()})


def test_steps_in_another_order_are_refused(
    client: GatewayClient, lifetimes: Lives
) -> None:
    expected = lifetimes.rows(0, 1)
    session = client.begin(NAME, seed=5)
    session.step(shown_at(expected, 0))
    for number, t, text in (
        (0, 1, "was taken already, with another observation"),
        (2, 1, "is not the next one, which is 1"),
    ):
        session.step_number = number
        with pytest.raises(errors.WrongStepError, match=text):
            session.step(shown_at(expected, t))


def test_the_same_step_from_many_at_once_is_taken_once(
    running: Running, client: GatewayClient, lifetimes: Lives
) -> None:
    expected = lifetimes.rows(0, 1)
    name = client.begin(NAME, seed=5).name
    same = [client.resume(name) for _ in range(8)]

    def step(session: GatewaySession) -> Any:
        return session.step(shown_at(expected, 0))["logits"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(step, same, timeout=120))
    np.testing.assert_array_equal(answers, [answers[0]] * 8)
    assert client.resume(name).step_number == 1


def shown_zeros(session: Any) -> dict[str, np.ndarray]:
    rows = session.lifetimes
    return {
        key: np.zeros((rows, *shape), dtype)
        for key, (dtype, shape) in session.observation_spec.items()
    }


BAD_OBSERVATIONS: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "nothing": ({"stimulus": None}, serving_errors.TensorError),
    "more": ({"more": np.zeros(1)}, serving_errors.TensorError),
    "shape": ({"stimulus": np.zeros([1, 5])}, serving_errors.TensorError),
    "rows": ({"stimulus": np.zeros([2, 4])}, serving_errors.TensorError),
    "fraction": ({"previous_action": np.array([0.5])}, serving_errors.TensorError),
    "range": ({"previous_action": np.array([2**40])}, serving_errors.TensorError),
    "NaN": ({"previous_reward": np.array([np.nan])}, serving_errors.NotFiniteError),
    "infinity": ({"stimulus": np.full([1, 4], np.inf)}, serving_errors.NotFiniteError),
    "overflow": ({"stimulus": np.full([1, 4], 1e300)}, serving_errors.NotFiniteError),
    "NaN for a number": (
        {"previous_action": np.array([np.nan])},
        serving_errors.NotFiniteError,
    ),
}


@pytest.mark.parametrize("case", BAD_OBSERVATIONS)
def test_bad_observations(client: GatewayClient, case: str) -> None:
    """Each is refused, and the session is where it was."""
    changes, kind = BAD_OBSERVATIONS[case]
    session = client.begin(NAME)
    shown = {**shown_zeros(session), **changes}
    with pytest.raises(kind):
        session.step({k: v for k, v in shown.items() if v is not None})
    assert client.resume(session.name).step_number == 0
    session.step(shown_zeros(session))


BAD_BEGINNINGS: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "agent": ({"agent": "nope"}, serving_errors.UnknownAgentError),
    "no agent": ({"agent": ""}, errors.RequestError),
    "long agent": ({"agent": "a" * 201}, errors.RequestError),
    "odd agent": ({"agent": "a\nb"}, errors.RequestError),
    "version": ({"version": 999}, serving_errors.WrongVersionError),
    "version 0": ({"version": 0}, errors.RequestError),
    "label": ({"label": "nope"}, serving_errors.UnknownAgentError),
    "both": ({"label": "stable", "version": 1}, errors.RequestError),
    "lifetimes": ({"lifetimes": 0}, errors.RequestError),
    "many lifetimes": ({"lifetimes": 10**6}, errors.RequestError),
    "seed": ({"seed": 2**31}, errors.RequestError),
    "schema": ({"schema": "f" * 64}, serving_errors.WrongSchemaError),
}


@pytest.mark.parametrize("case", BAD_BEGINNINGS)
def test_bad_beginnings(client: GatewayClient, case: str) -> None:
    changes, kind = BAD_BEGINNINGS[case]
    with pytest.raises(kind):
        client.begin(**{"agent": NAME, **changes})


BAD_BODIES = {
    "no JSON": (b"{", 400, "bad_request"),
    "empty": (b"", 400, "bad_request"),
    "a list": (b"[]", 400, "bad_request"),
    "deep": (b"[" * 100_000, 400, "bad_request"),
    "no text": (b"\xff\xfe{", 400, "bad_request"),
    "digits": (b'{"agent": "x", "seed": ' + b"9" * 5000 + b"}", 400, "bad_request"),
    "unknown key": (b'{"agent": "x", "agnet": 1}', 400, "bad_request"),
    "type": (b'{"agent": 5}', 400, "bad_request"),
    "bool": (
        json.dumps({"agent": NAME, "lifetimes": True}).encode(),
        400,
        "bad_request",
    ),
    "half a character": (b'{"agent": "\\ud800"}', 400, "bad_request"),
    "large": (b" " * (2**22 + 1), 413, "too_large"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_bad_bodies(running: Running, case: str) -> None:
    body, status, why = BAD_BODIES[case]
    answer = requests.post(f"{running.rest}/v1/sessions", data=body)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (status, why)


def test_a_body_that_is_not_compressed_as_it_says(running: Running) -> None:
    url, headers = f"{running.rest}/v1/sessions", {"content-encoding": "gzip"}
    body = json.dumps({"agent": "a" * 300}).encode()
    for sent, status, why in (
        (gzip.compress(body), 400, "usual sort"),
        (body, 400, "cannot be read"),
        (gzip.compress(bytes(2**26)), 413, "too large"),
    ):
        answer = requests.post(url, data=sent, headers=headers)
        assert answer.status_code == status
        assert why in answer.json()["error"]["message"]


def test_bad_paths_and_names(running: Running) -> None:
    for method, path, status, why in (
        ("GET", "/v1/sessions/" + "a" * 22, 404, "unknown_session"),
        ("GET", "/v1/sessions/..%2f..%2fetc", 404, "unknown_session"),
        ("GET", "/v1/session", 404, "bad_path"),
        ("PUT", "/v1/sessions", 405, "bad_path"),
    ):
        answer = requests.request(method, running.rest + path)
        found = (answer.status_code, answer.json()["error"]["reason"])
        assert found == (status, why), path


def test_bytes_that_are_no_message(running: Running) -> None:
    with grpc.insecure_channel(running.grpc.removeprefix("grpc://")) as channel:
        call = channel.unary_unary("/kerasmeta.gateway.v1.Gateway/Step")
        for data, code in ((b"\xff\xff", "INVALID_ARGUMENT"), (b"", "NOT_FOUND")):
            with pytest.raises(grpc.RpcError) as caught:
                call(data)
            assert caught.value.code().name == code
        with pytest.raises(grpc.RpcError) as caught:
            call(bytes(2**22 + 1))
        assert caught.value.code().name == "RESOURCE_EXHAUSTED"


def test_a_tensor_that_does_not_fit_together(client: GatewayClient) -> None:
    session = client.begin(NAME)
    for tensor in (
        messages.Tensor(dtype="float32", shape=[1, 4], content=b"short"),
        messages.Tensor(dtype="float32", shape=[-1], content=b""),
        messages.Tensor(dtype="float32", shape=[2**62, 2**62], content=b""),
        messages.Tensor(dtype="object", shape=[], content=b"12345678"),
        messages.Tensor(dtype="float32", shape=[1] * 60, content=b"1234"),
    ):
        request = messages.StepRequest(session=session.name)
        request.observation["stimulus"].CopyFrom(tensor)
        with pytest.raises(serving_errors.TensorError):
            client.ask("Step", request, messages.StepResponse)


def test_watching(running: Running, client: GatewayClient) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    assert requests.get(f"{running.rest}/healthz").status_code == 200
    assert requests.get(f"{running.rest}/readyz").status_code == 200
    page = requests.get(f"{running.rest}/metrics").text
    series = 'kerasmeta_gateway_requests_total{method="begin",outcome="ok",protocol='
    assert series in page
    assert "kerasmeta_gateway_request_seconds_bucket" in page
    with grpc.insecure_channel(running.grpc.removeprefix("grpc://")) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest()
        )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def guarded(
    server: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Path]]:
    """A gateway with TLS, a token, room for few sessions, and little patience."""
    folder = tmp_path_factory.mktemp("guarded")
    certificate, key = self_signed(folder)
    (folder / "token").write_text(TOKEN)
    options = ["--certificate", certificate, "--key", key]
    options += ["--token-file", folder / "token", "--memory", 1, "--ttl", 1]
    with gateway(folder, server.grpc, *options) as running:
        yield running, certificate


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and localhost, and its key."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(built.public_bytes(encoding))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            encoding,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def test_a_token_over_tls(guarded: tuple[Running, Path], lifetimes: Lives) -> None:
    running, certificate = guarded
    assert running.grpc.startswith("grpcs://")
    with GatewayClient(running.grpc, TOKEN, certificate) as client:
        replay(client, lifetimes.rows(0, 1, steps=3))
    for token in (None, b"", f"{TOKEN}x".encode(), "tökén".encode(), b"\xff\xfe"):
        headers = {} if token is None else {"authorization": b"Bearer " + token}
        for path in ("/v1/sessions", "/metrics"):
            method = "POST" if path.startswith("/v1") else "GET"
            url = running.rest + path
            answer = requests.request(method, url, headers=headers, verify=certificate)
            assert answer.status_code == 401
            assert answer.json()["error"]["reason"] == "bad_token"
            assert TOKEN not in answer.text
    with (
        GatewayClient(running.grpc, "wrong", certificate) as client,
        pytest.raises(errors.TokenError, match=r"\(hidden\)"),
    ):
        client.begin(NAME)
    assert requests.get(f"{running.rest}/healthz", verify=certificate).ok


def test_without_tls_nothing_is_said(guarded: tuple[Running, Path]) -> None:
    running, _ = guarded
    place = running.grpc.removeprefix("grpcs://")
    with (
        GatewayClient(f"grpc://{place}", TOKEN, timeout=1) as client,
        pytest.raises(serving_errors.ServingError),
    ):
        client.begin(NAME)
    with pytest.raises(requests.ConnectionError):
        requests.get(running.rest.replace("https", "http") + "/healthz")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(running.rest + "/healthz")


def test_full_and_forgotten(guarded: tuple[Running, Path], lifetimes: Lives) -> None:
    """New sessions are refused while old ones live; those are never turned out."""
    running, certificate = guarded
    with GatewayClient(running.grpc, TOKEN, certificate) as client:
        expected = lifetimes.rows(0, 7)
        first = client.begin(NAME, lifetimes=7, seed=5)
        with pytest.raises(errors.StoreFullError, match="fill the 1048576 bytes"):
            _begin_many(client)
        given = first.step(shown_at(expected, 0))
        lives.assert_equal(given, {k: v[0] for k, v in expected.given.items()})
        time.sleep(1.5)  # its time to live is a second
        with pytest.raises(errors.UnknownSessionError, match="was forgotten"):
            first.step(shown_at(expected, 1))
        client.begin(NAME, lifetimes=7)


def _begin_many(client: GatewayClient) -> None:
    for _ in range(100):
        client.begin(NAME, lifetimes=7)


def test_a_server_that_is_gone(tmp_path: Path) -> None:
    options = ["--timeout", 1]
    with gateway(tmp_path, f"127.0.0.1:{free_port()}", *options) as running:
        ready = requests.get(f"{running.rest}/readyz")
        assert ready.status_code == 503
        answer = requests.post(f"{running.rest}/v1/sessions", json={"agent": NAME})
        assert answer.status_code in (503, 504)
        assert answer.json()["error"]["reason"].startswith("serving_")


def test_every_error_of_serving_has_a_reason() -> None:
    kinds = [
        kind
        for module in (serving_errors, errors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, serving_errors.ServingError)
    ]
    for kind in set(kinds) - {serving_errors.ServingError}:
        assert kind in errors.REASONS, kind
        why = errors.REASONS[kind]
        assert why.grpc in grpc.StatusCode.__members__
        made = errors.error_of(why.name, "a text")
        assert (type(made), str(made)) == (kind, "a text")
    names = [why.name for why in errors.REASONS.values()]
    assert len(set(names)) == len(names)
