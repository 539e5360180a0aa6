"""What every task's observation gets besides its own part: the last action and reward.

An agent that learns to learn must see what it did and what came of it (Wang et al.
2018; Duan et al. 2016). `previous_action` is int32 `[B]` for discrete actions, -1 at
the first step of a lifetime, and float32 `[B, A]` for continuous ones, zeros at the
first step. `previous_reward` is float32 `[B]`, 0 at the first step.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf, tf_agents
from kerasmeta.tasks.base import Task


def full_observation_spec(task: Task) -> dict[str, Any]:
    """`TensorSpec`s of everything an agent sees, without the batch."""
    action_spec = task.action_spec
    if action_spec.dtype.is_integer:
        previous_action = tf_agents.specs.BoundedTensorSpec(
            action_spec.shape,
            action_spec.dtype,
            minimum=-1,
            maximum=action_spec.maximum,
            name="previous_action",
        )
    else:
        previous_action = tf.TensorSpec(
            action_spec.shape, action_spec.dtype, name="previous_action"
        )
    return {
        **task.observation_spec,
        "previous_action": previous_action,
        "previous_reward": tf.TensorSpec([], tf.float32, name="previous_reward"),
    }


def first_observation(
    task: Task, observation: dict[str, Any], batch_size: int
) -> dict[str, Any]:
    """Completes the task's part of a lifetime's first observation."""
    spec = task.action_spec
    nothing = -1 if spec.dtype.is_integer else 0
    action = tf.fill([batch_size, *spec.shape], tf.cast(nothing, spec.dtype))
    return next_observation(observation, action, tf.zeros([batch_size]))


def next_observation(
    observation: dict[str, Any], action: Any, reward: Any
) -> dict[str, Any]:
    """Completes the task's part of an observation with what led to it.

    A task may tell the agent of another reward than it pays: its own `previous_reward`
    is kept.
    """
    return {"previous_action": action, "previous_reward": reward, **observation}
