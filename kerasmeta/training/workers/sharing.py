"""How workers share a batch: the rows of each, and the worlds they live in.

A worker's lifetimes are the ones that one worker would have collected in the same rows.
Tasks draw random numbers for a group of rows at once (`kerasmeta.groups`), and in the
batch the rows of groups take turns. Rows are dealt to workers like cards, so that a
worker has either whole groups, or an equal part of one, in which it draws for the whole
group and keeps its own rows. Either way it has its part of each stretch of the batch:
of each minibatch, and of the lifetimes that the Fisher products use.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.environments import TaskEnvironment
from kerasmeta.errors import UserError
from kerasmeta.groups import Rows, groups_of
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Player, State, Task, TaskStep
from kerasmeta.training.config import RunConfig

WHOLE = 1e-6  # how far a product with a fraction may be from a whole number


def check_shared(config: RunConfig, workers: int) -> None:
    """Refuses a number of workers that cannot share a run's batch equally.

    Raises:
        UserError: It names the numbers of workers that can.
    """
    if _shared(config, workers):
        return
    possible = [n for n in range(1, config.lifetimes + 1) if _shared(config, n)]
    raise UserError(
        "--workers",
        f"{workers} workers",
        f"cannot share {config.lifetimes} lifetimes equally",
        f"use {', '.join(map(str, possible))}, or change --set lifetimes",
    )


def _shared(config: RunConfig, workers: int) -> bool:
    """Each has as many rows, also of each minibatch and of the Fisher products."""
    rows, left = divmod(config.lifetimes, workers)
    groups = groups_of(config.lifetimes)
    fisher = rows * config.trpo.fisher_fraction
    return workers == 1 or (
        left == 0
        and (groups % workers == 0 or workers % groups == 0)
        and rows % config.trpo.critic_minibatches == 0
        and abs(fisher - round(fisher)) < WHOLE
    )


class PartOfGroup(Task):
    """Some rows of a group of lifetimes, as they would be among all of its rows.

    The rules draw for all rows. Those of others are filled with copies of these rows,
    so that the rules only ever see states that can be, and are thrown away.

    Args:
        task: The task, whose rows do not depend on each other.
        place: The number of the first of them in the group.
        parts: Into how many equal parts the group falls: every how manieth row it is.
    """

    def __init__(self, task: Task, place: int, parts: int) -> None:
        self.task = task
        self.place = place
        self.parts = parts

    @property
    def observation_spec(self) -> dict[str, Any]:
        return self.task.observation_spec

    @property
    def action_spec(self) -> Any:
        return self.task.action_spec

    @property
    def lifetime_steps(self) -> int:
        return self.task.lifetime_steps

    @property
    def trials_per_lifetime(self) -> int:
        return self.task.trials_per_lifetime

    @property
    def episodes(self) -> int:
        return self.task.episodes

    @property
    def contexts_per_lifetime(self) -> int:
        return self.task.contexts_per_lifetime

    def players(self) -> dict[str, Player]:
        return self.task.players()

    def reset(self, batch_size: int, seed: Any) -> tuple[State, dict[str, Any]]:
        whole = self.task.reset(batch_size * self.parts, seed)
        return self._mine(whole)

    def step(self, state: State, action: Any, seed: Any) -> TaskStep:
        state, action = tf.nest.map_structure(self._for_all, (state, action))
        return self._mine(self.task.step(state, action, seed))

    def _for_all(self, leaf: Any) -> Any:
        """`[b, ...]` to the group's `[B, ...]`."""
        return tf.repeat(leaf, self.parts, axis=0)

    def _mine(self, whole: Any) -> Any:
        """The nest's rows `[b, ...]` of the group's `[B, ...]`."""
        return tf.nest.map_structure(lambda leaf: leaf[self.place :: self.parts], whole)


class WorkerEnvironment(TaskEnvironment):
    """A worker's rows of the environment that one worker would have for the batch.

    Attributes:
        numbers: Of its rows if the batch is counted group by group.

    Args:
        task: The task.
        rows: Which rows, where groups take turns.
    """

    def __init__(self, task: Task, rows: Rows) -> None:
        self.groups_in_all = groups_of(rows.total)
        size = rows.total // self.groups_in_all
        place, first_group = divmod(rows.first, self.groups_in_all)
        parts = max(1, rows.step // self.groups_in_all)
        if parts > 1:
            task = PartOfGroup(task, place, parts)
        self.mine = range(first_group, self.groups_in_all, rows.step)
        places = range(place, size, parts)
        self.numbers = [group * size + row for group in self.mine for row in places]
        super().__init__(task, rows.size, groups=len(self.mine))

    def group_keys(self, key: Any) -> list[Any]:
        """The keys that the groups of rows draw from, each int32 `[2]`."""
        if self.groups_in_all == 1:
            return [key]
        keys = seeds.split(key, self.groups_in_all)
        return [keys[group] for group in self.mine]
