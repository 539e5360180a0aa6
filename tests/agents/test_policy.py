"""The policy in a TF-Agents driver: what FIRST clears, and what training is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents
from tf_agents.drivers import tf_driver
from tf_agents.specs import tensor_spec

from kerasmeta import tasks
from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents import AgentState, EpisodicAgent, EpisodicPolicy
from kerasmeta.environments import TaskEnvironment
from kerasmeta.layers import DNDState

B, LIFETIME = 3, 9


def collect(agent: EpisodicAgent, lifetimes: int, **options: Any) -> tuple[Any, Any]:
    """Consecutive lifetimes by a driver: a trajectory `[B, T, ...]`, the last state.

    The trajectory ends with the last action of the last lifetime.
    """
    environment = task_environment()
    policy = EpisodicPolicy(agent, environment.time_step_spec(), **options)
    frames: list[Any] = []
    driver = tf_driver.TFDriver(
        environment,
        policy,
        [frames.append],
        max_steps=lifetimes * LIFETIME * B,  # boundary steps do not count
        disable_tf_function=True,
    )
    _, state = driver.run(environment.reset(), policy.get_initial_state(B))
    assert len(frames) == lifetimes * (LIFETIME + 1) - 1
    return agents.stack(frames), AgentState(*state)


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
    """The second lifetime of a row is what a fresh agent does with its observations.

    Softmax reads everything that is stored, so that nothing old can hide.
    """
    agent = make(
        kind=kind,
        clear_lstm_at_episode=clear,
        memory={"capacity": 16, "read": "softmax", "temperature": 1.0},
    )
    frames, last = collect(agent, 2, with_value=True)
    start = LIFETIME + 1
    np.testing.assert_array_equal(frames.step_type[0], [0, *[1] * 8, 2, 0, *[1] * 8])
    if kind == "ep_lstm":
        assert np.abs(frames.policy_info["memory"][:, start:]).max() > 0.1
    state = agent.initial_state(B)._replace(step=tf.fill([B], start))
    for t in range(start, start + LIFETIME):
        output = agent.step(agents.at(frames.observation, t), state)
        state = output.state
        info = {"parameters": output.logits}
        if kind == "ep_lstm":
            info["memory"] = output.recordings["memory"]
        agents.assert_same(info, agents.at(frames.policy_info, t), atol=1e-6)
        agents.assert_same(output.action, frames.action[:, t])
    agents.assert_same(without_old_content(last), without_old_content(state), atol=1e-6)


def without_old_content(state: AgentState) -> AgentState:
    """What stands in empty slots does not count."""
    if state.memory == ():
        return state
    memory = DNDState(*state.memory)
    occupied = tf.cast(memory.written_at > 0, tf.float32)[..., tf.newaxis]
    return state._replace(
        memory=memory._replace(
            keys=memory.keys * occupied, values=memory.values * occupied
        )
    )


def test_consecutive_lifetimes_draw_different_actions() -> None:
    """The draw counter goes on: with equal weights, not the same lifetime again."""
    agent = make()
    for variable in agent.variables:
        variable.assign(tf.zeros_like(variable))
    frames, _ = collect(agent, 2)
    actions = frames.action.numpy()
    starts = range(0, 2 * (LIFETIME + 1), LIFETIME + 1)
    found = {tuple(row[t : t + LIFETIME]) for row in actions for t in starts}
    assert len(found) == B * 2


@pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
def test_what_was_logged_is_what_training_unrolls(kind: str) -> None:
    """Within rounding, so that KL(old || old) is 0 when an update begins.

    Measured over 64 lifetimes of 101 steps, 48 units: logits within 3e-9 of each other
    for a fresh agent, within 3e-5 where logits span 5 nats; KL at most 2e-7.
    """
    agent = make(kind=kind)
    frames, _ = collect(agent, 2)
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
    frames, _ = collect(make(), 1, greedy=True)
    mode = tf.argmax(frames.policy_info["parameters"], axis=-1)
    np.testing.assert_array_equal(frames.action, mode)
    drawn, _ = collect(make(), 1)
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


def test_continuous_actions_are_recorded_as_drawn(rng: np.random.Generator) -> None:
    """TF-Agents would clip them to the bounds; the Gaussian that drew them does not.

    With σ = e the share outside of +-1 is P(|z| > 1/e) = 0.713.
    """
    rows = 4000
    spec = agents.observation_spec(True), agents.action_spec(True)
    agent = EpisodicAgent(*spec, agents.config("lstm"))
    agent.actor.log_scale.assign([1.0, 1.0])
    time_step_spec = tf_agents.trajectories.time_step_spec(spec[0])
    policy = EpisodicPolicy(agent, time_step_spec)
    observation = agents.at(agents.observations(rng, rows, 1, True), 0)
    time_step = tf_agents.trajectories.restart(observation, batch_size=rows)
    actions = policy.action(time_step, policy.get_initial_state(rows)).action.numpy()
    outside = (np.abs(actions) > 1.0).mean()
    assert abs(outside - 0.713) < 2.58 * np.sqrt(0.713 * 0.287 / (2 * rows))
