"""TF-Agents' own drivers and replay buffer on a task, inside a graph."""

import numpy as np
import pytest
from harness.statistics import check_rate

from kerasmeta._keras import tf, tf_agents
from kerasmeta.environments import TaskEnvironment
from kerasmeta.tasks.two_step.episodic import EpisodicTwoStep
from kerasmeta.tasks.two_step.two_step import TwoStep

StepType = tf_agents.trajectories.StepType
BATCH = 16


def collector(task):
    """(run, buffer): a graph that fills the buffer with the lifetimes of a seed."""
    environment = TaskEnvironment(task, BATCH)
    policy = tf_agents.policies.random_tf_policy.RandomTFPolicy(
        environment.time_step_spec(), environment.action_spec()
    )
    buffer = tf_agents.replay_buffers.TFUniformReplayBuffer(
        policy.trajectory_spec, BATCH, max_length=task.lifetime_steps + 1
    )
    driver = tf_agents.drivers.dynamic_step_driver.DynamicStepDriver(
        environment,
        policy,
        observers=[buffer.add_batch],
        num_steps=BATCH * task.lifetime_steps,
    )

    @tf.function(autograph=False)
    def run(seed):
        return driver.run(environment.reset_with_seed(seed))

    return run, buffer


@pytest.mark.parametrize("task", [TwoStep(20), EpisodicTwoStep(6, 4)])
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_step_driver_fills_the_buffer_with_whole_lifetimes(task):
    run, buffer = collector(task)
    last, _ = run(tf.constant([1, 0]))
    assert last.is_last().numpy().all()
    found = tf.nest.map_structure(np.asarray, buffer.gather_all())
    assert found.reward.shape == (BATCH, task.lifetime_steps)
    assert (found.step_type[:, 0] == StepType.FIRST).all()
    assert (found.step_type[:, 1:] == StepType.MID).all()
    assert (found.next_step_type[:, -1] == StepType.LAST).all()
    seen = found.observation
    np.testing.assert_array_equal(seen["previous_action"][:, 1:], found.action[:, :-1])
    np.testing.assert_array_equal(seen["previous_reward"][:, 1:], found.reward[:, :-1])
    np.testing.assert_array_equal(
        seen["store"].sum(axis=1), [task.contexts_per_lifetime] * BATCH
    )


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_statistics_survive_the_driver():
    task = TwoStep(100, common=0.7)
    run, buffer = collector(task)
    run(tf.constant([1, 0]))
    found = tf.nest.map_structure(np.asarray, buffer.gather_all())
    reached = found.observation["stimulus"][:, 1:, 1:].argmax(axis=-1)
    check_rate(reached == found.action[:, :-1], 0.7)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_episode_driver_counts_lifetimes():
    task = TwoStep(7)
    environment = TaskEnvironment(task, BATCH)
    policy = tf_agents.policies.random_tf_policy.RandomTFPolicy(
        environment.time_step_spec(), environment.action_spec()
    )
    episodes = tf_agents.metrics.tf_metrics.NumberOfEpisodes()
    steps = tf_agents.metrics.tf_metrics.EnvironmentSteps()
    driver = tf_agents.drivers.dynamic_episode_driver.DynamicEpisodeDriver(
        environment, policy, observers=[episodes, steps], num_episodes=2 * BATCH
    )
    tf.function(driver.run, autograph=False)()
    assert episodes.result() == 2 * BATCH
    assert steps.result() == 2 * BATCH * task.trials
