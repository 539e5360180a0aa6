"""What the families' specs and observations have in common, written once."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf, tf_agents


def vector_observation(stimulus: int, context: int = 1) -> dict[str, Any]:
    """The `observation_spec` of a task whose stimulus is a vector.

    Args:
        stimulus: `S`, numbers in the stimulus.
        context: `K`, components of a context; 1 where none is ever shown.
    """
    return {
        "stimulus": tf.TensorSpec([stimulus], tf.float32, "stimulus"),
        "context": tf.TensorSpec([context], tf.float32, "context"),
        "episode_start": tf.TensorSpec([], tf.bool, "episode_start"),
        "store": tf.TensorSpec([], tf.bool, "store"),
    }


def discrete_actions(count: int) -> Any:
    """The `action_spec` of a choice between the actions 0 ... count - 1."""
    return tf_agents.specs.BoundedTensorSpec([], tf.int32, 0, count - 1, "action")


def observation_without_context(stimulus: Any, episode_start: Any) -> dict[str, Any]:
    """The observation of a task that shows no contexts and stores nothing.

    Args:
        stimulus: float32 `[B, S]`.
        episode_start: bool `[B]`.
    """
    return {
        "stimulus": stimulus,
        "context": tf.zeros([*episode_start.shape, 1]),
        "episode_start": episode_start,
        "store": tf.zeros_like(episode_start),
    }
