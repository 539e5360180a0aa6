"""Lesions of agents in their tasks: silenced units, and gates that were measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness.collection import collected_eagerly  # noqa: F401 - for the whole module

from kerasmeta import UserError, tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.lesions import Lesion
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.training import lesions
from kerasmeta.training.evaluation import record
from kerasmeta.training.lesions import SEED, lifetimes_for, measure_gates, resolve
from kerasmeta.training.loop import make_agent
from kerasmeta.training.recipes import recipe

UNITS = 6
OPEN = (1, 4)
EVERY = tuple(range(UNITS))
SHORT = {"uncued_trials": 6, "cued_trials": 6}


@pytest.fixture(scope="module")
def task() -> Any:
    return tasks.make("episodic_two_step", **SHORT)


@pytest.fixture(scope="module")
def agent(task: Any) -> EpisodicAgent:
    """Untrained, with the gates of two units open and those of the others shut."""
    settings = [f"agent.units={UNITS}", "agent.critic_units=3"]
    config = recipe("episodic_two_step", "ep_lstm", SHORT).with_overrides(settings)
    agent = make_agent(config, task)
    agent.actor.output_layer.bias.assign([0.001, 0.0])
    bias = agent.actor.cell.bias.numpy().reshape(5, UNITS)  # i, f, o, r, g
    bias[3] = [4.0 if unit in OPEN else -4.0 for unit in range(UNITS)]
    agent.actor.cell.bias.assign(bias.ravel())
    return agent


@pytest.fixture(scope="module")
def lives(agent: EpisodicAgent, task: Any) -> dict[str, Lifetimes]:
    """The same lifetimes with something lesioned; actions are the most probable."""
    every = str(Lesion(units=EVERY))
    return {
        name: record(agent.lesioned(lesion), task, 40, 0, greedy=True)
        for name, lesion in {
            "intact": None,
            "no unit": Lesion(units=()),
            **{text: text for text in ("memory", "gate", "units:0,2")},
            "every unit": every,
        }.items()
    }


@pytest.fixture(scope="module")
def measured(agent: EpisodicAgent, task: Any) -> np.ndarray:
    return measure_gates(agent, task)


def test_silenced_units_are_silent_in_lifetimes_too(lives) -> None:
    """Without any unit the policy is the head's bias, whatever is seen."""
    valid = lives["intact"].valid
    assert not lives["every unit"].action[valid].any()
    assert 0.1 < lives["intact"].action[valid].mean() < 0.9
    assert (lives["units:0,2"].action != lives["intact"].action)[valid].any()


def test_no_unit_silenced_is_the_same_lifetimes_bit_for_bit(lives) -> None:
    same = lives["intact"], lives["no unit"]
    tf.nest.map_structure(np.testing.assert_array_equal, *same)


def test_a_closed_gate_acts_like_a_lesioned_memory(lives) -> None:
    tf.nest.map_structure(np.testing.assert_array_equal, lives["gate"], lives["memory"])
    assert (lives["gate"].action != lives["intact"].action).any()


def test_gates_are_measured_where_memory_was_read(agent, task, measured) -> None:
    """As seen step by step in the same lifetimes, by the agent's own `step`."""
    count = lifetimes_for(task)
    lifetimes = record(agent, task, count, SEED)
    gates, state = [], agent.initial_state(count)
    for t in range(lifetimes.valid.shape[1]):
        now = {key: leaf[:, t] for key, leaf in lifetimes.observation.items()}
        output = agent.step(now, state)
        state = output.state
        read = lifetimes.valid[:, t] & (output.recordings["slot"].numpy() >= 0)
        gates.append(output.recordings["reinstatement"].numpy()[read])
    expected = np.concatenate(gates)  # [reads, H]
    assert 0.3 < len(expected) / lifetimes.valid.sum() < 0.6  # the cued trials
    np.testing.assert_allclose(measured, expected.mean(axis=0), atol=1e-5)
    assert (measured[list(OPEN)] > 0.9).all()


def test_the_units_whose_gates_are_open_are_found(
    agent, task, measured, monkeypatch
) -> None:
    monkeypatch.setattr(lesions, "measure_gates", lambda *_: measured)
    found = resolve(Lesion(gate_open=0.8), agent, task)
    assert found == Lesion(units=OPEN)
    # Units named besides are silenced as well.
    found = resolve(Lesion(gate_open=0.8, units=(0, 4), gate=True), agent, task)
    assert found == Lesion(units=(0, 1, 4), gate=True)
    assert resolve(Lesion(gate_open=0.0), agent, task).units == EVERY
    with pytest.raises(UserError, match=r"'gate_open:0.999': no unit's .* at most 0.9"):
        resolve(Lesion(gate_open=0.999), agent, task)


def test_a_lesion_without_a_threshold_needs_no_measurement(agent, task) -> None:
    for lesion in (Lesion(), Lesion(memory=True), Lesion(units=(5,))):
        assert resolve(lesion, agent, task) is lesion


def test_impossible_lesions_are_refused_before_anything_is_measured(
    agent, task
) -> None:
    with pytest.raises(UserError, match="nothing is ever retrieved in two_step"):
        resolve(Lesion(gate_open=0.5), agent, tasks.make("two_step"))
    with pytest.raises(UserError, match="unit 6 is out of range"):
        resolve(Lesion(units=(6,)), agent, task)
    with pytest.raises(UserError, match="not known before their gates were recorded"):
        agent.lesioned("gate_open:0.9")
