"""Workers as processes: they end where one worker does, also after one was killed.

KERASMETA_WORKER_KILLS=n kills at n random moments instead of one, and has the runs of
two and four workers that nothing disturbs as well.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from kerasmeta.training.loop import train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory

pytestmark = pytest.mark.slow

UPDATES, LIFETIMES, TRIALS = 12, 8, 10
STEPS = UPDATES * LIFETIMES * TRIALS
KILLS = int(os.environ.get("KERASMETA_WORKER_KILLS", "0"))
SETTINGS = [
    *(f"lifetimes={LIFETIMES}", f"task.trials={TRIALS}", "agent.units=4"),
    *("agent.critic_units=4", "trpo.fisher_fraction=0.5"),
    "trpo.damping=0.5",  # the less there is, the more a sum's order shows in the step
    *("checkpoint_every=3", "metrics_every=5"),
]
COMMAND = [
    *(sys.executable, "-m", "kerasmeta.cli", "train", "two_step", "--agent", "lstm"),
    *("--steps", str(STEPS), "--seed", "3", "--json"),
    *(word for setting in SETTINGS for word in ("--set", setting)),
]


def free_addresses(count: int) -> str:
    """`localhost:port,...` of ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return ",".join(addresses)


def start(count: int, out: Path, *options: str) -> list[subprocess.Popen[str]]:
    """`count` workers of a run; only the chief is told where its directory is."""
    addresses = free_addresses(count)
    workers = []
    for index in range(count):
        words = [*COMMAND, *options]
        words += ["--out", str(out if index == 0 else out.with_name("nowhere"))]
        if count > 1:
            words += ["--workers", addresses, "--worker", str(index)]
        workers.append(
            subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    return workers


def finish(workers: list[subprocess.Popen[str]]) -> None:
    """Lets them come to the end of the run."""
    for worker in workers:
        stdout, stderr = worker.communicate(timeout=600)
        assert worker.returncode == 0, stderr
        assert json.loads(stdout)["steps"] == STEPS


def trained(out: Path) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Weights and rows of a complete run without gap or repeat."""
    rows = RunDirectory(out).read_metrics()
    assert [row["iteration"] for row in rows] == list(range(1, UPDATES + 1))
    assert not out.with_name("nowhere").exists()
    return load_file(out / "weights.safetensors"), rows


def assert_alike(out: Path, reference: Path) -> None:
    """Weights within 1e-4 of their size, and the same experience in every row."""
    weights, rows = trained(out)
    expected_weights, expected = trained(reference)
    for name, array in weights.items():
        error = np.linalg.norm(array - expected_weights[name])
        assert error <= 1e-4 * np.linalg.norm(expected_weights[name]), name
    for name in ("return", "kl", "surrogate", "explained_variance"):
        one, other = ([row[name] for row in these] for these in (rows, expected))
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-5, err_msg=name)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one worker: this process, which has TensorFlow already.

    `begun` beside it is what a kill after the first checkpoint would have left.
    """
    out = tmp_path_factory.mktemp("alone") / "run"

    def keep(row: dict[str, Any]) -> None:
        if row["iteration"] == 4:
            shutil.copytree(out, out.with_name("begun"))

    settings = [*SETTINGS, f"steps={STEPS}", "seed=3"]
    config = recipe("two_step", "lstm").with_overrides(settings)
    train(config, RunDirectory(out), report=keep)
    return out


def wait_for_rows(out: Path, rows: int, workers: list[subprocess.Popen[str]]) -> None:
    metrics, deadline = out / "metrics.jsonl", time.monotonic() + 300
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < rows:
        assert all(worker.poll() is None for worker in workers)
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill(out: Path, count: int, victim: int, rows: int, *options: str) -> None:
    """Kills one of `count` workers after so many rows; the others say so and end."""
    workers = start(count, out, *options)
    wait_for_rows(out, rows, workers)
    workers[victim].send_signal(signal.SIGKILL)
    for index, worker in enumerate(workers):
        stdout, stderr = worker.communicate(timeout=120)
        if index == victim:
            assert worker.returncode == -signal.SIGKILL
            continue
        assert worker.returncode == 1, stderr
        assert stdout == ""
        told = [line for line in stderr.splitlines() if "training" not in line]
        assert len(told) == 1, stderr
        assert told[0].startswith("a worker was lost (")
        assert told[0].endswith("--resume")


def test_killed_and_gone_on_with_by_another_number(alone: Path, tmp_path: Path) -> None:
    """Begun by one, gone on with by two, one of whom is killed, and ended by two."""
    out = Path(shutil.copytree(alone.with_name("begun"), tmp_path / "run"))
    kill(out, 2, 1, 8, "--resume")
    finish(start(2, out, "--resume"))
    assert_alike(out, alone)


@pytest.mark.parametrize("count", [2, 4] if KILLS else [])
def test_workers_that_nothing_disturbs(alone: Path, tmp_path: Path, count: int) -> None:
    out = tmp_path / "run"
    finish(start(count, out))
    assert_alike(out, alone)


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_a_random_moment(alone: Path, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    out, count = tmp_path / "run", draw.choice([2, 4])
    kill(out, count, draw.randrange(count), draw.randrange(1, UPDATES - 1))
    finish(start(draw.choice([1, 2, 4]), out, "--resume"))
    assert_alike(out, alone)
