"""Many clients at once, and a gateway that is killed: no lifetime is lost or mixed.

KERASMETA_SOAK_STEPS=200 python -m pytest -s -m slow tests/serving/test_soak.py
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from serving import lives
from serving.conftest import load
from serving.lives import ROWS, STEPS, Lives
from serving.processes import Running, free_port, gateway, redis_server, served_name

from export.gateway import GatewayClient, GatewaySession

pytestmark = pytest.mark.slow

ID = "episodic_two_step/ep_lstm"
SOAK = min(STEPS, int(os.environ.get("KERASMETA_SOAK_STEPS", "15")))
Played = dict[int, list[dict[str, np.ndarray]]]


def begin(client: GatewayClient, row: int) -> GatewaySession:
    """A session of one lifetime, whose seed is that of a row of the recorded ones."""
    return client.begin(served_name(ID), seed=1000 + row)


def shown_to(row: int, t: int, recorded: Lives) -> dict[str, np.ndarray]:
    """What the client of a row is shown at a step: a batch of one."""
    return {key: array[t, row : row + 1] for key, array in recorded.shown.items()}


def play(
    session: GatewaySession, row: int, recorded: Lives, steps: int, taken: list[float]
) -> list[dict[str, np.ndarray]]:
    """A client's whole lifetime; the seconds of each step go to `taken`."""
    given = []
    for t in range(steps):
        shown = shown_to(row, t, recorded)
        start = time.perf_counter()
        given.append(session.step(shown))
        taken.append(time.perf_counter() - start)
    return given


def replayed(id: str, recorded: Lives, steps: int) -> Lives:
    """The same observations, played by the live agent with the clients' seeds."""
    agent = load(id)
    seeds = np.array([[1000 + row, 0] for row in range(ROWS)], np.int32)
    state, rows = agent.state_from_seeds(seeds), []
    for t in range(steps):
        output = agent.step({k: v[t] for k, v in recorded.shown.items()}, state)
        state = output.state
        rows.append({"action": output.action.numpy(), "logits": output.logits.numpy()})
    given = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    return Lives(seeds, recorded.shown, given)


def assert_replayed(played: Played, expected: Lives) -> None:
    for row, given in played.items():
        for key, array in expected.given.items():
            served = {key: np.stack([one[key][0] for one in given])}
            lives.assert_equal(served, {key: array[: len(given), row]})


def test_64_clients_at_once(
    server: Running, recorded: Callable[..., Lives], tmp_path: Path
) -> None:
    recordings, taken = recorded(ID), []
    with gateway(tmp_path, server.grpc) as running, GatewayClient(running.grpc) as one:
        sessions = {row: begin(one, row) for row in range(ROWS)}
        start = time.perf_counter()
        with ThreadPoolExecutor(ROWS) as pool:
            played = dict(
                pool.map(
                    lambda row: (
                        row,
                        play(sessions[row], row, recordings, SOAK, taken),
                    ),
                    range(ROWS),
                )
            )
        seconds = time.perf_counter() - start
    p50, p99 = np.percentile(taken, [50, 99])
    print(
        f"\n64 clients x {SOAK} steps through the gateway: {len(taken) / seconds:.0f} "
        f"steps/s, p50 {1e3 * p50:.1f} ms, p99 {1e3 * p99:.1f} ms"
    )
    assert_replayed(played, replayed(ID, recordings, SOAK))


def test_a_killed_gateway_loses_no_lifetime(
    server: Running, recorded: Callable[..., Lives], tmp_path: Path
) -> None:
    """SIGKILL while 16 clients step; another gateway goes on at the same port."""
    recordings, clients, steps = recorded(ID), 16, min(SOAK, 60)
    port, rest = free_port(), free_port()
    options = ["--port", port, "--rest-port", rest]
    steps_taken = [0] * clients
    with redis_server(tmp_path / "redis") as store:
        options += ["--store", store]
        first = gateway(tmp_path, server.grpc, *options)
        running = first.__enter__()

        def live(row: int) -> tuple[int, list[dict[str, np.ndarray]]]:
            with GatewayClient(running.grpc, timeout=300) as client:
                session = begin(client, row)
                begun.wait(120)
                given = []
                for t in range(steps):
                    shown = {
                        k: v[t, row : row + 1] for k, v in recordings.shown.items()
                    }
                    given.append(session.step(shown))
                    steps_taken[row] = t + 1
            return row, given

        begun = threading.Barrier(clients + 1)
        with ThreadPoolExecutor(clients) as pool:
            futures = [pool.submit(live, row) for row in range(clients)]
            begun.wait(120)
            while sum(steps_taken) < clients * steps // 3:
                time.sleep(0.005)
            running.process.kill()
            running.process.wait()
            at_death = list(steps_taken)
            with gateway(tmp_path / "second", server.grpc, *options):
                played = dict(future.result(600) for future in futures)
        first.__exit__(None, None, None)
    assert 0 < sum(at_death) < clients * steps
    assert all(len(given) == steps for given in played.values())
    assert_replayed(played, replayed(ID, recordings, steps))
