"""An agent as files: the round trip, and every way a file can be wrong."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import agents
from safetensors.numpy import load_file, save_file

from kerasmeta import UserError
from kerasmeta.agents import EpisodicAgent, storage


def make(continuous: bool = False, **changes: Any) -> EpisodicAgent:
    agent = EpisodicAgent(
        agents.observation_spec(continuous),
        agents.action_spec(continuous),
        agents.config(**changes),
    )
    agents.shake(agent.variables)
    return agent


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
def test_round_trip(
    continuous: bool, kind: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Through JSON and safetensors; the copy acts the same, bit for bit."""
    agent = make(
        continuous,
        kind=kind,
        encoder=(4,),
        reinstate_activation="identity",
        memory={"capacity": 2, "read": "softmax", "eviction": "least_recently_used"},
    )
    description = json.loads(json.dumps(storage.describe(agent)))
    storage.save_weights(agent, tmp_path / "weights.safetensors")
    copy = storage.build(description)
    storage.load_weights(copy, tmp_path / "weights.safetensors")

    assert copy.config == agent.config
    assert copy.action_spec == agent.action_spec
    assert storage.describe(copy) == description
    assert copy.observation_spec == agent.observation_spec
    observation = agents.observations(rng, 3, 4, continuous)
    states = [one.initial_state(3) for one in (agent, copy)]
    for t in range(4):
        outputs = [
            one.step(agents.at(observation, t), state)
            for one, state in zip((agent, copy), states, strict=True)
        ]
        agents.assert_same(*outputs)
        states = [output.state for output in outputs]


def test_the_files_hold_plain_data(tmp_path: Path) -> None:
    agent = make()
    storage.save_weights(agent, tmp_path / "w")
    arrays = load_file(tmp_path / "w")
    assert set(arrays) == set(agent.named_weights())
    assert {array.dtype for array in arrays.values()} == {np.dtype("float32")}
    description = storage.describe(agent)
    assert description["agent"]["kind"] == "ep_lstm"
    assert description["action"] == {
        "shape": [],
        "dtype": "int32",
        "minimum": 0,
        "maximum": 1,
    }


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.pop(name)


def changed(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.update({name: value})


BIAS = "critic/head/bias"


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (without("actor/cell/kernel"), "lacks actor/cell/kernel"),
        (changed("actor/gate", np.zeros(1, np.float32)), "holds an unknown actor/gate"),
        (changed(BIAS, np.zeros(2, np.float32)), f"{BIAS} is float32 (2,)"),
        (changed(BIAS, np.zeros(1, np.float64)), f"{BIAS} is float64 (1,)"),
        (changed(BIAS, np.array([np.nan], np.float32)), f"{BIAS} is not finite"),
        (changed(BIAS, np.array([np.inf], np.float32)), f"{BIAS} is not finite"),
    ],
)
def test_odd_weights_are_refused_whole(
    damage: Callable[[dict[str, Any]], None], problem: str, tmp_path: Path
) -> None:
    """The error names the file and the weight; no weight is changed."""
    agent, other, path = make(), make(), tmp_path / "weights.safetensors"
    agents.shake(other.variables, seed=1)
    storage.save_weights(other, path)
    arrays = load_file(path)
    damage(arrays)
    save_file(arrays, path)
    check_refused(agent, path, problem)


def check_refused(agent: EpisodicAgent, path: Path, problem: str) -> None:
    before = [variable.numpy() for variable in agent.variables]
    with pytest.raises(UserError) as error:
        storage.load_weights(agent, path)
    text = str(error.value)
    assert "\n" not in text
    assert problem in text
    assert path.name in text
    for old, variable in zip(before, agent.variables, strict=True):
        np.testing.assert_array_equal(variable, old)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, -1])
