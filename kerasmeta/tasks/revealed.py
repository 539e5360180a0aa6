"""Tasks that show what is hidden in them, to those who record and not to agents."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.lifetimes import HIDDEN, Lifetimes
from kerasmeta.tasks.base import Player, State, Task, TaskStep
from kerasmeta.tasks.gymnasium.task import GymnasiumTask
from kerasmeta.tasks.metaworld.task import MetaWorld


def has_hidden_variables(task: Task) -> bool:
    """Whether a task says what is hidden in it."""
    if isinstance(task, (GymnasiumTask, MetaWorld)):
        return False
    state, _ = task.reset(1, tf.constant([0, 0]))
    return bool(task.hidden_variables(state))


class RevealedTask(Task):
    """A task that shows its hidden variables where no agent looks.

    They are observations of their own, named `hidden/...`. Agents read the observations
    they know by name, so that they act as ever; and the rules and random draws are
    those of the task.
    """

    name: ClassVar[str] = "revealed"
    paper: ClassVar[str] = "none"

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def observation_spec(self) -> dict[str, Any]:
        state, _ = self.task.reset(1, tf.constant([0, 0]))
        hidden = {
            key: tf.TensorSpec(value.shape[1:], value.dtype, key)
            for key, value in self._hidden(state).items()
        }
        return {**self.task.observation_spec, **hidden}

    @property
    def action_spec(self) -> Any:
        return self.task.action_spec

    @property
    def lifetime_steps(self) -> int:
        return self.task.lifetime_steps

    @property
    def episodes(self) -> int:
        return self.task.episodes

    @property
    def contexts_per_lifetime(self) -> int:
        return self.task.contexts_per_lifetime

    def reset(self, batch_size: int, seed: Any) -> tuple[State, dict[str, Any]]:
        state, observation = self.task.reset(batch_size, seed)
        return state, {**observation, **self._hidden(state)}

    def step(self, state: State, action: Any, seed: Any) -> TaskStep:
        outcome = self.task.step(state, action, seed)
        shown = {**outcome.observation, **self._hidden(outcome.state)}
        return outcome._replace(observation=shown)

    def players(self) -> dict[str, Player]:
        return self.task.players()

    def _hidden(self, state: State) -> dict[str, Any]:
        hidden = self.task.hidden_variables(state)
        return {f"{HIDDEN}{name}": value for name, value in hidden.items()}


def revealed(task: Task) -> Task:
    """The task as it is recorded for its metrics, which may need what is hidden."""
    return RevealedTask(task) if task.metrics_need_hidden else task


def taken_out(lifetimes: Lifetimes) -> tuple[Lifetimes, dict[str, np.ndarray]]:
    """What the agent saw, and the hidden variables by name, each `[B, T, ...]`."""
    seen, hidden = {}, {}
    for key, value in lifetimes.observation.items():
        if key.startswith(HIDDEN):
            hidden[key.removeprefix(HIDDEN)] = value
        else:
            seen[key] = value
    return lifetimes._replace(observation=seen), hidden


def with_hidden(lifetimes: Lifetimes) -> Lifetimes:
    """Lifetimes of a `revealed` task, with what was hidden in `Lifetimes.hidden`."""
    lifetimes, hidden = taken_out(lifetimes)
    return lifetimes._replace(hidden=hidden or ())
