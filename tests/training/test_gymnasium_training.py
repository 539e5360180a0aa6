"""`kerasmeta train ID`: a known optimum is learnt; runs are kept, resumed, served."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from harness import gymnasium_environments
from safetensors.numpy import load_file

import zoo
from export import export_agent
from kerasmeta.cli import main
from kerasmeta.training.evaluation import evaluate, references
from kerasmeta.training.loop import TrainingResult, train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory
from kerasmeta.training.runs import load_run
from zoo.runs import publish_runs

assert gymnasium_environments.SPACES  # registered by the import

TINY = ["lifetimes=4", "agent.units=4", "agent.critic_units=4", "metrics_every=2"]
STEPS = 4 * 8  # of an iteration


def small(iterations: int, *more: str) -> Any:
    config = recipe("kerasmeta_test/Target-v0", "lstm")
    steps = [f"steps={iterations * STEPS}", "task.collect_steps=8"]
    return config.with_overrides([*TINY, *steps, "checkpoint_every=2", *more])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "chance", "optimum", "enough"),
    [("Match-v0", 10 / 3, 10.0, 9.5), ("Target-v0", -20.8, 0.0, -1.0)],
)
def test_a_known_optimum_is_learnt(
    name: str, chance: float, optimum: float, enough: float, tmp_path: Path
) -> None:
    """By the recipe, but for steps: a choice, and a number from a box off centre."""
    config = recipe(f"kerasmeta_test/{name}", "lstm").with_overrides(
        ["steps=120000", "lifetimes=64", "task.collect_steps=30", "trpo.gamma=0.5"]
    )
    result = train(config, RunDirectory(tmp_path / "run"))
    found = evaluate(result.agent, result.task, 100, greedy=True).metrics["return"]
    assert chance < enough < found.mean <= optimum + 1e-6


class Left(NamedTuple):
    """What one run has left."""

    trained: TrainingResult
    alone: RunDirectory
    killed: RunDirectory  # as a kill after the first of two checkpoints leaves it


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    path = tmp_path_factory.mktemp("runs")
    alone, killed = RunDirectory(path / "alone"), RunDirectory(path / "killed")

    def keep(row: dict[str, Any]) -> None:
        if row["iteration"] == 3:
            shutil.copytree(alone.path, killed.path)

    return Left(train(small(4), alone, report=keep), alone, killed)


@pytest.mark.slow
def test_a_resumed_run_is_the_one_left_alone(left: Left, tmp_path: Path) -> None:
    alone = left.alone
    resumed = RunDirectory(shutil.copytree(left.killed.path, tmp_path / "run"))
    kept = resumed.read_metrics()[:2]
    train(small(4), resumed, resume=True)
    assert resumed.read_metrics()[:2] == kept  # with their times: not run again
    one, other = (load_file(run.weights_path) for run in (alone, resumed))
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)
    rows = [
        [{k: v for k, v in row.items() if "second" not in k} for row in run_rows]
        for run_rows in (alone.read_metrics(), resumed.read_metrics())
    ]
    assert rows[0] == rows[1]
    assert rows[0][-1]["metrics"]["length"] == 8.0  # cut off; a lifetime has ten steps
    assert rows[0][-1]["steps"] == 4 * STEPS


@pytest.mark.slow
def test_a_run_is_loaded_exported_and_published(left: Left, tmp_path: Path) -> None:
    trained, run = left.trained, left.alone
    agent, task = load_run(run.path)
    assert task == trained.task
    one, other = (evaluate(a, task, 5) for a in (agent, trained.agent))
    np.testing.assert_array_equal(one.lifetimes.reward, other.lifetimes.reward)
    assert one.metrics["length"].mean == 10.0  # whole lifetimes here
    assert (export_agent(agent, tmp_path / "model") / "saved_model.pb").exists()
    registry = zoo.Registry(tmp_path / "registry")
    published = publish_runs("target/lstm", [run.path], registry, lifetimes=5)
    assert published.manifest.task.name == "kerasmeta_test/Target-v0"
    again = zoo.load("target/lstm", registry=registry)
    for name, variable in again.named_weights().items():
        np.testing.assert_array_equal(variable, agent.named_weights()[name])


def test_references_are_chance_and_gymnasiums_threshold() -> None:
    from kerasmeta import tasks

    found = references(tasks.make("kerasmeta_test/Limited-v0"))
    assert found["random"]["return"] == 4.0  # its time limit, whatever is done
    assert found["published"] == {"return": 3.5}
    assert "reward_threshold" in found["sources"]["gymnasium"]["source"]


@pytest.mark.slow
def test_the_command_line_trains_and_evaluates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "kerasmeta.cli"]
    options = ["--steps", "400", "--set", "lifetimes=2", "--set", "agent.units=4"]
    options += ["--set", "task.collect_steps=100", "--json"]
    done = subprocess.run(
        [*command, "train", "CartPole-v1", *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["task"], told["agent"], told["steps"]) == ("CartPole-v1", "lstm", 400)
    assert set(told["metrics"]) == {"return", "length"}
    monkeypatch.chdir(tmp_path)  # one process is enough to see that it is one
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", told["run"], "--lifetimes", "3", "--json"])
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["references"]["published"] == {"return": 475.0}