def test_truncated_weights_are_refused(kept: float, tmp_path: Path) -> None:
    agent, path = make(), tmp_path / "weights.safetensors"
    storage.save_weights(agent, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept == 0.5 else int(kept)])
    check_refused(agent, path, "cannot be read")


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    agent = make()
    check_refused(agent, tmp_path / "absent", "cannot be read")
    (tmp_path / "folder").mkdir()
    check_refused(agent, tmp_path / "folder", "cannot be read")
    (tmp_path / "text").write_text("weights\n" * 100)
    check_refused(agent, tmp_path / "text", "cannot be read")
    header = json.dumps(
        {BIAS: {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}
    ).encode()
    content = len(header).to_bytes(8, "little") + header + b"\0\0"
    (tmp_path / "bf16").write_bytes(content)
    with pytest.raises(UserError, match="bf16"):
        storage.load_weights(agent, tmp_path / "bf16")


@functools.cache
def damaged_descriptions() -> dict[str, Any]:
    """Descriptions that describe no agent, by what is wrong."""
    whole = json.dumps(storage.describe(make()))

    def description(path: str, value: Any = None) -> Any:
        part = copy = json.loads(whole)
        *parents, last = path.split("/")
        for key in parents:
            part = part[key]
        if value is None:
            del part[last]
        else:
            part[last] = value
        return copy

    return {
        "nothing": None,
        "a list": [],
        "empty": {},
        "no agent": description("agent"),
        "no action": description("action"),
        "no stimulus": description("observation/stimulus"),
        "no context": description("observation/context"),
        "no store": description("observation/store"),
        "unknown dtype": description("action/dtype", "int33"),
        "bad shape": description("action/shape", "three"),
        "negative shape": description("observation/context/shape", [-4]),
        "unknown shape": description("observation/context/shape", [None]),
        "scalar stimulus": description("observation/stimulus/shape", []),
        "text stimulus": description("observation/stimulus/dtype", "string"),
        "two actions": description("action/shape", [2]),
        "no maximum": description("action/maximum"),
        "unbounded": description("action", {"shape": [], "dtype": "int32"}),
        "text maximum": description("action/maximum", "many"),
        "three maxima": description("action/maximum", [1, 2, 3]),
        "unknown kind": description("agent/kind", "gru"),
        "unknown field": description("agent/layers", 3),
        "no units": description("agent/units", 0),
    }


# What the line says after the file's name, and before "or restore the file".
COMPLAINTS = {
    "nothing": "None: is not valid; give a dictionary",
    "a list": "[]: is not valid; give a dictionary",
    "empty": "observation 'missing': is needed; add it",
    "no agent": "agent 'missing': is needed; add it",
    "no action": "action 'missing': is needed; add it",
    "no stimulus": "observation_spec['stimulus'] 'missing': is not what an agent sees",
    "no context": "observation_spec['context'] 'missing': is not what an agent sees",
    "no store": "observation_spec['store'] 'missing': is not what an agent sees",
    "unknown dtype": "action.dtype 'int33': is not valid; give 'bool'",
    "bad shape": "action.shape 'three': is not valid; give a list",
    "negative shape": "observation.context.shape.0 -4: is not valid; give a number",
    "unknown shape": "observation.context.shape.0 None: is not valid; give an integer",
    "scalar stimulus": "observation_spec['stimulus'] 'float32 ()': is not what",
    "text stimulus": "observation.stimulus.dtype 'string': is not valid; give 'bool'",
    "two actions": "observation_spec['previous_action'] 'int32 ()': is not what",
    "no maximum": "'minimum': 0}: is not valid (one of minimum and maximum is missing)",
    "unbounded": "action_spec 'int32 () from None': has no distribution here",
    "text maximum": "action.maximum 'many': is not valid (not a number or a list of",
    "three maxima": "action '0 to [1, 2, 3]': are no bounds of int32 ()",
    "unknown kind": "agent.kind 'gru': is not valid; give 'lstm' or 'ep_lstm'",
    "unknown field": "agent.layers 3: is not valid (extra inputs are not permitted)",
    "no units": "agent.units 0: is not valid; give a number greater than 0",
}


@pytest.mark.parametrize("case", COMPLAINTS)
def test_odd_descriptions_are_refused_in_one_clear_line(case: str) -> None:
    assert COMPLAINTS.keys() == damaged_descriptions().keys()
    with pytest.raises(UserError) as error:
        storage.build(damaged_descriptions()[case], source="somewhere/config.json")
    text = str(error.value)
    assert text.startswith("somewhere/config.json ")
    assert COMPLAINTS[case] in text
    assert text.endswith(", or restore the file")
    assert "\n" not in text
