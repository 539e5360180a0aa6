"""The fused driver collects what TF-Agents' own driver collects, step for step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness.toy_tasks import Countdown
from tf_agents.drivers import dynamic_episode_driver
from tf_agents.replay_buffers import tf_uniform_replay_buffer

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.environments import TaskEnvironment
from kerasmeta.networks import AgentConfig
from kerasmeta.tasks.base import Task
from kerasmeta.training.collect import TRAINING_STREAM, Collector, make_collector

LIFETIMES = 5
SMALL = {"uncued_trials": 6, "cued_trials": 6}


def collector_of(task: Task, kind: str, lifetimes: int = LIFETIMES) -> Collector:
    environment = TaskEnvironment(task, lifetimes)
    config = AgentConfig(kind=kind, units=6, critic_units=6)
    specs = environment.time_step_spec().observation, environment.action_spec()
    return make_collector(task, lifetimes, EpisodicAgent(*specs, config))


def stock_experience(collector: Collector, index: int) -> Any:
    """The same lifetimes by `DynamicEpisodeDriver` and `TFUniformReplayBuffer`."""
    environment = collector.environment
    lifetimes = environment.batch_size
    buffer = tf_uniform_replay_buffer.TFUniformReplayBuffer(
        collector.policy.collect_data_spec,
        lifetimes,
        max_length=environment.task.lifetime_steps + 1,
    )
    driver = dynamic_episode_driver.DynamicEpisodeDriver(
        environment,
        collector.policy,
        observers=[buffer.add_batch],
        num_episodes=lifetimes,
    )
    time_step = environment.reset_with_seed((2 * 3 + TRAINING_STREAM, index))
    driver.run(
        time_step, collector.policy.agent.state_from_seeds(draws_of(lifetimes, index))
    )
    return buffer.gather_all()


@pytest.mark.parametrize(
    ("kind", "lifetimes", "groups"),
    [
        ("lstm", LIFETIMES, 1),
        pytest.param("ep_lstm", LIFETIMES, 1, marks=pytest.mark.slow),
        ("ep_lstm", 32, 2),
    ],
)
def test_equals_the_stock_driver(kind: str, lifetimes: int, groups: int) -> None:
    task = tasks.make("episodic_two_step", **SMALL)
    collector = collector_of(task, kind, lifetimes)
    assert collector.environment.groups == groups
    stock = stock_experience(collector, index=2)
    left = [tf.identity(variable) for variable in collector.environment.variables]
    begun = collector.collect(3, tf.constant(2), TRAINING_STREAM)
    assert_same_experience(begun, in_turns(stock, groups))
    environment = collector.environment
    time_step = environment.reset_with_seed((2 * 3 + TRAINING_STREAM, 2))
    state = collector.policy.agent.state_from_seeds(draws_of(lifetimes, index=2))
    collector.driver.run(time_step, state)
    assert_same_experience(collector.buffer.gather_all(), stock)
    for variable, expected in zip(environment.variables, left, strict=True):
        np.testing.assert_array_equal(variable, expected)  # it goes on alike


def draws_of(lifetimes: int, index: int) -> Any:
    """The seeds of the agent's draws, `[B, 2]`, of a batch of run 3's training."""
    rows = tf.range(lifetimes) + index * lifetimes
    return tf.stack([tf.fill([lifetimes], 2 * 3 + TRAINING_STREAM), rows], axis=1)


def in_turns(experience: Any, groups: int) -> Any:
    """Each group's first row, each one's second, ...: what is learnt from in parts."""
    size = experience.reward.shape[0] // groups
    rows = [group * size + row for row in range(size) for group in range(groups)]
    return tf.nest.map_structure(lambda leaf: tf.gather(leaf, rows), experience)


def assert_same_experience(fused: Any, stock: Any) -> None:
    tf.nest.assert_same_structure(stock, fused)
    pairs = zip(tf.nest.flatten(stock), tf.nest.flatten(fused), strict=True)
    for expected, found in pairs:
        if expected.dtype.is_floating:
            np.testing.assert_allclose(found, expected, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, expected)


def test_lifetimes_of_different_lengths_are_cut_after_their_end() -> None:
    task = Countdown()
    experience = collector_of(task, "lstm").collect(0, tf.constant(0), TRAINING_STREAM)
    boundary = experience.is_boundary().numpy()  # [B, T + 1]
    ends = boundary.argmax(axis=1)
    assert boundary.any(axis=1).all()
    assert len(set(ends)) > 1, "the toy task no longer ends at different steps"
    for row, end in enumerate(ends):
        assert experience.is_first().numpy()[row, 0]
        assert not experience.is_first().numpy()[row, 1:end].any()
        assert boundary[row, end:].all()
        assert not experience.reward.numpy()[row, end:].any()


def test_the_buffer_holds_one_batch_of_lifetimes() -> None:
    collector = collector_of(tasks.make("two_step", trials=4), "lstm")
    assert int(collector.buffer.num_frames()) == 0
    first = collector.collect(0, tf.constant(0), TRAINING_STREAM)
    second = collector.collect(0, tf.constant(1), TRAINING_STREAM)
    assert (first.reward.numpy() != second.reward.numpy()).any()
    held = collector.buffer.gather_all()
    np.testing.assert_array_equal(held.reward, second.reward)
    assert int(collector.buffer.num_frames()) == LIFETIMES * 5
