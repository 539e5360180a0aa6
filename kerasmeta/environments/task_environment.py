"""Any task as a TF-Agents environment that runs inside a graph."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf, tf_agents
from kerasmeta.environments import dynamics
from kerasmeta.errors import UserError
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.validation import check_count


class TaskEnvironment(tf_agents.environments.TFEnvironment, tf.Module):
    """`B` parallel lifetimes of a task.

    It owns the variables (the task's state, the current `TimeStep`, the key and the
    step counter that all randomness derives from) and nothing else; the rules are the
    task's and `dynamics`'. The variables are tracked: a `tf.train.Checkpoint` of the
    environment continues the very same lifetimes.

    A row that has reached LAST begins a new lifetime at the next step, whose action is
    ignored, as in every TF-Agents environment.

    Args:
        task: The task.
        batch_size: `B`.
        seed: The same seed gives the same lifetimes, bit for bit, on one machine. See
          `kerasmeta.tasks.seeds.as_seed`.
        groups: Into how many equal parts the rows fall that draw from keys of their
          own, so that they can be carried on apart from each other. It divides `B`.

    Raises:
        UserError: `batch_size` is not positive, not a multiple of `groups`, or the seed
            is out of range.
    """

    def __init__(
        self, task: Task, batch_size: int, seed: Any = 0, groups: int = 1
    ) -> None:
        check_count("batch_size", batch_size)
        check_count("groups", groups)
        if batch_size % groups:
            problem = f"is not a multiple of the {groups} groups"
            raise UserError("batch_size", batch_size, problem, "give one that is")
        tf.Module.__init__(self, name="task_environment")
        tf_agents.environments.TFEnvironment.__init__(
            self, action_spec=task.action_spec, batch_size=batch_size
        )
        self.task = task
        self.groups = groups
        key = seeds.key_from(seeds.as_seed(seed))
        state, time_step = self._first_step(key, 0)
        self._key = tf.Variable(key, trainable=False, name="key")
        self._counter = tf.Variable(1, trainable=False, name="counter", dtype=tf.int64)
        self._task_state = tf.nest.map_structure(_variable, state)
        self._time_step = tf.nest.map_structure(_variable, time_step)

    def reset_with_seed(self, seed: Any) -> Any:
        """Begins the lifetimes that belong to a seed; returns the FIRST `TimeStep`.

        Works inside a `tf.function`. A training loop that calls it in every iteration
        with (run seed, iteration) sees the same lifetimes when it is resumed.

        Args:
            seed: A Python integer, a tensor `[2]`, or a pair of integers.
        """
        self._key.assign(seeds.key_from(seeds.as_seed(seed)))
        self._counter.assign(0)
        return self._reset()

    def snapshot(self) -> tuple[Any, Any, Any]:
        """(task state, key, step counter): with the `TimeStep`, all there is."""
        state = tf.nest.map_structure(tf.identity, self._task_state)
        return state, tf.identity(self._key), tf.identity(self._counter)

    def restore(self, task_state: Any, time_step: Any, counter: Any) -> None:
        """Puts the environment where a pure unroll of its rules has arrived."""
        self._counter.assign(counter)
        self._assign(task_state, time_step)

    def time_step_spec(self) -> Any:
        return dynamics.time_step_spec(self.task)

    def _current_time_step(self) -> Any:
        # Tracking wraps the containers of variables; what leaves here is plain.
        values = [tf.identity(value) for value in tf.nest.flatten(self._time_step)]
        return tf.nest.pack_sequence_as(self.time_step_spec(), values)

    def group_keys(self, key: Any) -> list[Any]:
        """The keys that the groups of rows draw from, each int32 `[2]`."""
        return [key] if self.groups == 1 else seeds.split(key, self.groups)

    def _first_step(self, key: Any, counter: Any) -> tuple[Any, Any]:
        size = self.batch_size // self.groups
        return join(
            [
                dynamics.first_step(self.task, size, seeds.at_step(key, counter))
                for key in self.group_keys(key)
            ]
        )

    def _reset(self) -> Any:
        return self._assign(*self._first_step(self._key, self._next_count()))

    def _step(self, action: Any) -> Any:
        state = tf.nest.map_structure(tf.identity, self._task_state)
        step_type = tf.identity(self._time_step.step_type)
        parts = part((state, step_type, action), self.groups)
        keys, counter = self.group_keys(self._key), self._next_count()
        following = []
        for (rows, before, actions), key in zip(parts, keys, strict=True):
            seed = seeds.at_step(key, counter)
            step = dynamics.next_step(self.task, rows, before, actions, seed)
            following.append(step)
        return self._assign(*join(following))

    def _next_count(self) -> Any:
        """The number of this call; each call has its own."""
        return self._counter.assign_add(1, read_value=True) - 1

    def _assign(self, state: Any, time_step: Any) -> Any:
        pairs = ((self._task_state, state), (self._time_step, time_step))
        for variables, values in pairs:
            tf.nest.map_structure(lambda old, new: old.assign(new), variables, values)
        return time_step


def part(batch: Any, groups: int) -> list[Any]:
    """A nest of tensors `[B, ...]` in `groups` equal parts `[B / groups, ...]`."""
    if groups == 1:
        return [batch]
    leaves = [tf.split(leaf, groups) for leaf in tf.nest.flatten(batch)]
    return [
        tf.nest.pack_sequence_as(batch, list(rows))
        for rows in zip(*leaves, strict=True)
    ]


def join(parts: list[Any]) -> Any:
    """The inverse of `part`."""
    if len(parts) == 1:
        return parts[0]
    return tf.nest.map_structure(lambda *rows: tf.concat(rows, axis=0), *parts)


def take_turns(parts: list[Any]) -> Any:
    """The rows of parts in turns: each one's first, each one's second, and so on."""
    if len(parts) == 1:
        return parts[0]

    def deal(*leaves: Any) -> Any:
        shape = tf.concat([[-1], tf.shape(leaves[0])[1:]], axis=0)
        return tf.reshape(tf.stack(leaves, axis=1), shape)

    return tf.nest.map_structure(deal, *parts)


def _variable(value: Any) -> Any:
    return tf.Variable(value, trainable=False)
