"""The policy in a TF-Agents driver: what FIRST clears, and what training is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents
from tf_agents.drivers import tf_driver
from tf_agents.specs import tensor_spec

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent, EpisodicPolicy
from kerasmeta.environments import TaskEnvironment

B, LIFETIME = 3, 9


def collect(agent: EpisodicAgent, steps: int, **options: Any) -> Any:
    """A trajectory `[B, steps, ...]` of consecutive lifetimes, by a driver."""
    environment = task_environment()
    policy = EpisodicPolicy(agent, environment.time_step_spec(), **options)
    frames: list[Any] = []
    driver = tf_driver.TFDriver(
        environment,
        policy,
        [frames.append],
        max_steps=steps * B,
        disable_tf_function=True,
    )
    driver.run(environment.reset(), policy.get_initial_state(B))
    return agents.stack(frames[:steps])


def task_environment() -> TaskEnvironment:
    task = tasks.make(
        "episodic_two_step", uncued_trials=4, cued_trials=4, context_size=4
    )
    return TaskEnvironment(task, B, seed=3)


def make(**changes: Any) -> EpisodicAgent:
    environment = task_environment()
    agent = EpisodicAgent(
        environment.time_step_spec().observation,
        environment.action_spec(),
        agents.config(**changes),
    )
    agents.shake(agent.variables)
    return agent


@pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
@pytest.mark.parametrize("clear", [False, True])
def test_first_clears_working_and_episodic_memory(kind: str, clear: bool) -> None:
    """The second lifetime of a row is what a fresh agent does with its observations."""
    agent = make(kind=kind, clear_lstm_at_episode=clear)
    frames = collect(agent, 2 * (LIFETIME + 1))
    np.testing.assert_array_equal(
        frames.step_type[0], 2 * [0, *[1] * (LIFETIME - 1), 2]
    )
    if kind == "ep_lstm":
        assert np.abs(frames.policy_info["memory"][:, LIFETIME + 1 :]).max() > 0.1
    start = LIFETIME + 1
    state = agent.initial_state(B)._replace(step=tf.fill([B], start))
    for t in range(start, 2 * start):
        output = agent.step(agents.at(frames.observation, t), state)
        np.testing.assert_array_equal(output.action, frames.action[:, t])
        found = frames.policy_info["parameters"][:, t]
        np.testing.assert_allclose(output.logits, found, rtol=0, atol=1e-6)
        if kind == "ep_lstm":
            memory = frames.policy_info["memory"][:, t]
            recorded = output.recordings["memory"]
            np.testing.assert_allclose(recorded, memory, rtol=0, atol=1e-6)
        state = output.state


def test_consecutive_lifetimes_draw_different_actions() -> None:
    """The draw counter goes on: with equal weights, not the same lifetime again."""
    agent = make()
    for variable in agent.variables:
        variable.assign(tf.zeros_like(variable))
    actions = collect(agent, 4 * (LIFETIME + 1)).action.numpy().reshape(B * 4, -1)
    assert len({tuple(row) for row in actions}) == B * 4


@pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
def test_what_was_logged_is_what_training_unrolls(kind: str) -> None:
    """Within rounding (1e-6), so that KL(old || old) is 0 when an update begins."""
    agent = make(kind=kind)
    frames = collect(agent, 2 * (LIFETIME + 1))
    inputs = dict(frames.observation)
    if kind == "ep_lstm":
        inputs["memory"] = frames.policy_info["memory"]
    parameters, _ = agent.actor.unroll(
        inputs, frames.is_first(), agent.actor.zero_state(B)
    )
    logged = frames.policy_info["parameters"]
    np.testing.assert_allclose(logged, parameters, rtol=0, atol=1e-6)
    kl = agent.distribution.kl(logged, parameters)
    np.testing.assert_allclose(kl, 0.0, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(agent.distribution.kl(logged, logged), 0.0)


def test_a_greedy_policy_takes_the_mode() -> None:
    frames = collect(make(), LIFETIME, greedy=True)
    mode = tf.argmax(frames.policy_info["parameters"], axis=-1)
    np.testing.assert_array_equal(frames.action, mode)
    drawn = collect(make(), LIFETIME)
    mode = tf.argmax(drawn.policy_info["parameters"], axis=-1)
    assert (drawn.action.numpy() != mode.numpy()).any()


def test_the_critic_runs_only_where_it_is_asked_for() -> None:
    agent, environment = make(), task_environment()
    for with_value in (False, True):
        policy = EpisodicPolicy(
            agent, environment.time_step_spec(), with_value=with_value
        )
        step = policy.action(environment.reset(), policy.get_initial_state(B))
        assert bool(np.abs(step.state.critic.cell).max() > 0) == with_value


@pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
def test_specs_describe_what_comes_out(kind: str) -> None:
    agent, environment = make(kind=kind), task_environment()
    policy = EpisodicPolicy(agent, environment.time_step_spec())
    assert len(policy.variables()) == len(agent.variables)
    state = policy.get_initial_state(B)
    step = policy.action(environment.reset(), state)
    for spec, value in (
        (policy.policy_state_spec, state),
        (policy.policy_state_spec, step.state),
        (policy.info_spec, step.info),
        (policy.action_spec, step.action),
    ):
        batched = tensor_spec.add_outer_dim(spec, B)
        tf.nest.assert_same_structure(batched, value)
        tf.nest.map_structure(
            lambda one, other: one.is_compatible_with(other) or pytest.fail(str(one)),
            batched,
            value,
        )


def test_an_agents_own_policy() -> None:
    agent, environment = make(), task_environment()
    assert isinstance(agent.policy, EpisodicPolicy)
    assert agent.policy is agent.policy
    step = agent.policy.action(environment.reset(), agent.policy.get_initial_state(B))
    assert step.action.shape == (B,)
    with pytest.raises(NotImplementedError, match="info"):
        agent.policy.distribution(environment.reset(), step.state)
