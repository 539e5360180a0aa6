"""Collection: a TF-Agents driver fills a replay buffer with whole lifetimes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.agents.policy import EpisodicPolicy
from kerasmeta.environments import TaskEnvironment
from kerasmeta.groups import Rows, all_rows, groups_of
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.gymnasium.task import GymnasiumTask
from kerasmeta.tasks.metaworld import names
from kerasmeta.tasks.metaworld.task import MetaWorld
from kerasmeta.training.fused_driver import FusedEpisodeDriver
from kerasmeta.training.lifetime_buffer import LifetimeBuffer
from kerasmeta.training.workers.sharing import WorkerEnvironment

# Training and evaluation draw their lifetimes from streams that never meet.
TRAINING_STREAM = 0
EVALUATION_STREAM = 1
TASKS = np.array(names.TASKS)  # as `Lifetimes.task` has them


class Collector:
    """Collects `B` lifetimes at a time, inside a graph (`in_graph`).

    Args:
        environment: The environment, whose rows are `B`.
        policy: An `EpisodicPolicy` over the environment's time steps.
        numbers: The numbers of these rows in a batch of `total`, counted group by
            group; by default they are the batch.
        total: See `numbers`.
    """

    in_graph = True

    def __init__(
        self,
        environment: TaskEnvironment,
        policy: EpisodicPolicy,
        numbers: Sequence[int] | None = None,
        total: int | None = None,
    ) -> None:
        self.environment = environment
        self.policy = policy
        self.numbers = numbers or range(environment.batch_size)
        self.total = total or environment.batch_size
        self.buffer = LifetimeBuffer(
            policy.collect_data_spec,
            environment.batch_size,
            max_length=environment.task.lifetime_steps + 1,  # and the boundary
        )
        self.driver = FusedEpisodeDriver(environment, policy, [self.buffer.add_batch])

    def collect(self, seed: Any, index: Any, stream: int) -> Any:
        """New lifetimes as a `Trajectory` `[B, T + 1, ...]`.

        The last step of a lifetime is the boundary: it shows the last observation; its
        action had no effect. Rows of groups take turns in the training stream.

        Args:
            seed: int32, the run's.
            index: int32, counts the batches of a run.
            stream: `TRAINING_STREAM` or `EVALUATION_STREAM`.
        """
        key = 2 * tf.cast(seed, tf.int32) + stream
        rows = tf.constant(list(self.numbers)) + tf.cast(index, tf.int32) * self.total
        seeds = tf.stack([tf.fill(rows.shape, key), rows], axis=1)  # [B, 2]
        self.buffer.clear()
        in_turns = stream == TRAINING_STREAM
        self.driver.run_new((key, index), seeds, in_turns)
        return self.buffer.gather_all()


def make_collector(
    task: Task, lifetimes: int, agent: Any, rows: Rows | None = None, **options: Any
) -> Any:
    """A `Collector` of an agent's lifetimes.

    Of a Gymnasium environment a `GymnasiumCollector`, and of Meta-World a
    `MetaWorldCollector`, which do the same in Python.

    Args:
        task: The task.
        lifetimes: Of a batch.
        agent: Who lives them.
        rows: Those of the batch that are collected, all by default. They are the same
            whoever collects the others.
        **options: `EpisodicPolicy`'s.
    """
    rows = rows or all_rows(lifetimes)
    if isinstance(task, MetaWorld):
        from kerasmeta.training.metaworld_collect import metaworld_collector

        return metaworld_collector(task, rows, agent, **options)
    if isinstance(task, GymnasiumTask):
        from kerasmeta.training.gymnasium_collect import gymnasium_collector

        return gymnasium_collector(task, rows, agent, **options)
    if rows.step == 1:
        whole = TaskEnvironment(task, lifetimes, groups=groups_of(lifetimes))
        policy = EpisodicPolicy(agent, whole.time_step_spec(), **options)
        return Collector(whole, policy)
    part = WorkerEnvironment(task, rows)
    policy = EpisodicPolicy(agent, part.time_step_spec(), **options)
    return Collector(part, policy, part.numbers, rows.total)


def total_reward(experience: Any) -> float:
    """Of a `Trajectory`'s lifetimes, each row's first; others need not be whole."""
    boundary = experience.is_boundary().numpy()  # [B, T + 1]
    paid = experience.reward.numpy()
    return float((paid * ~np.logical_or.accumulate(boundary, axis=1)).sum())


def to_lifetimes(experience: Any) -> Lifetimes:
    """A `Trajectory` as NumPy arrays, up to each lifetime's last action."""
    boundary = experience.is_boundary().numpy()  # [B, T + 1]
    valid = ~np.logical_or.accumulate(boundary, axis=1)
    success = experience.policy_info.get("success", ())
    task = experience.policy_info.get("task", ())
    return Lifetimes(
        observation={k: v.numpy() for k, v in experience.observation.items()},
        action=experience.action.numpy(),
        reward=experience.reward.numpy() * valid,
        valid=valid,
        success=success.numpy() * valid if tf.is_tensor(success) else (),
        task=TASKS[task.numpy().argmax(axis=-1)] if tf.is_tensor(task) else (),
    )
