"""How long a published agent takes to load from the cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness.web_server import serving

import zoo
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.networks import AgentConfig

NAME = "two_step/ep_lstm"
SECONDS = 1.0  # of processor time: others use the machine too

LOAD = """
import json, sys, time
from kerasmeta.cli.quiet import start_tensorflow
import kerasmeta.agents.storage, zoo
start_tensorflow()
wall, cpu = time.perf_counter(), time.process_time()
agent = zoo.load(sys.argv[1], registry=sys.argv[2], offline=True)
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


@pytest.mark.slow
def test_an_agent_of_1_mib_loads_in_a_second(
    whole: dict[str, Any], tmp_path: Path
) -> None:
    spec = {
        "stimulus": tf.TensorSpec([64], tf.float32),
        "context": tf.TensorSpec([20], tf.float32),
        "episode_start": tf.TensorSpec([], tf.bool),
        "store": tf.TensorSpec([], tf.bool),
        "previous_reward": tf.TensorSpec([], tf.float32),
        "previous_action": tf.TensorSpec([2], tf.float32),
    }
    options = {"kind": "ep_lstm", "units": 180, "critic_units": 128}
    config = AgentConfig.model_validate(options)
    agent, other = (
        EpisodicAgent(spec, tf.TensorSpec([2], tf.float32), config) for _ in range(2)
    )
    registry, others = tmp_path / "registry", {4: other}
    published = zoo.publish(agent, NAME, registry, **whole, others=others)
    size = (published.path / "weights.safetensors").stat().st_size
    assert 1.0 < size / 2**20 < 1.6
    cache = {"KERASMETA_CACHE": str(tmp_path / "cache")}
    environment = {**os.environ, **cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with serving(tmp_path / "registry") as web:
        pull = [sys.executable, "-m", "kerasmeta.cli", "zoo", "pull", NAME]
        subprocess.run([*pull, "--registry", web.url], env=environment, check=True)
        done = subprocess.run(
            [sys.executable, "-c", LOAD, NAME, web.url],
            env=environment,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    wall, cpu = json.loads(done.stdout.splitlines()[-1])
    print(f"\nzoo.load of {size / 2**20:.2f} MiB: {wall:.2f} s, {cpu:.2f} s of CPU")
    assert cpu < SECONDS
