"""A run killed at any moment and resumed ends as one left alone, bit for bit.

KERASMETA_KILLS=n kills at n more moments.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from kerasmeta.training.run_directory import RunDirectory

pytestmark = pytest.mark.slow

ITERATIONS = 40
LIFETIMES, UNCUED, CUED = 8, 4, 4
STEPS = ITERATIONS * LIFETIMES * (UNCUED + 1 + CUED)
KILLS = int(os.environ.get("KERASMETA_KILLS", "0"))
TIMES = ("wall_seconds", "steps_per_second")

COMMAND = [
    sys.executable, "-m", "kerasmeta.cli", "train", "episodic_two_step",
    "--steps", str(STEPS), "--seed", "3", "--json",
    "--set", f"lifetimes={LIFETIMES}",
    "--set", f"task.uncued_trials={UNCUED}", "--set", f"task.cued_trials={CUED}",
    "--set", "agent.units=6", "--set", "agent.critic_units=6",
    "--set", "checkpoint_every=3", "--set", "metrics_every=5",
]  # fmt: skip

# Makes the process kill itself in the middle of its n-th checkpoint: after the data
# file is written and before the checkpoint counts as saved.
KILL_WHILE_SAVING = """
import os, signal, sys
import kerasmeta.cli
from tensorflow.python.checkpoint import checkpoint_management as management

update, calls = management.update_checkpoint_state_internal, []

def killing(*arguments, **options):
    calls.append(1)  # twice a save: before and after old checkpoints are deleted
    if len(calls) == 2 * int(os.environ["KILL_AT_SAVE"]) - 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return update(*arguments, **options)

management.update_checkpoint_state_internal = killing
kerasmeta.cli.main(sys.argv[1:])
"""


def finish(out: Path, *options: str) -> None:
    """Runs the command to its end."""
    done = subprocess.run(
        [*COMMAND, "--out", str(out), *options], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == STEPS


def outcome(out: Path) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Final weights, and the rows of metrics.jsonl without their times."""
    rows = RunDirectory(out).read_metrics()
    for row in rows:
        for name in TIMES:
            del row[name]
    return load_file(out / "weights.safetensors"), rows


def assert_same(out: Path, reference: Path) -> None:
    weights, rows = outcome(out)
    expected_weights, expected_rows = outcome(reference)
    assert weights.keys() == expected_weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(array, expected_weights[name], err_msg=name)
    assert [row["iteration"] for row in rows] == list(range(1, ITERATIONS + 1))
    assert rows == expected_rows


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reference") / "run"
    finish(out)
    return out


def test_the_same_seed_gives_the_same_run(undisturbed: Path, tmp_path: Path) -> None:
    finish(tmp_path / "run")
    assert_same(tmp_path / "run", undisturbed)


@pytest.mark.parametrize(
    "rows_before_kill", [1, 23, *random.Random(3).choices(range(1, 39), k=KILLS)]
)
def test_killed_between_iterations(
    undisturbed: Path, tmp_path: Path, rows_before_kill: int
) -> None:
    """SIGKILL arrives somewhere after so many rows of metrics.jsonl."""
    out = tmp_path / "run"
    process = subprocess.Popen(
        [*COMMAND, "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    metrics = out / "metrics.jsonl"
    deadline = time.monotonic() + 300
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < rows_before_kill:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    finish(out, "--resume")
    assert_same(out, undisturbed)


@pytest.mark.parametrize("save", [5, 1] if KILLS else [5])
def test_killed_while_a_checkpoint_is_written(
    undisturbed: Path, tmp_path: Path, save: int
) -> None:
    out = tmp_path / "run"
    arguments = [*COMMAND[3:], "--out", str(out)]
    killed = subprocess.run(
        [sys.executable, "-c", KILL_WHILE_SAVING, *arguments],
        env={**os.environ, "KILL_AT_SAVE": str(save)},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL
    assert list((out / "checkpoints").glob(f"ckpt-{3 * save}*"))
    finish(out, "--resume")
    assert_same(out, undisturbed)


def test_a_finished_run_has_nothing_left_to_do(
    undisturbed: Path, tmp_path: Path
) -> None:
    before = outcome(undisturbed)
    finish(undisturbed, "--resume")
    assert outcome(undisturbed)[1] == before[1]
