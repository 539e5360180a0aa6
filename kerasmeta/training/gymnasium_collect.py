"""Collection from Gymnasium environments: one graph call a step for the whole batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from tf_agents.trajectories import trajectory

from kerasmeta._keras import tf
from kerasmeta.agents.policy import EpisodicPolicy
from kerasmeta.groups import Rows, all_rows
from kerasmeta.tasks.gymnasium.batch import (
    FIRST,
    LAST,
    GymnasiumBatch,
    environment_seeds,
)
from kerasmeta.tasks.gymnasium.play import LONGEST
from kerasmeta.tasks.gymnasium.task import GymnasiumTask
from kerasmeta.training.collect import EVALUATION_STREAM
from kerasmeta.training.lifetime_buffer import LifetimeBuffer


class GymnasiumCollector:
    """Collects rows of lifetimes that follow each other: `Collector`'s counterpart.

    Environments are Python, so that `collect` runs outside of graphs (`in_graph`). All
    rows begin anew in every call, from seeds that are counted: a run that is resumed
    goes on as it would have. The lifetime that is going on in a row's last step is
    truncated there.

    Args:
        environment: The environments.
        policy: An `EpisodicPolicy` over their time steps.
        rows: Which rows of a larger batch they are; by default they are the batch.
    """

    in_graph = False

    def __init__(
        self,
        environment: GymnasiumBatch,
        policy: EpisodicPolicy,
        rows: Rows | None = None,
    ) -> None:
        self.environment = environment
        self.policy = policy
        self.rows = rows or all_rows(environment.batch_size)
        self.buffer = LifetimeBuffer(
            policy.collect_data_spec,
            environment.batch_size,
            max_length=environment.task.lifetime_steps + 1,  # and the boundary
        )
        self._act = tf.function(policy.action, autograph=False)

    def collect(self, seed: Any, index: Any, stream: int) -> Any:
        """New lifetimes as a `Trajectory` `[B, T + 1, ...]`.

        Args:
            seed: The run's.
            index: Counts the batches of a run.
            stream: `TRAINING_STREAM` takes as many steps as the task says,
                `EVALUATION_STREAM` until every row has ended its first lifetime.
        """
        key, index = 2 * int(seed) + stream, int(index)
        if stream == EVALUATION_STREAM:
            longest = self.environment.task.time_limit or LONGEST
            return _trajectory(self._run(key, index, longest, first_only=True))
        steps = self.environment.task.lifetime_steps
        self.buffer.clear()
        self.buffer.add_batch(_trajectory(self._run(key, index, steps)))
        return self.buffer.gather_all()

    def _run(
        self, key: int, index: int, steps: int, first_only: bool = False
    ) -> list[tuple[Any, Any]]:
        """`T + 1` pairs of `TimeStep` and `PolicyStep`, the last without effect."""
        size, rows = self.rows.size, np.array(self.rows.numbers(index))
        seeds = np.stack([np.full(size, key), rows], axis=1).astype(np.int32)
        state = self.policy.agent.state_from_seeds(seeds)
        worlds = environment_seeds(key, index, self.rows.total)
        worlds = worlds[self.rows.first :: self.rows.step]
        time_step = self.environment.reset(worlds)
        ended, pairs = np.zeros(size, bool), []
        for _ in range(steps):
            action = self._act(time_step, state)
            pairs.append((time_step, action._replace(state=())))
            time_step, state = (
                self.environment.step(action.action.numpy()),
                action.state,
            )
            ended |= time_step.is_last()
            if first_only and ended.all():
                break
        pairs.append((time_step, self._act(time_step, state)._replace(state=())))
        return pairs


def gymnasium_collector(
    task: GymnasiumTask, rows: Rows, agent: Any, **options: Any
) -> GymnasiumCollector:
    """A collector of an agent's lifetimes; `options` are `EpisodicPolicy`'s."""
    environment = GymnasiumBatch(task, rows.size)
    policy = EpisodicPolicy(agent, environment.time_step_spec(), **options)
    return GymnasiumCollector(environment, policy, rows)


def _trajectory(pairs: list[tuple[Any, Any]]) -> Any:
    """The steps of a batch as a `Trajectory` `[B, T + 1, ...]`.

    Its last step is a boundary in every row: LAST, also where the lifetime would have
    gone on. The discount before it tells the learner to bootstrap there.
    """
    time_steps = tf.nest.map_structure(
        lambda *x: np.stack(x, axis=1), *[time_step for time_step, _ in pairs]
    )
    time_steps.step_type[:, -1] = LAST
    actions = tf.nest.map_structure(
        lambda *x: tf.stack(x, axis=1), *[action for _, action in pairs]
    )
    return tf.nest.map_structure(
        tf.convert_to_tensor,
        trajectory.Trajectory(
            step_type=time_steps.step_type,
            observation=time_steps.observation,
            action=actions.action,
            policy_info=actions.info,
            next_step_type=_next(time_steps.step_type, FIRST),
            reward=_next(time_steps.reward, 0.0),
            discount=_next(time_steps.discount, 1.0),
        ),
    )


def _next(values: np.ndarray, after: Any) -> np.ndarray:
    """`[B, T]`, each step's successor's value; `after` the last one."""
    return np.concatenate([values[:, 1:], np.full_like(values[:, :1], after)], axis=1)
