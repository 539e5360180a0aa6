"""The agent in JavaScript is Python's: logits, values, actions and reads, step by step.

Untrained agents with every kind of part, so that what no published agent has is checked
too; `test_live_pages.py` does the same for the published ones, in a browser.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from gallery.browser_arithmetic import call, observation_at, plain

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent, storage
from kerasmeta.agents.sampling import uniforms
from kerasmeta.environments import TaskEnvironment
from kerasmeta.layers import DND
from kerasmeta.networks import AgentConfig

STEPS = 60
KINDS: dict[str, dict[str, Any]] = {
    "lstm": {"kind": "lstm"},
    "ep_lstm": {},
    "encoders": {"encoder": (7, 5), "critic_encoder": (6,)},
    "identity, cleared": {
        "reinstate_activation": "identity",
        "clear_lstm_at_episode": True,
    },
    "normalised": {"normalize": True},
    "softmax": {"memory": {"read": "softmax", "temperature": 0.3}},
    "inverse distance": {"memory": {"read": "inverse_distance", "num_neighbors": 3}},
    "small, least used": {"memory": {"capacity": 5, "eviction": "least_recently_used"}},
    "no overwriting": {"memory": {"capacity": 9, "overwrite": False}},
    "choosy": {"memory": {"min_similarity": 1.0}},
}


def agent_of(task: Any, settings: dict[str, Any]) -> EpisodicAgent:
    """An untrained agent whose weights are not near zero."""
    environment = TaskEnvironment(task, batch_size=1)
    config = AgentConfig(**{"units": 12, "critic_units": 10, **settings})
    specs = environment.observation_spec(), environment.action_spec()
    agent = EpisodicAgent(*specs, config)
    rng = np.random.default_rng(3)
    for name, variable in agent.named_weights().items():
        noise = rng.normal(0, 0.5, variable.shape)
        positive = name.endswith(("variance", "deviation"))
        variable.assign(np.abs(noise) + 0.5 if positive else noise)
    return agent


def lived(agent: EpisodicAgent, task: Any, steps: int) -> list[tuple[Any, Any]]:
    """(observation, output) of every step of one lifetime."""
    environment = TaskEnvironment(task, batch_size=1)
    time_step, state = environment.reset(), agent.initial_state(1, seed=11)
    found = []
    for _ in range(steps):
        output = agent.step(time_step.observation, state)
        found.append((time_step.observation, output))
        time_step, state = environment.step(output.action), output.state
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_answers_the_same(kind: str, tmp_path: Any) -> None:
    task = tasks.make("barcode_bandit", contexts=4, presentations=5, pulls=3, arms=4)
    agent = agent_of(task, KINDS[kind])
    storage.save_weights(agent, tmp_path / "weights.safetensors")
    steps = lived(agent, task, STEPS)
    weights = (tmp_path / "weights.safetensors").read_bytes()
    data = {
        "config": storage.describe(agent),
        "weights": base64.b64encode(weights).decode(),
        "lesion": {},
        "lifetimes": [
            {"seed": [11, 0], "observations": [observation_at(o, 0) for o, _ in steps]}
        ],
    }
    [answers] = call("agent", data)
    reads = 0
    for answer, (_, output) in zip(answers, steps, strict=True):
        np.testing.assert_allclose(answer["logits"], output.logits[0], atol=1e-4)
        assert answer["value"] == pytest.approx(float(output.value[0]), abs=1e-4)
        assert answer["action"] == int(output.action[0])
        if "slot" in output.recordings:
            slot = int(output.recordings["slot"][0])
            assert answer["slot"] == slot
            reads += slot >= 0
    assert reads > 0 or kind == "lstm"  # else nothing was checked of the memory


def test_a_lesion_takes_the_retrieval_away(tmp_path: Any) -> None:
    task = tasks.make("barcode_bandit", contexts=4, presentations=5, pulls=3, arms=4)
    agent = agent_of(task, {})
    storage.save_weights(agent, tmp_path / "weights.safetensors")
    patient = agent.lesioned("memory")
    steps = lived(patient, task, 30)
    weights = (tmp_path / "weights.safetensors").read_bytes()
    lifetimes = [
        {"seed": [11, 0], "observations": [observation_at(o, 0) for o, _ in steps]}
    ]
    data = {
        "config": storage.describe(agent),
        "weights": base64.b64encode(weights).decode(),
        "lifetimes": lifetimes,
    }
    [lesioned] = call("agent", {**data, "lesion": {"memory": True}})
    [intact] = call("agent", {**data, "lesion": {}})
    wanted = np.stack([output.logits[0] for _, output in steps])
    found = np.array([answer["logits"] for answer in lesioned])
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    other = np.array([answer["logits"] for answer in intact])
    assert np.abs(other - wanted).max() > 0.01  # the lesion is what made them agree


@pytest.mark.parametrize("read", ["nearest", "inverse_distance", "softmax"])
@pytest.mark.parametrize("eviction", ["oldest", "least_recently_used"])
def test_the_memory_reads_and_writes_the_same(read: str, eviction: str) -> None:
    """Random keys, some equal, some zero: more of them than slots."""
    rng = np.random.default_rng(5)
    config = {"capacity": 6, "read": read, "eviction": eviction, "overwrite": True}
    config |= {"num_neighbors": 2, "temperature": 0.2, "min_similarity": -1.0}
    dnd = DND(key_size=8, units=3, **config)
    state = dnd.get_initial_state(batch_size=1)
    pool = rng.choice([-1.0, 1.0], [10, 8])
    operations, expected = [], []
    for _ in range(60):
        key = pool[rng.integers(10)] * (rng.random() > 0.05)
        value = rng.normal(size=3) if rng.random() < 0.5 and key.any() else None
        operations.append({"key": key.tolist(), "value": plain(value)})
        query = tf.constant(key[None], tf.float32)
        if value is None:
            retrieval, state = dnd.read(state, query)
            expected.append(retrieval)
        else:
            given = tf.constant(value[None], tf.float32)
            state = dnd.write(state, query, given, tf.constant([True]))
            expected.append(None)
    data = {"config": config, "keySize": 8, "units": 3, "operations": operations}
    for answer, retrieval in zip(call("memory", data), expected, strict=True):
        if retrieval is not None:
            assert answer["slot"] == int(retrieval.slot[0])
            np.testing.assert_allclose(answer["found"], retrieval.memory[0], atol=1e-5)


def test_the_uniform_numbers_of_actions_are_python_s_bit_for_bit() -> None:
    chosen = [[0, 0], [7, 3], [2**31 - 1, 5], [-(2**31), -1]]
    steps = [0, 1, 2, 99, 123456]
    found = call("uniforms", {"seeds": chosen, "steps": steps})
    for seed, numbers in zip(chosen, found, strict=True):
        for step, number in zip(steps, numbers, strict=True):
            wanted = uniforms(tf.constant([seed]), tf.constant([step]), 1)
            assert np.float32(number) == wanted.numpy()[0, 0]
