"""TF-Agents' episode driver as one compiled program.

`DynamicEpisodeDriver` calls the environment and the policy step by step, each with its
variables and its observers. Tasks and agents here are pure functions, so whole
lifetimes can be unrolled in a single XLA program that hands the observers one batched
trajectory. Step for step the experience is the stock driver's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf_agents.drivers import dynamic_episode_driver
from tf_agents.trajectories import time_step as ts
from tf_agents.trajectories import trajectory

from kerasmeta._keras import tf
from kerasmeta.environments import TaskEnvironment, dynamics
from kerasmeta.tasks import seeds


class FusedEpisodeDriver(dynamic_episode_driver.DynamicEpisodeDriver):
    """Collects one lifetime of every row in one compiled call.

    Differences from its parent: the observers get one `Trajectory` `[B, T + 1, ...]`
    instead of T + 1 of `[B, ...]`; and it ends when every row has ended a lifetime
    (the parent counts lifetimes, so that short ones are seen more often). What follows
    a row's first lifetime is marked as boundary and must not be learnt from.

    Args:
        environment: A `TaskEnvironment`; it is left as the parent would leave it.
        policy: An `EpisodicPolicy`.
        observers: Called with the batched trajectory.
        jit_compile: Whether XLA compiles the program.
    """

    def __init__(
        self,
        environment: TaskEnvironment,
        policy: Any,
        observers: list[Callable[[Any], Any]],
        jit_compile: bool = True,
    ) -> None:
        super().__init__(
            environment, policy, observers, num_episodes=environment.batch_size
        )
        self._unroll = tf.function(self._lifetimes, jit_compile=jit_compile)

    def _run(
        self,
        time_step: Any = None,
        policy_state: Any = None,
        num_episodes: Any = None,
        maximum_iterations: Any = None,
    ) -> tuple[Any, Any]:
        if time_step is None:
            time_step = self.env.reset()
        if policy_state is None:
            policy_state = self.policy.get_initial_state(self.env.batch_size)
        task_state, key, counter = self.env.snapshot()
        experience, task_state, time_step, policy_state, counter = self._unroll(
            task_state, time_step, policy_state, key, counter
        )
        self.env.restore(task_state, time_step, counter)
        for observer in self._observers:
            observer(experience)
        return time_step, policy_state

    def _lifetimes(
        self, task_state: Any, time_step: Any, policy_state: Any, key: Any, counter: Any
    ) -> tuple[Any, ...]:
        """The loop as a pure function; see `_run`."""
        task = self.env.task
        length = task.lifetime_steps + 1  # and the boundary
        spec = self.policy.trajectory_spec
        batch = [self.env.batch_size]
        records = [
            tf.TensorArray(leaf.dtype, length, element_shape=batch + leaf.shape)
            for leaf in tf.nest.flatten(spec)
        ]

        def running(t: Any, ended: Any, *_: Any) -> Any:
            return (t < length) & tf.logical_not(tf.reduce_all(ended))

        def body(t: Any, ended: Any, carry: Any, records: Any) -> tuple[Any, ...]:
            task_state, time_step, policy_state = carry
            action = self.policy.action(time_step, policy_state)
            seed = seeds.at_step(key, counter + tf.cast(t, counter.dtype))
            task_state, next_time_step = dynamics.next_step(
                task, task_state, time_step.step_type, action.action, seed
            )
            step = trajectory.from_transition(time_step, action, next_time_step)
            records = [
                array.write(t, value)
                for array, value in zip(records, tf.nest.flatten(step), strict=True)
            ]
            ended |= step.is_boundary()
            return t + 1, ended, (task_state, next_time_step, action.state), records

        start = (task_state, time_step, policy_state)
        steps, _, carry, records = tf.while_loop(
            running,
            body,
            (tf.constant(0), tf.zeros(batch, tf.bool), start, records),
            maximum_iterations=length,
        )
        stacked = [_batch_major(array.stack()) for array in records]
        experience = tf.nest.pack_sequence_as(spec, stacked)
        counter += tf.cast(steps, counter.dtype)
        return cut_after_first_lifetime(experience), *carry, counter


def cut_after_first_lifetime(experience: Any) -> Any:
    """Marks what follows each row's first lifetime as boundary."""
    boundary = tf.cast(experience.is_boundary(), tf.int32)
    after = tf.cumsum(boundary, axis=1, exclusive=True) > 0  # [B, T + 1]
    return experience._replace(
        step_type=tf.where(after, ts.StepType.LAST, experience.step_type),
        next_step_type=tf.where(after, ts.StepType.FIRST, experience.next_step_type),
        reward=tf.where(after, 0.0, experience.reward),
    )


def _batch_major(tensor: Any) -> Any:
    """`[T, B, ...]` to `[B, T, ...]`."""
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])
