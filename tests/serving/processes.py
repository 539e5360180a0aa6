"""The processes that tests talk to: the protocol server, gateways, Redis."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import zoo

ROOT = Path(__file__).parents[2]
ZOO = Path(zoo.__file__).parent / "agents"
START_SECONDS = 300  # on a machine that does much else

BATCHING = """
max_batch_size { value: 64 }
batch_timeout_micros { value: 500 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 1 }
allowed_batch_sizes: 1
allowed_batch_sizes: 8
allowed_batch_sizes: 32
allowed_batch_sizes: 64
"""


class Running(NamedTuple):
    """A process that answers, and where."""

    process: subprocess.Popen[str]
    grpc: str  # host:port
    rest: str  # http://host:port


def served_name(agent: str) -> str:
    """What a zoo agent is called on the server: `two_step/lstm` -> `two_step_lstm`."""
    return agent.replace("/", "_")


def model_config(agents: dict[str, int], base: Path = ZOO) -> str:
    """A models.config that serves a version of each agent from a registry's folder."""
    models = [
        f'config {{ name: "{served_name(agent)}" base_path: "{base / agent}" '
        'model_platform: "tensorflow" '
        f"model_version_policy {{ specific {{ versions: {version} }} }} }}"
        for agent, version in agents.items()
    ]
    return "model_config_list { " + " ".join(models) + " }"


@contextlib.contextmanager
def protocol_server(
    folder: Path, config: str, batching: str = BATCHING, **options: Any
) -> Iterator[Running]:
    """The protocol server while the block runs; no batching where `batching` is ""."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.config").write_text(config)
    command = [sys.executable, "-m", "serving.protocol_server"]
    command += ["--model_config_file", str(folder / "models.config")]
    if batching:
        (folder / "batching.txt").write_text(batching)
        command += ["--batching_parameters_file", str(folder / "batching.txt")]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    environment = {"PYTHONPATH": str(ROOT / "tests"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with _running(command, folder / "server.log", environment) as (process, at):
        grpc = f"127.0.0.1:{at['grpc']}"
        yield Running(process, grpc, f"http://127.0.0.1:{at['rest']}")


@contextlib.contextmanager
def gateway(folder: Path, serving: str, *options: Any) -> Iterator[Running]:
    """`kerasmeta gateway` while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "kerasmeta.cli", "gateway", "--json"]
    ports = [] if "--port" in options else ["--port", "0", "--rest-port", "0"]
    command += ["--serving", f"grpc://{serving}", *ports, *map(str, options)]
    with _running(command, folder / "gateway.log", {}) as (process, at):
        yield Running(process, at["grpc"], at["rest"])


@contextlib.contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[str]:
    """Redis while the block runs: its address."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian's package redis-server)")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--appendonly", "no", "--dir", str(folder), *options]
    with open(folder / "redis.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _running(
    command: list[str], log: Path, environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A process that prints one line of JSON once it answers."""
    with open(log, "w") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()[-3000:]
        yield process, json.loads(line)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int) -> None:
    """Returns once somebody listens at a port."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nobody listens at {port}"
            time.sleep(0.02)
