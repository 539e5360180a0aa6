"""Task families as Gymnasium environments: `kerasmeta/TwoStep-v0` and its like.

One Gymnasium episode is one lifetime. It ends by `terminated`, never by `truncated`:
nothing of a lifetime lies beyond its end, so there is nothing to bootstrap from.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.environments.gymnasium import spaces
from kerasmeta.environments.task_environment import TaskEnvironment
from kerasmeta.errors import UserError
from kerasmeta.tasks.observation import full_observation_spec


class _Lifetimes:
    """`B` lifetimes of a task behind NumPy: what both environments here are made of."""

    def __init__(self, family: str, count: int, parameters: dict[str, Any]) -> None:
        self.task = tasks.make(family, **parameters)
        self.observation_space = spaces.observation_space(
            full_observation_spec(self.task)
        )
        self.action_space = spaces.action_space(self.task.action_spec)
        self._environment = TaskEnvironment(self.task, count)
        self._begin = tf.function(
            self._environment.reset_with_seed,
            input_signature=[tf.TensorSpec([2], tf.int32)],
            autograph=False,
        )
        action_spec = self.task.action_spec
        self._step = tf.function(
            self._environment.step,
            input_signature=[
                tf.TensorSpec([count, *action_spec.shape], action_spec.dtype)
            ],
            autograph=False,
        )

    def begin(self, generator: np.random.Generator) -> Any:
        """New lifetimes, their seed drawn from `generator`: a `TimeStep` of arrays."""
        seed = generator.integers(2**31, size=2).astype(np.int32)
        return tf.nest.map_structure(np.asarray, self._begin(seed))

    def step(self, actions: Any) -> Any:
        """One step of every lifetime. `actions`: `[B, ...]`."""
        actions = np.asarray(actions, self.task.action_spec.dtype.as_numpy_dtype)
        return tf.nest.map_structure(np.asarray, self._step(actions))


class TaskEnv(gymnasium.Env[dict[str, Any], Any]):
    """One lifetime at a time of a task family.

    Observations are dicts with an agent's keys (`kerasmeta.tasks.base.Task`). Nothing
    is rendered.

    Args:
        family: The family's name, `two_step`.
        render_mode: Must be None.
        **parameters: Of the task, where they differ from its defaults.

    Raises:
        UserError: The family or a parameter is not known, or a value is refused.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as in Gymnasium

    def __init__(
        self, family: str, render_mode: str | None = None, **parameters: Any
    ) -> None:
        _refuse_rendering(render_mode)
        self._lifetimes = _Lifetimes(family, 1, parameters)
        self.task = self._lifetimes.task
        self.observation_space = self._lifetimes.observation_space
        self.action_space = self._lifetimes.action_space
        self._ended = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins a lifetime. The same seed gives the same lifetimes from here on."""
        super().reset(seed=seed)
        self._ended = False
        time_step = self._lifetimes.begin(self.np_random)
        return spaces.member(self.observation_space, time_step.observation), {}

    def step(
        self, action: Any
    ) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Carries out an action: (observation, reward, terminated, False, {}).

        Raises:
            gymnasium.error.ResetNeeded: The lifetime is over or has not begun.
            UserError: The action is not in the action space.
        """
        if self._ended:
            raise gymnasium.error.ResetNeeded("no lifetime is running; call reset()")
        _check_action(self.action_space, action)
        time_step = self._lifetimes.step(np.asarray(action)[np.newaxis])
        self._ended = bool(time_step.is_last()[0])
        observation = spaces.member(self.observation_space, time_step.observation)
        return observation, float(time_step.reward[0]), self._ended, False, {}


class TaskVectorEnv(VectorEnv[dict[str, np.ndarray], np.ndarray, np.ndarray]):
    """`num_envs` parallel lifetimes of a task family, stepped by one graph call.

    Autoreset mode NEXT_STEP, Gymnasium's own default: the step on which a lifetime ends
    returns its last observation; the next step ignores that row's action, begins a new
    lifetime and returns its first observation with reward 0.

    Args:
        family: The family's name, `two_step`.
        num_envs: `B`.
        render_mode: Must be None.
        **parameters: Of the task, where they differ from its defaults.

    Raises:
        UserError: The family or a parameter is not known, or a value is refused.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - as in Gymnasium
        "render_modes": [],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        family: str,
        num_envs: int = 1,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        _refuse_rendering(render_mode)
        self._lifetimes = _Lifetimes(family, num_envs, parameters)
        self.task = self._lifetimes.task
        self.num_envs = num_envs
        self.single_observation_space = self._lifetimes.observation_space
        self.single_action_space = self._lifetimes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins new lifetimes in all rows, from one seed for all of them."""
        super().reset(seed=seed)
        time_step = self._lifetimes.begin(self.np_random)
        return spaces.batch(self.observation_space, time_step.observation), {}

    def step(
        self, actions: Any
    ) -> tuple[
        dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]
    ]:
        """Carries out actions `[B, ...]`; each array returned is `[B, ...]`.

        Raises:
            UserError: The actions are not in the action space.
        """
        _check_action(self.action_space, actions)
        time_step = self._lifetimes.step(actions)
        return (
            spaces.batch(self.observation_space, time_step.observation),
            time_step.reward.astype(np.float64),
            time_step.is_last(),
            np.zeros([self.num_envs], bool),
            {},
        )


def _refuse_rendering(render_mode: str | None) -> None:
    if render_mode is not None:
        raise UserError("render_mode", render_mode, "is not offered", "leave it out")


def _check_action(space: gymnasium.Space[Any], action: Any) -> None:
    if not space.contains(action) and not space.contains(np.asarray(action)):
        raise UserError("action", action, "is not in the action space", f"use {space}")
