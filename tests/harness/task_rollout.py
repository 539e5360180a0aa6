"""Steps a task by hand and keeps its hidden states, for tests of its statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.tasks.base import Task

# (step, task state) -> actions [B]
Chooser = Callable[[int, Any], np.ndarray]


class Rollout(NamedTuple):
    """`T` steps of `B` lifetimes; the state and observation have `T + 1` entries."""

    state: Any  # the task's NamedTuple, each [B, T + 1, ...]
    observation: dict[str, np.ndarray]  # each [B, T + 1, ...]
    action: np.ndarray  # [B, T, ...]
    reward: np.ndarray  # [B, T]
    done: np.ndarray  # [B, T]


def roll_out(task: Task, batch_size: int, seed: int, choose: Chooser) -> Rollout:
    """Plays one lifetime a row with the actions that `choose` returns."""
    step = tf.function(task.step, autograph=False)
    state, observation = task.reset(batch_size, tf.constant([seed, 0]))
    states, observations, actions, rewards, dones = [state], [observation], [], [], []
    for t in range(task.lifetime_steps):
        action = tf.constant(choose(t, state), tf.int32)
        state, observation, reward, done = step(
            state, action, tf.constant([seed, t + 1])
        )
        states.append(state)
        observations.append(observation)
        actions.append(action)
        rewards.append(reward)
        dones.append(done)
    parts = (states, observations, actions, rewards, dones)
    return Rollout(*(_stacked(part) for part in parts))


def random_actions(batch_size: int, seed: int, num_actions: int = 2) -> Chooser:
    """Uniformly random actions."""
    generator = np.random.default_rng(seed)
    return lambda step, state: generator.integers(num_actions, size=batch_size)


def _stacked(parts: list[Any]) -> Any:
    return tf.nest.map_structure(lambda *x: np.stack(x, axis=1), *parts)
