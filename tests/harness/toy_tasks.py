"""Tiny tasks for tests of the environment: uneven lifetimes, continuous actions."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf, tf_agents
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep


class CountdownState(NamedTuple):
    left: Any  # [B] int32, steps left
    begun: Any  # [B] bool, false before the first step


@dataclasses.dataclass(frozen=True)
class Countdown(Task):
    """Counts down from 1 to `longest`, drawn for each lifetime; pays what is left."""

    longest: int = 4
    continuous: bool = False

    name: ClassVar[str] = "countdown"
    paper: ClassVar[str] = "none"

    @property
    def observation_spec(self) -> dict[str, Any]:
        return {
            "stimulus": tf.TensorSpec([1], tf.float32),
            "context": tf.TensorSpec([1], tf.float32),
            "episode_start": tf.TensorSpec([], tf.bool),
            "store": tf.TensorSpec([], tf.bool),
        }

    @property
    def action_spec(self) -> Any:
        if self.continuous:
            low, high = [-1.0, -2.0], [1.0, 2.0]
            return tf_agents.specs.BoundedTensorSpec([2], tf.float32, low, high)
        return tf_agents.specs.BoundedTensorSpec([], tf.int32, 0, 2)

    @property
    def lifetime_steps(self) -> int:
        return self.longest

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(self, batch_size: int, seed: Any) -> tuple[Any, dict[str, Any]]:
        left = tf.random.stateless_uniform(
            [batch_size], seed, 1, self.longest + 1, tf.int32
        )
        state = CountdownState(left, tf.zeros([batch_size], tf.bool))
        return state, self._observe(state)

    def step(self, state: Any, action: Any, seed: Any) -> TaskStep:
        after = CountdownState(state.left - 1, tf.ones_like(state.begun))
        reward = tf.cast(state.left, tf.float32)
        return TaskStep(after, self._observe(after), reward, after.left <= 0)

    def players(self) -> dict[str, Player]:
        return {"random": RandomPlayer(self.action_spec)}

    def _observe(self, state: Any) -> dict[str, Any]:
        left = tf.cast(state.left, tf.float32)[:, None]
        return {
            "stimulus": left,
            "context": tf.zeros_like(left),
            "episode_start": ~state.begun,
            "store": tf.zeros_like(state.begun),
        }
