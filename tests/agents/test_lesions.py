"""Lesions: silenced units, a closed gate, no retrieval; limit cases and refusals."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.agents import UNITS, assert_same

from kerasmeta import UserError
from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents import AgentState, EpisodicAgent, TRPOAgent, TRPOConfig
from kerasmeta.lesions import Lesion

B, T = 6, 12
SILENCED = (1, 3)
KEPT = (0, 2, 4)  # of the 5 units


def make(**changes: Any) -> EpisodicAgent:
    """A small agent whose weights all matter, with an open gate."""
    agent = EpisodicAgent(
        agents.observation_spec(), agents.action_spec(), agents.config(**changes)
    )
    agents.shake(agent.variables)
    return agent


def live(agent: EpisodicAgent, observation: Any, compiled: bool | None = None) -> Any:
    """All steps of a lifetime, stacked `[B, T, ...]`, states included.

    `compiled`: None, by `step`; else by the pure function, with XLA or without.
    """
    step = agent.step
    if compiled is not None:
        step = tf.function(agent.forward, jit_compile=compiled, autograph=False)
    state = agent.initial_state(B, seed=1)
    outputs = []
    for t in range(T):
        now = agents.over(tf.constant, agents.at(observation, t))
        outputs.append(step(now, state))
        state = outputs[-1].state
    return agents.stack(outputs)


@pytest.fixture(scope="module")
def observation() -> dict[str, np.ndarray]:
    return agents.observations(np.random.default_rng(20180726), B, T)


@pytest.fixture(scope="module")
def agent() -> EpisodicAgent:
    """An intact agent for all tests, which leave its weights alone."""
    return make()


Lived = Callable[[str | None], Any]


@pytest.fixture(scope="module")
def lived(agent: EpisodicAgent, observation: Any) -> Lived:
    """The agent's lifetime by `step` with a lesion; each is lived once."""
    return functools.cache(lambda lesion: live(agent.lesioned(lesion), observation))


@pytest.mark.parametrize("nothing", [None, Lesion(), Lesion(units=())])
def test_no_lesion_is_the_intact_agent_bit_for_bit(
    nothing: Lesion | None, agent: EpisodicAgent, lived: Lived, observation: Any
) -> None:
    lesioned = agent.lesioned("units:0").lesioned(nothing)
    assert lesioned.lesion is None
    assert_same(live(lesioned, observation), lived(None))


@pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
def test_silenced_units_are_as_if_they_had_never_been_there(
    kind: str, observation: Any
) -> None:
    """The same as a smaller agent that has the other units only."""
    agent = make(kind=kind)
    outputs = live(agent.lesioned(Lesion(units=SILENCED)), observation)
    smaller = make(kind=kind, units=len(KEPT))
    cut_weights(agent, smaller)
    expected = live(smaller, observation)
    assert_same(outputs.logits, expected.logits, atol=1e-6)
    assert_same(outputs.value, expected.value, atol=1e-6)
    kept = [tf.gather(part, KEPT, axis=-1) for part in outputs.state.actor]
    assert_same(kept, list(expected.state.actor), atol=1e-6)
    # The lesion is a real one, of units that mattered.
    assert np.abs(outputs.logits - live(agent, observation).logits).max() > 0.05


def cut_weights(agent: EpisodicAgent, smaller: EpisodicAgent) -> None:
    """Copies the weights without the rows and columns of the silenced units."""
    gates = agent.actor.cell.gates
    columns = [UNITS * gate + unit for gate in range(gates) for unit in KEPT]
    weights = {k: v.numpy() for k, v in agent.named_weights().items()}
    for part in ("kernel", "recurrent_kernel", "bias"):
        weights[f"actor/cell/{part}"] = weights[f"actor/cell/{part}"][..., columns]
    for part in ("actor/cell/recurrent_kernel", "actor/head/kernel"):
        weights[part] = weights[part][list(KEPT)]
    if agent.config.has_memory:  # the critic reads m, its last features
        kernel = weights["critic/cell/kernel"]
        rest = range(len(kernel) - UNITS)
        memory = [len(rest) + unit for unit in KEPT]
        weights["critic/cell/kernel"] = kernel[[*rest, *memory]]
    for name, variable in smaller.named_weights().items():
        variable.assign(weights[name])


@pytest.mark.parametrize("compiled", [None, False, True])
def test_silenced_units_hold_zeros_that_memory_stores(
    compiled: bool | None, agent: EpisodicAgent, observation: Any
) -> None:
    outputs = live(agent.lesioned(Lesion(units=SILENCED)), observation, compiled)
    state, recordings = outputs.state, outputs.recordings
    for found in (*state.actor, state.memory.values, recordings["memory"]):
        silenced = tf.gather(found, SILENCED, axis=-1).numpy()
        kept = tf.gather(found, KEPT, axis=-1).numpy()
        assert not silenced.any()
        assert kept.any()
    for name in ("hidden", "cell"):
        assert_same(recordings[name], getattr(state.actor, name))


@pytest.mark.parametrize("lesion", ["units:1,3", "gate", "units:0+gate", "memory"])
def test_a_lesion_is_the_same_with_xla_and_without(
    lesion: str, agent: EpisodicAgent, lived: Lived, observation: Any
) -> None:
    found = live(agent.lesioned(lesion), observation, compiled=True)
    assert_same(found, lived(lesion), atol=1e-5)  # by `step`, which XLA leaves alone


