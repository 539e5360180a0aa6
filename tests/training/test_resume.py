"""A run killed at any moment and resumed ends as one left alone, bit for bit.

One run is killed again and again. KERASMETA_KILLS=n kills a run of its own at each of
those moments and at n more, and has a whole run in another process.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from kerasmeta.training.loop import TrainingResult, train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory

pytestmark = pytest.mark.slow

ITERATIONS = 40
LIFETIMES, UNCUED, CUED = 8, 4, 4
STEPS = ITERATIONS * LIFETIMES * (UNCUED + 1 + CUED)
KILLS = int(os.environ.get("KERASMETA_KILLS", "0"))
TIMES = ("wall_seconds", "steps_per_second")

SETTINGS = [
    *(f"lifetimes={LIFETIMES}", f"task.uncued_trials={UNCUED}"),
    *(f"task.cued_trials={CUED}", "agent.units=6", "agent.critic_units=6"),
    *("checkpoint_every=3", "metrics_every=5"),
]
COMMAND = [
    *(sys.executable, "-m", "kerasmeta.cli", "train", "episodic_two_step"),
    *("--steps", str(STEPS), "--seed", "3", "--json"),
    *(word for setting in SETTINGS for word in ("--set", setting)),
]

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


def train_here(out: Path, resume: bool = False) -> TrainingResult:
    """What the command does, in this process, which has TensorFlow already."""
    settings = [*SETTINGS, f"steps={STEPS}", "seed=3"]
    config = recipe("episodic_two_step", "ep_lstm").with_overrides(settings)
    return train(config, RunDirectory(out), resume)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reference") / "run"
    train_here(out)
    return out


def rows_until(out: Path, last: int) -> list[dict]:
    """The rows of metrics.jsonl up to an iteration's, without their times."""
    rows = RunDirectory(out).read_metrics()[:last]
    assert len(rows) == last
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def kill_while_saving(out: Path, save: int, *options: str) -> None:
    """SIGKILL arrives while the process writes its n-th checkpoint."""
    arguments = [*COMMAND[3:], "--out", str(out), *options]
    killed = subprocess.run(
        [sys.executable, "-c", KILL_WHILE_SAVING, *arguments],
        env={**os.environ, "KILL_AT_SAVE": str(save)},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL


def kill_between_iterations(out: Path, rows: int, *options: str) -> None:
    """SIGKILL arrives somewhere after so many rows of metrics.jsonl."""
    process = subprocess.Popen(
        [*COMMAND, "--out", str(out), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    metrics = out / "metrics.jsonl"
    deadline = time.monotonic() + 300
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < rows:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_killed_again_and_again(undisturbed: Path, tmp_path: Path) -> None:
    """While the first checkpoint is written, and a later one, and between iterations.

    What was run until the first kill is what the same seed gave the other process.
    """
    out = tmp_path / "run"
    kill_while_saving(out, 1)
    assert list((out / "checkpoints").glob("ckpt-3*"))
    assert not (out / "checkpoints" / "checkpoint").exists()  # begin from nothing
    assert rows_until(out, 3) == rows_until(undisturbed, 3)
    kill_while_saving(out, 5, "--resume")
    assert list((out / "checkpoints").glob("ckpt-15*"))
    kill_between_iterations(out, 23, "--resume")
    finish(out, "--resume")
    assert_same(out, undisturbed)


@pytest.mark.parametrize("seed", [3] if KILLS else [])
def test_the_same_seed_gives_the_same_run(
    undisturbed: Path, tmp_path: Path, seed: int
) -> None:
    """In a process of its own, from its beginning to its end."""
    finish(tmp_path / "run")
    assert_same(tmp_path / "run", undisturbed)


@pytest.mark.parametrize(
    "rows",
    [1, 23, *random.Random(3).choices(range(1, 39), k=KILLS)] if KILLS else [],
)
def test_killed_between_iterations(
    undisturbed: Path, tmp_path: Path, rows: int
) -> None:
    out = tmp_path / "run"
    kill_between_iterations(out, rows)
    finish(out, "--resume")
    assert_same(out, undisturbed)


@pytest.mark.parametrize("save", [5, 1] if KILLS else [])
def test_killed_while_a_checkpoint_is_written(
    undisturbed: Path, tmp_path: Path, save: int
) -> None:
    out = tmp_path / "run"
    kill_while_saving(out, save)
    assert list((out / "checkpoints").glob(f"ckpt-{3 * save}*"))
    finish(out, "--resume")
    assert_same(out, undisturbed)


def test_a_finished_run_has_nothing_left_to_do(
    undisturbed: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(undisturbed, tmp_path / "run"))
    assert train_here(out, resume=True).steps == STEPS
    assert RunDirectory(out).read_metrics() == RunDirectory(undisturbed).read_metrics()
