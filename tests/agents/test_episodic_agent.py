"""The runnable agent: memory wiring, training's view of it, lesions, independence."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.agents import assert_same
from harness.reference import ListMemory
from harness.statistics import check_mean, check_rate

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.agents import AgentOutput, AgentState, EpisodicAgent
from kerasmeta.layers import LSTMState

B, T = 4, 12
KINDS = pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
CONTINUOUS = pytest.mark.parametrize("continuous", [False, True])


def fresh(continuous: bool = False, **changes: Any) -> EpisodicAgent:
    """A small agent whose weights all matter."""
    agent = EpisodicAgent(
        agents.observation_spec(continuous),
        agents.action_spec(continuous),
        agents.config(**changes),
    )
    agents.shake(agent.variables)
    return agent


# Agents carry nothing from call to call, but what was traced: tests share them.
make = functools.cache(fresh)


def lifetime(
    agent: EpisodicAgent, observation: Any, seed: int = 0, **arguments: Any
) -> tuple[AgentOutput, AgentState]:
    """All steps of a lifetime, stacked `[B, T, ...]`, and the last state."""
    batch, steps = observation["store"].shape
    state = agent.initial_state(batch, seed)
    outputs = []
    for t in range(steps):
        output = agent.step(agents.at(observation, t), state, **arguments)
        state = output.state
        outputs.append(output._replace(state=()))
    return agents.stack(outputs), state


def differs(one: Any, other: Any) -> bool:
    return bool(np.abs(one - other).max() > 1e-3)


@pytest.fixture
def observation(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return agents.observations(rng, B, T)


@KINDS
@CONTINUOUS
@pytest.mark.parametrize("clear", [False, True])
def test_stepping_equals_what_training_unrolls(
    kind: str, continuous: bool, clear: bool, rng: np.random.Generator
) -> None:
    agent = make(continuous, kind=kind, clear_lstm_at_episode=clear)
    observation = agents.observations(rng, B, T, continuous)
    outputs, state = lifetime(agent, observation)
    inputs = {**observation, "memory": outputs.recordings["memory"]}
    reset = tf.constant(
        observation["episode_start"] if clear else np.zeros([B, T], bool)
    )
    parameters, actor_state = agent.actor.unroll(
        inputs, reset, agent.actor.zero_state(B)
    )
    values, critic_state = agent.critic.unroll(
        inputs, reset, agent.critic.zero_state(B)
    )
    assert_same(agent.parameters(outputs), parameters, atol=2e-6)
    assert_same(outputs.value, values, atol=2e-6)
    assert_same((state.actor, state.critic), (actor_state, critic_state), atol=2e-6)


@pytest.mark.parametrize("clear", [False, True])
def test_memory_is_read_before_it_is_written(
    clear: bool, observation: dict[str, np.ndarray]
) -> None:
    """A lifetime played by hand: read unless storing, step, store the cell state."""
    agent = make(clear_lstm_at_episode=clear)
    outputs, _ = lifetime(agent, observation)
    assert np.abs(outputs.recordings["memory"]).max() > 0.1
    for row in range(B):
        memory = ListMemory(3, agents.UNITS)
        state = agent.actor.zero_state(1)
        for t in range(T):
            now = {key: value[row : row + 1, t] for key, value in observation.items()}
            if clear and now["episode_start"][0]:
                state = agent.actor.zero_state(1)
            found = np.zeros(agents.UNITS)
            if not now["store"][0]:
                found = memory.read(now["context"][0])
            recorded = outputs.recordings["memory"][row, t]
            np.testing.assert_allclose(recorded, found, rtol=0, atol=1e-5)
            inputs = {**now, "memory": found[None].astype(np.float32)}
            logits, state, _ = agent.actor.step(inputs, state)
            np.testing.assert_allclose(
                outputs.logits[row, t], logits[0], rtol=0, atol=1e-5
            )
            if now["store"][0]:
                memory.write(now["context"][0], state.cell[0].numpy())


@CONTINUOUS
def test_outputs_describe_the_distribution(
    continuous: bool, rng: np.random.Generator
) -> None:
    agent = make(continuous)
    observation = agents.observations(rng, B, 1, continuous)
    output = agent.step(agents.at(observation, 0), agent.initial_state(B))
    if continuous:
        assert output.logits is None
        assert_same(output.greedy_action, output.mean)
        assert output.scale.numpy().min() > 0
        assert output.action.shape == (B, agents.ACTIONS)
        assert output.action.dtype == tf.float32
    else:
        assert output.mean is None
        assert output.scale is None
        assert_same(output.greedy_action, output.logits.numpy().argmax(-1))
        assert output.action.dtype == tf.int32
    assert output.value.shape == (B,)
    assert set(output.recordings) == {
        *("input", "forget", "output", "candidate", "reinstatement"),
        *("hidden", "cell", "memory", "slot", "similarity"),
    }
    parameters, _, _ = agent.actor.step(
        {**agents.at(observation, 0), "memory": tf.zeros([B, agents.UNITS])},
        agent.actor.zero_state(B),
    )
    assert_same(agent.parameters(output), parameters, atol=1e-6)


def test_greedy_takes_the_mode_and_changes_nothing_else(
    observation: dict[str, np.ndarray],
) -> None:
    agent = make()
    drawn, state = lifetime(agent, observation)
    greedy, greedy_state = lifetime(agent, observation, greedy=True)
    assert_same(greedy.action, drawn.greedy_action)
    assert (drawn.action.numpy() != drawn.greedy_action.numpy()).any()
    assert_same(greedy._replace(action=drawn.action), drawn)
    assert_same(greedy_state, state)


def test_actions_are_drawn_at_their_rates(rng: np.random.Generator) -> None:
    agent, batch = make(), 4000
    observation = agents.take(agents.observations(rng, 1, 1), [0] * batch)
    output = agent.step(agents.at(observation, 0), agent.initial_state(batch))
    rate = tf.nn.softmax(output.logits[0])[1]
    assert 0.1 < rate < 0.9
    check_rate(output.action.numpy() == 1, float(rate))


def test_real_actions_are_drawn_from_their_normal(rng: np.random.Generator) -> None:
    agent, batch = make(continuous=True), 4000
    observation = agents.take(
        agents.observations(rng, 1, 1, continuous=True), [0] * batch
    )
    output = agent.step(agents.at(observation, 0), agent.initial_state(batch))
    standard = ((output.action - output.mean) / output.scale).numpy()
    for column in standard.T:
        check_mean(column, 0.0)
        check_mean(column**2, 1.0)


@CONTINUOUS
def test_the_seed_decides_the_actions(
    continuous: bool, rng: np.random.Generator
) -> None:
    agent = make(continuous)
    observation = agents.observations(rng, B, T, continuous)
    one, state = lifetime(agent, observation, seed=1)
    again, _ = lifetime(agent, observation, seed=1)
    other, _ = lifetime(agent, observation, seed=2)
    assert_same(one, again)
    assert_same(state.step, np.full(B, T))  # every step draws anew
    assert (one.action.numpy() != other.action.numpy()).any()
    assert_same(one._replace(action=()), other._replace(action=()))


@KINDS
def test_rows_do_not_influence_each_other(
    kind: str, observation: dict[str, np.ndarray]
) -> None:
    """A permuted batch, and a row alone, act as the rows do in the batch."""
    agent = make(kind=kind)
    start = agent.initial_state(B, seed=4)

    def play(rows: list[int]) -> AgentOutput:
        state, outputs = agents.take(start, rows), []
        for t in range(T):
            output = agent.step(agents.at(agents.take(observation, rows), t), state)
            outputs.append(output)
            state = output.state
        return agents.stack(outputs)

    together = play(list(range(B)))
    for rows in ([2, 0, 3, 1], [1], [3]):
        expected = agents.take(together, rows)
        assert_same(play(rows), expected, atol=1e-6)


def test_an_agent_without_memory_ignores_context_and_store(
    observation: dict[str, np.ndarray],
) -> None:
    agent = make(kind="lstm")
    assert agent.initial_state(2).memory == ()
    outputs, _ = lifetime(agent, observation)
    changed = {
        **observation,
        "context": -3.0 * observation["context"] + 1.0,
        "store": ~observation["store"],
    }
    assert_same(lifetime(agent, changed)[0], outputs)
    assert not outputs.recordings["memory"].numpy().any()
    assert "reinstatement" not in outputs.recordings


def test_a_memory_lesion_silences_retrieval_and_nothing_else(
    observation: dict[str, np.ndarray],
) -> None:
    agent = make()
    intact, intact_state = lifetime(agent, observation)
    lesioned = agent.lesioned("memory")
    outputs, state = lifetime(lesioned, observation)
    assert not outputs.recordings["memory"].numpy().any()
    assert differs(outputs.logits, intact.logits)
    assert differs(outputs.value, intact.value)
    silent = {**observation, "context": 0.0 * observation["context"]}
    assert_same(outputs, lifetime(agent, silent)[0])  # as if no context were shown
    assert_same(state.memory.keys, intact_state.memory.keys)  # it still writes
    assert all(a is b for a, b in zip(lesioned.variables, agent.variables, strict=True))
    assert_same(lifetime(lesioned.lesioned(None), observation)[0], intact)


def test_the_critic_can_be_left_out(observation: dict[str, np.ndarray]) -> None:
    agent = make()
    state, now = agent.initial_state(B), agents.at(observation, 0)
    now = tf.nest.map_structure(tf.constant, now)
    without = agent.forward(now, state, with_value=False)
    assert_same(without.value, np.zeros(B))
    assert_same(without.state.critic, state.critic)
    full = agent.forward(now, state)
    assert_same(without._replace(value=(), state=()), full._replace(value=(), state=()))
    assert_same(without.state.actor, full.state.actor)


def test_every_weight_has_a_name() -> None:
    agent = make(continuous=True, encoder=(3,))
    named = agent.named_weights()
    assert {id(v) for v in named.values()} == {id(v) for v in agent.variables}
    assert len(named) == len(agent.variables) == 5 + 2 + 1 + 5
    assert {"actor/cell/kernel", "critic/head/bias", "actor/log_scale"} <= set(named)


def test_a_state_is_plain_batch_first_data() -> None:
    state = make().initial_state(3, seed=5)
    assert isinstance(state.actor, LSTMState)
    for leaf in tf.nest.flatten(state):
        assert leaf.shape[0] == 3
    np.testing.assert_array_equal(state.seed, [[5, 0], [5, 1], [5, 2]])


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, "2", None])
def test_a_batch_size_is_a_positive_integer(batch_size: Any) -> None:
    with pytest.raises(UserError, match="batch_size"):
        make().initial_state(batch_size)


@pytest.mark.parametrize("seed", [2**31, -(2**31) - 1, 2**70, 1.5, "1", None])
def test_a_seed_is_a_32_bit_integer(seed: Any) -> None:
    """No two seeds may silently be the same."""
    with pytest.raises(UserError, match="seed"):
        make().initial_state(2, seed)


def test_the_agent_runs_for_any_batch_size_with_few_traces(
    rng: np.random.Generator,
) -> None:
    agent = fresh()
    for batch in (1, 2, 3, 5, 8):
        observation = agents.at(agents.observations(rng, batch, 1), 0)
        output = agent.step(observation, agent.initial_state(batch))
        assert output.action.shape == (batch,)
    assert agent._compiled.experimental_get_tracing_count() <= 2