def test_without_any_unit_the_policy_does_not_depend_on_what_is_seen(
    agent: EpisodicAgent, observation: Any
) -> None:
    lesioned = agent.lesioned(Lesion(units=tuple(range(UNITS))))
    logits = live(lesioned, observation).logits.numpy()
    bias = agent.actor.output_layer.bias.numpy()
    np.testing.assert_array_equal(logits, np.broadcast_to(bias, logits.shape))


def test_a_lesion_takes_effect_in_the_middle_of_a_lifetime(
    agent: EpisodicAgent, lived: Lived, observation: Any
) -> None:
    """What silenced units held before reaches nothing any more."""
    before = lived(None).state
    state: AgentState = agents.at(before, T - 1)
    now = agents.at(observation, 0)
    lesioned = agent.lesioned(Lesion(units=SILENCED))
    silenced = np.isin(np.arange(UNITS), SILENCED)
    other = state._replace(
        actor=agents.over(lambda part: tf.where(silenced, 9.0, part), state.actor)
    )
    one, two = lesioned.step(now, state), lesioned.step(now, other)
    assert_same(one, two)
    assert np.abs(one.logits - agent.step(now, state).logits).max() > 1e-3


def test_a_closed_gate_is_a_lesioned_memory_to_the_actor(lived: Lived) -> None:
    """m reaches the policy through the gate only; the critic reads m itself."""
    gate, memory = lived("gate"), lived("memory")
    assert_same(gate.logits, memory.logits)
    assert_same(gate.action, memory.action)
    assert_same(gate.state.actor, memory.state.actor)
    assert np.abs(gate.value - memory.value).max() > 1e-3
    assert not gate.recordings["reinstatement"].numpy().any()
    assert gate.recordings["memory"].numpy().any()  # it still retrieves
    assert np.abs(gate.logits - lived(None).logits).max() > 1e-3


def test_where_m_is_used_by_the_gate_only_both_lesions_are_one(
    observation: Any,
) -> None:
    agent = make()
    kernel = agent.critic.cell.kernel
    used = np.arange(kernel.shape[0])[:, None] < kernel.shape[0] - UNITS
    kernel.assign(kernel * used)  # the critic's weights on m, its last features
    gate = live(agent.lesioned("gate"), observation)
    memory = live(agent.lesioned("memory"), observation)
    same = ("action", "logits", "value", "state")
    for field in same:
        assert_same(getattr(gate, field), getattr(memory, field))


def test_lesions_add_up(agent: EpisodicAgent, observation: Any) -> None:
    both = live(agent.lesioned("gate+units:1,3"), observation)
    either = live(agent.lesioned("memory+units:3,1"), observation)
    assert_same(both.logits, either.logits)
    assert not tf.gather(both.recordings["cell"], SILENCED, axis=-1).numpy().any()


@pytest.mark.parametrize(
    ("text", "lesion"),
    [
        ("memory", Lesion(memory=True)),
        ("gate", Lesion(gate=True)),
        ("units:3,7,12", Lesion(units=(3, 7, 12))),
        ("gate_open:0.9", Lesion(gate_open=0.9)),
        ("gate_open:0", Lesion(gate_open=0.0)),
        ("memory+units:0", Lesion(memory=True, units=(0,))),
    ],
)
def test_the_text_of_a_lesion_reads_back(text: str, lesion: Lesion) -> None:
    assert Lesion.parse(text) == lesion
    assert str(lesion) == text
    assert lesion


def test_units_are_put_in_order_and_named_once() -> None:
    assert Lesion.parse("units: 7,3, 7") == Lesion(units=(3, 7))
    assert str(Lesion()) == "nothing"
    assert not Lesion()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("gates", "lesion 'gates': is not known; use memory, gate"),
        ("", "lesion '': is not known"),
        ("memory:1", "lesion 'memory:1': is not known"),
        ("units", "lesion 'units': is not known"),
        ("units:", "'' is no unit's number"),
        ("units:1,,2", "'' is no unit's number"),
        ("units:-1", "'-1' is no unit's number"),
        ("units:1.5", "'1.5' is no unit's number"),
        ("units:²", "'²' is no unit's number"),
        ("gate_open:", "'' is no mean gate activation"),
        ("gate_open:1.01", "'1.01' is no mean gate activation"),
        ("gate_open:nan", "'nan' is no mean gate activation"),
        ("memory+", "lesion 'memory+': is not known"),
        ("units:5", "unit 5 is out of range; this agent has units 0 to 4"),
        ("gate_open:0.5", "not known before their gates were recorded"),
    ],
)
def test_bad_lesions_are_refused(
    text: str, complaint: str, agent: EpisodicAgent
) -> None:
    with pytest.raises(UserError) as caught:
        agent.lesioned(text)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["memory", "gate", "gate_open:0.5"])
def test_an_agent_without_memory_has_no_gate_to_close(text: str) -> None:
    with pytest.raises(UserError, match="this agent has no memory"):
        make(kind="lstm").lesioned(text)


def test_a_lesioned_agent_is_not_trained() -> None:
    agent = make().lesioned("units:0")
    steps = tf_agents.trajectories.time_step_spec(agent.observation_spec)
    counter = tf.Variable(0, dtype=tf.int64)
    with pytest.raises(UserError, match=r"agent 'units:0': is lesioned; train"):
        TRPOAgent(steps, agent.action_spec, agent, TRPOConfig(), counter)
