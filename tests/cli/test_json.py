"""Every command: its help, and with --json exactly one JSON object of its shape."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from harness.collection import collected_eagerly  # noqa: F401 - for the whole module
from harness.command_line import STEPS_PER_ITERATION, TINY, make_run

from kerasmeta.cli import app

ESTIMATE = {"mean", "ci95"}
TWO_STEP = {
    "reward_per_trial",
    "stay_common_rewarded",
    "stay_uncommon_rewarded",
    "stay_common_unrewarded",
    "stay_uncommon_unrewarded",
    "model_based_index",
    "model_free_index",
}
SMALL_HARLOW = {"trials": 10, "max_steps": 20, "cells": 5, "field": 3, "distance": 1}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group of the program, as words."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


COMMANDS = tuple(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(command: tuple[str, ...], command_line: Any) -> None:
    answer = command_line(*command, "--help")
    assert answer.status == 0
    assert "Usage:" in answer.stdout
    assert answer.stderr == ""


def test_the_designed_commands_are_there() -> None:
    found = {" ".join(command) for command in COMMANDS}
    assert found >= {"demo", "tasks", "train", "evaluate", "analyse", "export"}
    assert found >= {"zoo list", "zoo show", "zoo verify", "zoo publish"}


def test_tasks(command_line: Any) -> None:
    listed = command_line("tasks", "--json").json["tasks"]
    assert {"two_step", "episodic_two_step"} <= {task["name"] for task in listed}
    assert all(set(task) == {"name", "summary", "paper"} for task in listed)


def test_train_and_resume(command_line: Any, workplace: Path) -> None:
    train = ("train", "two_step", "--agent", "lstm", *TINY, "--seed", "3")
    train = (*train, "--out", "new", "--json")
    answer = command_line(*train, "--steps", "400")
    found = answer.json
    assert set(found) == {
        *("run", "task", "agent", "seed", "steps"),
        *("steps_per_second", "wall_seconds", "metrics"),
    }
    assert (found["run"], found["task"], found["agent"]) == ("new", "two_step", "lstm")
    assert (found["seed"], found["steps"]) == (3, 400)
    assert found["steps_per_second"] > 0
    assert found["wall_seconds"] > 0
    assert set(found["metrics"]) == TWO_STEP
    assert answer.stderr.startswith("training  20%  80/400 steps  reward/trial ")
    assert "training 100%  400/400 steps" in answer.stderr

    resumed = command_line(*train, "--steps", "480", "--resume")
    assert resumed.json["steps"] == 480
    # The run is now one of 480 steps: unfinished, were it killed before.
    config = json.loads((workplace / "new" / "config.json").read_bytes())
    assert config["run"]["steps"] == 480
    # The first line says where the run stands, not where it began.
    assert resumed.stderr.startswith("training  83%  400/480 steps  reward/trial ")


def test_evaluate(command_line: Any, workplace: Path) -> None:
    found = command_line(
        *("evaluate", "ep_lstm", "--lifetimes", "20", "--seed", "5"),
        *("--lesion", "memory", "--json"),
    ).json
    assert set(found) == {
        *("agent", "task", "lifetimes", "seed", "lesion", "metrics", "references")
    }
    assert (found["agent"], found["task"]) == ("ep_lstm", "two_step")
    assert (found["lifetimes"], found["seed"]) == (20, 5)
    assert found["lesion"] == "memory"
    assert set(found["metrics"]) == TWO_STEP
    assert all(set(estimate) == ESTIMATE for estimate in found["metrics"].values())
    low, high = found["metrics"]["reward_per_trial"]["ci95"]
    assert low < found["metrics"]["reward_per_trial"]["mean"] < high
    assert {"random", "optimal", "published"} <= set(found["references"])
    from kerasmeta.training.evaluation import players
    from kerasmeta.training.runs import load_run

    task = load_run(workplace / "ep_lstm")[1]
    optimal = players(task, lifetimes=1000, seed=5)["optimal"]["reward_per_trial"]
    assert found["references"]["optimal"]["reward_per_trial"] == optimal.mean
    words = ("evaluate", "lstm", "--lifetimes", "2", "--no-references")
    found = command_line(*words, "--json").json
    assert found["lesion"] is None
    assert found["references"] == {}
    assert "optimal" not in command_line(*words).stdout


def test_lesions_are_told_as_they_were_given(
    command_line: Any, workplace: Path
) -> None:
    words = ("evaluate", "lstm", "--lifetimes", "20", "--lesion", "units:3, 0")
    found = command_line(*words, "--json").json
    assert found["lesion"] == "units:3, 0"
    assert "lesioned_units" not in found  # it says so itself
    said = command_line(*words).stdout
    assert said.startswith("lstm on two_step, 20 lifetimes, units:3, 0 lesioned\n")


@pytest.mark.slow
def test_harlow_agents_are_evaluated_on_held_out_objects(
    command_line: Any, workplace: Path
) -> None:
    small = tuple(f"task.{key}={value}" for key, value in SMALL_HARLOW.items())
    steps = 2 * STEPS_PER_ITERATION
    make_run(workplace / "harlow", "lstm", steps, "harlow", small)
    words = ("evaluate", "harlow", "--lifetimes", "5")
    assert command_line(*words, "--json").json["held_out"] == {"objects": "held_out"}
    assert "held_out" not in command_line(*words, "--as-trained", "--json").json
    said = command_line(*words).stdout
    assert said.startswith("harlow on harlow (objects=held_out), 5 lifetimes\n")
    here = ("--registry", workplace / "r")
    words = ("zoo", "publish", "harlow/lstm", "harlow", "--lifetimes", "60", *here)
    assert command_line(*words).status == 0
    shown = command_line("zoo", "show", "harlow/lstm", *here, "--json").json
    assert shown["evaluation"]["held_out"] == {"objects": "held_out"}
    assert "objects" not in shown["task"]["parameters"]
    card = command_line("zoo", "show", "harlow/lstm", *here).stdout
    assert "On what training never showed: `objects=held_out`." in card


def test_analyse(command_line: Any, workplace: Path) -> None:
    words = ("analyse", "ep_lstm", "--out", "figures", "--lifetimes", "20")
    for name in ("metrics", "stay", "learning_curve"):
        words = (*words, "--analysis", name)
    answer = command_line(*words, "--json")
    found = answer.json
    assert set(found) == {
        *("agent", "subjects", "task", "parameters", "lifetimes", "seed"),
        *("recorded_lifetimes", "analyses", "files"),
    }
    assert (found["agent"], found["subjects"]) == ("ep_lstm", ["ep_lstm"])
    metrics = found["analyses"]["metrics"]
    assert set(metrics) == {"agent", "memory lesioned", "players", "sources"}
    assert set(metrics["agent"]) == TWO_STEP
    assert metrics["agent"]["reward_per_trial"]["over"] == "lifetimes"
    assert all(Path(file).stat().st_size > 0 for file in found["files"])
    names = {Path(file).name for file in found["files"]}
    assert names >= {"stay_probabilities.png", "stay_probabilities.svg"}
    assert names >= {"learning_curve.png", "learning_curve.svg", "statistics.json"}
    written = json.loads((workplace / "figures" / "statistics.json").read_bytes())
    assert written == {key: found[key] for key in found if key != "files"}
    assert answer.stderr.startswith("analysing 1/")


def test_analyse_over_seeds_does_what_is_named(
    command_line: Any, workplace: Path
) -> None:
    shutil.copytree(workplace / "lstm", workplace / "other")
    words = ("analyse", "lstm", "other", "--out", "a", "--lifetimes", "20")
    answer = command_line(*words, "--analysis", "stay", "--json")
    found = answer.json
    assert (found["agent"], found["subjects"]) == ("two_step/lstm", ["lstm", "other"])
    assert set(found["analyses"]) == {"stay"}
    stay = found["analyses"]["stay"]["stay_common_rewarded"]
    assert stay["over"] == "seeds"
    assert stay["mean"] == pytest.approx(sum(stay["seeds"]) / 2)
    # Subjects live in lifetimes of their own, were their weights the same.
    assert stay["seeds"][0] != stay["seeds"][1]
    names = {Path(file).name for file in found["files"]}
    assert names == {
        *("stay_probabilities.png", "stay_probabilities.svg", "statistics.json")
    }


@pytest.mark.slow
def test_recordings_are_written_where_they_are_named(
    command_line: Any, workplace: Path
) -> None:
    words = ("analyse", "ep_lstm", "--out", "inside", "--lifetimes", "9")
    words = (*words, "--analysis", "recordings", "--recorded", "3", "--json")
    found = command_line(*words).json
    assert found["recorded_lifetimes"] == 3
    assert found["analyses"]["recordings"]["steps"] == [3 * 20]
    assert {Path(file).name for file in found["files"]} == {
        *("recordings.parquet", "recordings.nc", "statistics.json")
    }
    assert all(Path(file).stat().st_size > 0 for file in found["files"])


def test_analyse_lists_analyses(command_line: Any) -> None:
    listed = {
        one["name"]: one
        for one in command_line("analyse", "--list", "--json").json["analyses"]
    }
    assert listed["metrics"]["families"] == "all"
    assert {"two_step", "episodic_two_step"} <= set(listed["stay"]["families"])
    assert listed["recordings"]["by_default"] is False
    assert "learning_curve" in command_line("analyse", "--list").stdout


@pytest.mark.slow
def test_by_default_all_that_fit(command_line: Any, workplace: Path) -> None:
    words = ("analyse", "lstm", "--out", "figures", "--lifetimes", "20", "--json")
    found = command_line(*words).json
    assert set(found["analyses"]) >= {
        *("metrics", "stay", "learning_curve"),
        *("unit_coding", "decoding", "prediction_errors"),
    }
    assert "recordings" not in found["analyses"]
    table = command_line(*words[:-1], "--analysis", "unit_coding").stdout
    assert "actor fraction_last_action" in table


@pytest.mark.slow
def test_a_family_without_analyses_of_its_own_has_those_of_all(
    command_line: Any, workplace: Path
) -> None:
    make_run(workplace / "bandit", "lstm", 2 * STEPS_PER_ITERATION, task="bandit")
    words = ("analyse", "bandit", "--out", "figures", "--lifetimes", "4", "--json")
    found = command_line(*words).json
    assert {"metrics", "learning_curve"} <= set(found["analyses"])
    names = {Path(file).name for file in found["files"]}
    assert {"learning_curve.png", "learning_curve.svg", "statistics.json"} <= names
    assert "stay_probabilities.png" not in names


def test_export(command_line: Any, workplace: Path) -> None:
    found = command_line("export", "lstm", "--out", "e", "--version", "7", "--json")
    assert (found.json["agent"], found.json["version"]) == ("lstm", 7)
    assert Path(found.json["path"]) == workplace / "e" / "7"
    assert (workplace / "e" / "7" / "saved_model.pb").exists()


def test_zoo(command_line: Any, registry: Path) -> None:
    here = ("--registry", registry, "--json")
    published = command_line(
        "zoo", "publish", "two_step/lstm", "lstm", "--lifetimes", "60", *here
    ).json
    assert published == {"id": "two_step/lstm", "version": 2}
    (listed,) = command_line("zoo", "list", *here).json["agents"]
    keys = {"id", "version", "aliases", "family", "agent", "task", "metrics"}
    assert set(listed) == keys
    assert (listed["id"], listed["version"]) == ("two_step/lstm", 2)
    assert (listed["family"], listed["agent"]) == ("two_step", "lstm")
    assert set(listed["metrics"]) == TWO_STEP
    shown = command_line("zoo", "show", "two_step/lstm@1", *here).json
    assert (shown["id"], shown["version"]) == ("two_step/lstm", 1)
    verified = command_line("zoo", "verify", *here).json["verified"]
    assert verified == [{"id": "two_step/lstm", "version": n} for n in (1, 2)]
    evaluated = command_line(
        "evaluate", "two_step/lstm@1", "--lifetimes", "10", *here
    ).json
    assert evaluated["agent"] == "two_step/lstm@1"


def test_the_registry_may_come_from_the_environment(
    command_line: Any, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERASMETA_REGISTRY", str(registry))
    (listed,) = command_line("zoo", "list", "--json").json["agents"]
    assert listed["id"] == "two_step/lstm"


def test_for_people(command_line: Any, registry: Path) -> None:
    here = ("--registry", registry)
    assert "two_step/lstm" in command_line("zoo", "list", *here).stdout
    assert "files match" in command_line("zoo", "verify", *here).stdout
    card = command_line("zoo", "show", "two_step/lstm", *here).stdout
    assert card.startswith("# two_step/lstm, version 1")
    table = command_line("evaluate", "lstm", "--lifetimes", "20").stdout
    assert table.startswith("lstm on two_step, 20 lifetimes\n")
    assert "reward_per_trial" in table


@pytest.mark.slow
def test_demo(command_line: Any, workplace: Path) -> None:
    answer = command_line("demo", "--steps", "1", "--out", "demo", "--json")
    assert set(answer.json["metrics"]) == {"agent", "memory lesioned"}
    assert Path(answer.json["export"], "saved_model.pb").exists()
    assert all(Path(figure).exists() for figure in answer.json["figures"])
    steps = [line[:3] for line in answer.stderr.splitlines() if line[1:3] == "/6"]
    assert steps == [f"{number}/6" for number in range(1, 7)]
