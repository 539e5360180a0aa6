"""Rows of Gymnasium lifetimes as experience: what follows what, and what is learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents, gymnasium_environments

from kerasmeta import tasks
from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents import EpisodicAgent, TRPOAgent, TRPOConfig
from kerasmeta.agents import experience as experience_of
from kerasmeta.networks import AgentConfig
from kerasmeta.tasks.observation import full_observation_spec
from kerasmeta.training.collect import (
    EVALUATION_STREAM,
    TRAINING_STREAM,
    make_collector,
    to_lifetimes,
    total_reward,
)

ROWS = 4
GAMMA = 0.5
assert gymnasium_environments.SPACES  # registered by the import


def agent_for(task: Any, **options: Any) -> EpisodicAgent:
    config = AgentConfig(kind="lstm", units=5, critic_units=4, **options)
    agent = EpisodicAgent(full_observation_spec(task), task.action_spec, config)
    agents.shake([*agent.actor.trainable_variables, *agent.critic.trainable_variables])
    return agent


def counter(**arguments: Any) -> Any:
    return tasks.make("kerasmeta_test/Counter-v0", **arguments)


def collected(task: Any, index: int = 0, stream: int = TRAINING_STREAM) -> Any:
    return make_collector(task, ROWS, agent_for(task)).collect(2, index, stream)


def test_lifetimes_follow_each_other_in_a_row() -> None:
    seen = collected(counter(length=3, collect_steps=9))
    assert seen.reward.shape == (ROWS, 10)
    row = tf.nest.map_structure(lambda leaf: leaf.numpy()[0], seen)
    # The lifetime that goes on in the last step is truncated there.
    np.testing.assert_array_equal(row.step_type, [0, 1, 1, 2, 0, 1, 1, 2, 0, 2])
    np.testing.assert_array_equal(row.next_step_type, [1, 1, 2, 0, 1, 1, 2, 0, 2, 0])
    np.testing.assert_array_equal(row.reward, [1, 1, 1, 0, 1, 1, 1, 0, 1, 0])
    np.testing.assert_array_equal(row.discount, [1, 1, 0, 1, 1, 1, 0, 1, 1, 1])
    valid = experience_of.valid_steps(seen)[0]
    np.testing.assert_array_equal(valid, [1, 1, 1, 0, 1, 1, 1, 0, 1, 0])


def test_metrics_are_of_each_rows_first_lifetime() -> None:
    """Later ones are cut off, and the short ones among them are seen more often."""
    seen = collected(counter(length=0, collect_steps=30))
    lifetimes = to_lifetimes(seen)
    lengths = lifetimes.valid.sum(axis=1)
    ends = [list(row).index(2) for row in seen.step_type.numpy()]
    np.testing.assert_array_equal(lengths, ends)
    np.testing.assert_array_equal(lifetimes.reward.sum(axis=1), lengths)
    assert total_reward(seen) == lengths.sum()


def test_an_evaluation_ends_when_every_row_has_ended_once() -> None:
    task = counter(length=0, collect_steps=2)
    seen = collected(task, stream=EVALUATION_STREAM)
    lengths = to_lifetimes(seen).valid.sum(axis=1)
    assert len(set(lengths)) > 1
    assert seen.reward.shape[1] == lengths.max() + 1
    training = collected(task)
    assert training.reward.shape[1] == 3


def test_the_same_counters_are_the_same_experience() -> None:
    """Whatever was collected before: what a resumed run relies on."""
    task = tasks.make("kerasmeta_test/Target-v0", collect_steps=12)
    collector = make_collector(task, ROWS, agent_for(task))
    one, other, again = (collector.collect(2, n, TRAINING_STREAM) for n in (7, 8, 7))
    for a, b in zip(tf.nest.flatten(one), tf.nest.flatten(again), strict=True):
        np.testing.assert_array_equal(a, b)
    for key in ("stimulus", "previous_action"):
        assert (one.observation[key].numpy() != other.observation[key].numpy()).any()
    evaluation = collector.collect(2, 7, EVALUATION_STREAM)
    assert evaluation.observation["stimulus"][0, 0] != one.observation["stimulus"][0, 0]


@pytest.mark.parametrize("id", ["Counter-v0", "Target-v0"])
@pytest.mark.parametrize("normalize", [False, True])
def test_an_update_sees_the_policy_that_acted(id: str, normalize: bool) -> None:
    """The states are cleared at FIRST in both: KL(old ‖ old) = 0."""
    task = tasks.make(f"kerasmeta_test/{id}", collect_steps=25)
    agent = agent_for(task, normalize=normalize)
    collector = make_collector(task, ROWS, agent)
    for network in agent.networks if normalize else ():
        first = collector.collect(2, 1, TRAINING_STREAM)
        network.encoder.normalizer.update(first.observation, tf.ones([ROWS, 26]))
    seen = collector.collect(2, 0, TRAINING_STREAM)
    state = agent.actor.zero_state(ROWS)
    again, _ = agent.actor.unroll(seen.observation, seen.is_first(), state)
    np.testing.assert_allclose(again, seen.policy_info["parameters"], atol=1e-5)
    never = tf.zeros_like(seen.is_first())  # a planted defect
    other, _ = agent.actor.unroll(seen.observation, never, state)
    assert np.abs(other - again).max() > 1e-3


@pytest.mark.parametrize("truncates", [False, True])
def test_what_is_truncated_is_bootstrapped(truncates: bool) -> None:
    """Closed form, lambda 1: G_t = sum of γ^k over what is left, plus γ^n V(last).

    Three steps of reward 1. V(last) counts only where the end is a truncation, which
    the cut at the end of a row is too.
    """
    task = counter(length=3, truncates=truncates, collect_steps=5)
    agent = agent_for(task)
    learner = TRPOAgent(
        tf_agents.trajectories.time_step_spec(agent.observation_spec),
        agent.action_spec,
        agent,
        TRPOConfig(gamma=GAMMA, td_lambda=1.0),
        tf.Variable(0, dtype=tf.int64),
    )
    seen = make_collector(task, ROWS, agent).collect(2, 0, TRAINING_STREAM)
    batch, _ = learner._prepare(seen)
    values = agent.critic.unroll(
        seen.observation, seen.is_first(), agent.critic.zero_state(ROWS)
    )[0].numpy()
    for row, value in zip(batch.returns.numpy(), values, strict=True):
        last = value[3] if truncates else 0.0
        third = 1 + GAMMA * last
        second = 1 + GAMMA * third
        cut = 1 + GAMMA * value[5]
        expected = [1 + GAMMA * second, second, third, value[3], cut]
        np.testing.assert_allclose(row[:5], expected, atol=1e-5)
