"""From a task's answers to TF-Agents' `TimeStep`s: pure functions, no variables.

A lifetime is one TF-Agents episode: FIRST, MID, ..., LAST. The discount is 0 at LAST
(the lifetime is over, there is nothing to bootstrap from) and 1 elsewhere.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf, tf_agents
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import State, Task
from kerasmeta.tasks.observation import (
    first_observation,
    full_observation_spec,
    next_observation,
)

StepType = tf_agents.trajectories.StepType


def time_step_spec(task: Task) -> Any:
    """The `TimeStep` of `TensorSpec`s that an agent is built from."""
    return tf_agents.trajectories.time_step_spec(full_observation_spec(task))


def first_step(task: Task, batch_size: int, seed: Any) -> tuple[State, Any]:
    """Begins `B` lifetimes: (task state, `TimeStep` FIRST). `seed`: int32 `[2]`."""
    state, observation = task.reset(batch_size, seed)
    observation = first_observation(task, observation, batch_size)
    return state, tf_agents.trajectories.TimeStep(
        step_type=tf.fill([batch_size], StepType.FIRST),
        reward=tf.zeros([batch_size]),
        discount=tf.ones([batch_size]),
        observation=observation,
    )


def next_step(
    task: Task, state: State, step_type: Any, action: Any, seed: Any
) -> tuple[State, Any]:
    """Carries out a batch of actions; a row that was LAST begins a new lifetime.

    Args:
        task: The task.
        state: Its state, batch-first.
        step_type: int32 `[B]`, of the step before. Where it is LAST the action is
          ignored.
        action: `[B, ...]`.
        seed: int32 `[2]`.

    Returns:
        (task state, `TimeStep`).
    """
    stepped = advance(task, state, action, seed)
    ended = tf.equal(step_type, StepType.LAST)  # [B]
    return tf.cond(
        tf.reduce_any(ended),
        lambda: restart(task, *stepped, ended, seed),
        lambda: stepped,
    )


def advance(task: Task, state: State, action: Any, seed: Any) -> tuple[State, Any]:
    """`next_step` for lifetimes that go on; an ended one is stepped on for nothing."""
    outcome = task.step(state, action, seed)
    return outcome.state, tf_agents.trajectories.TimeStep(
        step_type=tf.where(outcome.done, StepType.LAST, StepType.MID),
        reward=outcome.reward,
        discount=tf.where(outcome.done, 0.0, 1.0),
        observation=next_observation(outcome.observation, action, outcome.reward),
    )


def restart(
    task: Task, state: State, time_step: Any, ended: Any, seed: Any
) -> tuple[State, Any]:
    """A new lifetime in the rows where `ended` (bool `[B]`); the seed is the step's."""
    fresh = first_step(task, ended.shape[0], seeds.split(seed, 1)[0])
    return tf.nest.map_structure(
        lambda new, old: tf.where(_like(ended, new), new, old),
        fresh,
        (state, time_step),
    )


def _like(mask: Any, x: Any) -> Any:
    """A mask `[B]` with as many axes as `x` `[B, ...]`."""
    return tf.reshape(mask, [-1] + [1] * (len(x.shape) - 1))
