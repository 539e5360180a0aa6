"""`B` Gymnasium environments as TF-Agents `TimeStep`s of NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmeta._keras import tf_agents
from kerasmeta.errors import UserError
from kerasmeta.tasks.gymnasium.task import GymnasiumTask
from kerasmeta.tasks.observation import full_observation_spec

_TYPES = tf_agents.trajectories.StepType
FIRST, MID, LAST = int(_TYPES.FIRST), int(_TYPES.MID), int(_TYPES.LAST)


class GymnasiumBatch:
    """`B` environments that begin anew by themselves, each at its own time.

    A row that has reached LAST begins a new lifetime at the next step, whose action is
    ignored. The discount at LAST tells how the lifetime ended: 0 where Gymnasium says
    `terminated`, 1 where it was only `truncated`, so that what would have come is
    bootstrapped from the last observation's value (Pardo et al. 2018).

    Args:
        task: The `GymnasiumTask`.
        batch_size: `B`.
    """

    def __init__(self, task: GymnasiumTask, batch_size: int) -> None:
        self.task = task
        self.batch_size = batch_size
        self._environment = task.environment(batch_size)
        self._ended = np.zeros([batch_size], bool)

    def time_step_spec(self) -> Any:
        """The `TimeStep` of `TensorSpec`s that an agent is built from."""
        spec = full_observation_spec(self.task)
        return tf_agents.trajectories.time_step_spec(spec)

    def action_spec(self) -> Any:
        """The agent's actions, see `kerasmeta.tasks.gymnasium.spaces`."""
        return self.task.action_spec

    def reset(self, seeds: Sequence[int]) -> Any:
        """New lifetimes in all rows, one seed for each: the FIRST `TimeStep`."""
        observation, _ = self._environment.reset(seed=list(seeds))
        first = np.ones([self.batch_size], bool)
        reward = np.zeros([self.batch_size], np.float32)
        self._ended = ~first
        return self._time_step(observation, first, self._nothing(), reward, ~first)

    def step(self, actions: np.ndarray) -> Any:
        """Carries out an agent's actions `[B, ...]`; they need not keep to bounds.

        Raises:
            UserError: The environment answered what is not finite.
        """
        first = self._ended
        observation, reward, terminated, truncated, _ = self._environment.step(
            self.task.environment_actions(actions)
        )
        self._ended = terminated | truncated
        mask = first.reshape([-1] + [1] * (actions.ndim - 1))
        previous = np.where(mask, self._nothing(), actions)
        reward = np.asarray(reward, np.float32)
        return self._time_step(observation, first, previous, reward, terminated)

    def close(self) -> None:
        """Ends the environments."""
        self._environment.close()

    def _nothing(self) -> np.ndarray:
        """The previous action where there is none."""
        spec = self.task.action_spec
        nothing = -1 if spec.dtype.is_integer else 0
        shape = [self.batch_size, *spec.shape]
        return np.full(shape, nothing, spec.dtype.as_numpy_dtype)

    def _time_step(
        self,
        observation: Any,
        first: np.ndarray,
        previous_action: np.ndarray,
        reward: np.ndarray,
        terminated: np.ndarray,
    ) -> Any:
        """A `TimeStep`; which rows end with it is in `_ended`."""
        stimulus = self.task.stimulus(observation)
        if not (np.isfinite(stimulus).all() and np.isfinite(reward).all()):
            raise UserError(
                "task",
                self.task.id,
                "gave an observation or a reward that is not finite",
                "correct the environment",
            )
        step_type = np.where(self._ended, LAST, np.where(first, FIRST, MID))
        return tf_agents.trajectories.TimeStep(
            step_type=step_type.astype(np.int32),
            reward=reward,
            discount=np.where(terminated, 0.0, 1.0).astype(np.float32),
            observation={
                "stimulus": stimulus,
                "context": np.zeros([self.batch_size, 1], np.float32),
                "episode_start": first.copy(),
                "store": np.zeros([self.batch_size], bool),
                "previous_action": previous_action,
                "previous_reward": reward,
            },
        )


def environment_seeds(key: int, index: int, count: int) -> list[int]:
    """A seed for each of `count` environments, from two counters."""
    words = np.random.SeedSequence([key, index]).generate_state(count)
    return [int(word) for word in words]
