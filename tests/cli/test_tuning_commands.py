"""`fine-tune`, `tune` and `train --config`: what is refused, and what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness.command_line import TINY, assert_refused, snapshot

TUNE = "tune two_step --agent lstm --out s "
REFUSED = {
    "agent": ("fine-tune none/lstm", "agent 'none/lstm'", "is not in the registry"),
    "run": ("fine-tune none", "run 'none'", "does not exist"),
    "task": ("fine-tune lstm two_stp", "task 'two_stp'", "did you mean 'two_step'"),
    "two tasks": (
        "fine-tune lstm bandit --task matching",
        "--task 'matching'",
        "leave",
    ),
    "frozen": (
        "fine-tune lstm --freeze actor",
        "--freeze 'actor'",
        "nothing of the ac",
    ),
    "no part": ("fine-tune lstm --freeze cell", "--freeze 'cell'", "actor/cell"),
    "no fresh part": ("fine-tune lstm --fresh heads", "--fresh 'heads'", "is no part"),
    "other stimulus": (
        "fine-tune lstm bandit --out f",
        "actor/cell/kernel",
        "--fresh a",
    ),
    "parameter": (
        "fine-tune lstm --set task.common=2",
        "--set task.common 2",
        "[0, 1]",
    ),
    "out": ("fine-tune lstm --out ep_lstm", "--out 'ep_lstm'", "holds a run already"),
    "search key": (TUNE + "--search trpo.delt", "--search 'trpo.delt'", "trpo.delta'"),
    "search memory": (TUNE + "--search agent.memory.read", "memory", "leave it out"),
    "search values": (
        TUNE + "--search agent.units=4,x",
        "agent.units 'x'",
        "an integer",
    ),
    "search unknown": (TUNE + "--search agent.unit=4,5", "agent.unit", "'units'"),
    "algorithm": (TUNE + "--algorithm grid", "--algorithm", "'grid'", "bayesian"),
    "address": (TUNE + "--chief here", "--chief 'here'", "host:port"),
    "two roles": (TUNE + "--chief a:1 --worker b:2", "--worker", "leave one out"),
    "no chief's": (TUNE + "--worker 127.0.0.1:1", "--out 's'", "holds no search"),
    "resume": (TUNE + "--resume", "'s'", "holds no search", "begin one"),
    "search out": ("tune two_step --out lstm", "--out 'lstm'", "is not empty"),
    "no file": ("train --config none.json", "--config 'none.json'", "best.json"),
    "no JSON": (
        "train --config lstm/weights.safetensors",
        "it is not JSON",
        "config.js",
    ),
    "other JSON": ("train --config file.json", "--config file.json", "is needed"),
    "task of a file": (
        "train bandit --config lstm/config.json",
        *("TASK 'bandit'", "two_step", "leave out TASK"),
    ),
    "no task": ("train", "TASK", "is missing", "kerasmeta train --help"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input(name: str, command_line: Any, workplace: Path) -> None:
    command, *words = REFUSED[name]
    (workplace / "file.json").write_text("{}")
    before = snapshot(workplace)
    assert_refused(command_line(*command.split()), tuple(words))
    assert snapshot(workplace) == before


@pytest.mark.slow
def test_fine_tune_and_resume(command_line: Any, workplace: Path) -> None:
    words = ("fine-tune", "lstm", "--set", "task.common=0.7", "--freeze", "actor/cell")
    words = (
        *words,
        *TINY[:2],
        "--set",
        "checkpoint_every=1",
        "--out",
        "tuned",
        "--json",
    )
    answer = command_line(*words, "--steps", "80")
    found = answer.json
    assert set(found) == {
        *("run", "task", "agent", "parent", "seed", "steps"),
        *("steps_per_second", "wall_seconds", "metrics"),
    }
    assert found["parent"] == "a run of two_step/lstm, seed 0"
    assert (found["task"], found["agent"], found["steps"]) == ("two_step", "lstm", 80)
    config = json.loads((workplace / "tuned" / "config.json").read_bytes())["run"]
    assert config["task"]["parameters"] == {"trials": 20, "common": 0.7}
    assert config["agent"]["units"] == 4
    assert command_line(*words, "--steps", "160", "--resume").json["steps"] == 160
    words = ("evaluate", "tuned", "--lifetimes", "10", "--no-references", "--json")
    evaluated = command_line(*words)
    assert evaluated.json["task"] == "two_step"


@pytest.mark.slow
def test_a_configuration_in_a_file_is_trained(
    command_line: Any, workplace: Path
) -> None:
    words = ("train", "--config", "lstm/config.json", "--seed", "4", "--out", "again")
    found = command_line(*words, "--json").json
    assert (found["seed"], found["steps"]) == (4, 160)
    ours = json.loads((workplace / "again" / "config.json").read_bytes())["run"]
    theirs = json.loads((workplace / "lstm" / "config.json").read_bytes())["run"]
    assert ours == {**theirs, "seed": 4}
