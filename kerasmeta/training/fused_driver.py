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
from kerasmeta.environments import (
    TaskEnvironment,
    dynamics,
    join,
    part,
    take_turns,
)
from kerasmeta.layers.ep_lstm import apart
from kerasmeta.tasks import seeds


class FusedEpisodeDriver(dynamic_episode_driver.DynamicEpisodeDriver):
    """Collects one lifetime of every row; a compiled call for each group of rows.

    Differences from its parent: the observers get one `Trajectory` `[B, T + 1, ...]`
    instead of T + 1 of `[B, ...]`; and it ends when every row has ended a lifetime
    (the parent counts lifetimes, so that short ones are seen more often); a row that
    has ended earlier waits. What follows a row's lifetime is marked as boundary and
    must not be learnt from.

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
        as_program = {"jit_compile": jit_compile, "autograph": False}
        self._unroll = tf.function(self.lifetimes, **as_program)
        self._begin = tf.function(self.new_lifetimes, **as_program)

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
        groups = self.env.groups
        # The groups do not depend on each other: they run side by side.
        parts = [
            self._unroll(*rows, key, counter)
            for rows, key in zip(
                part((task_state, time_step, policy_state), groups),
                self.env.group_keys(key),
                strict=True,
            )
        ]
        experience, task_state, time_step, policy_state, counters = join(parts)
        # The groups of a task whose lifetimes vary may end at different steps.
        self.env.restore(task_state, time_step, tf.reduce_max(counters))
        for observer in self._observers:
            observer(experience)
        return time_step, policy_state

    def run_new(self, seed: Any, draws: Any, in_turns: bool = False) -> None:
        """Collects the lifetimes that `reset_with_seed(seed)` and `run` would.

        It makes the first observations and the empty memories in the compiled program
        and leaves the environment as it is: a training loop, which begins new lifetimes
        each time, has no use for the ones that would follow.

        Args:
            seed: As `TaskEnvironment.reset_with_seed` takes it.
            draws: int32 `[B, 2]`, of `EpisodicAgent.state_from_seeds`.
            in_turns: Whether the observers get the rows of groups in turns, each
                group's first, each group's second, ...: any stretch of the batch then
                has as much of each. By default they get group after group.
        """
        groups = self.env.groups
        keys = self.env.group_keys(seeds.key_from(seeds.as_seed(seed)))
        rows = part(draws, groups)
        parts = [self._begin(*group) for group in zip(rows, keys, strict=True)]
        experience = take_turns(parts) if in_turns else join(parts)
        for observer in self._observers:
            observer(experience)

    def new_lifetimes(self, draws: Any, key: Any) -> Any:
        """The `Trajectory` `[b, T + 1, ...]` of a group of rows; see `run_new`."""
        first = seeds.at_step(key, 0)
        begun = dynamics.first_step(self.env.task, draws.shape[0], first)
        state = self.policy.agent.state_from_seeds(draws)
        one = tf.constant(1, tf.int64)
        experience, *_ = self._carry_on((*begun, state), key, one)
        return cut_after_first_lifetime(experience)

    def lifetimes(
        self, task_state: Any, time_step: Any, policy_state: Any, key: Any, counter: Any
    ) -> tuple[Any, ...]:
        """The loop as a pure function; see `_run`."""
        experience, ended, carry, counter = self._carry_on(
            (task_state, time_step, policy_state), key, counter
        )
        # New lifetimes begin once, after the loop: in it, the choice between a row's
        # next step and a new lifetime would copy every state in every step.
        task_state, time_step, policy_state = carry
        seed = seeds.at_step(key, counter - 1)
        begun = dynamics.restart(self.env.task, task_state, time_step, ended, seed)
        experience = cut_after_first_lifetime(experience)
        return experience, *begun, policy_state, counter[tf.newaxis]

    def _carry_on(self, start: Any, key: Any, counter: Any) -> tuple[Any, ...]:
        """Until every row has ended: (`Trajectory`, ended `[b]`, carry, counter)."""
        length = self.env.task.lifetime_steps + 1  # and the boundary
        spec = self.policy.trajectory_spec
        batch = [start[1].step_type.shape[0]]
        records = [
            tf.TensorArray(leaf.dtype, length, element_shape=batch + leaf.shape)
            for leaf in tf.nest.flatten(spec)
        ]

        def running(t: Any, ended: Any, *_: Any) -> Any:
            return (t < length) & tf.logical_not(tf.reduce_all(ended))

        def body(t: Any, ended: Any, carry: Any, records: Any) -> tuple[Any, ...]:
            seed = seeds.at_step(key, counter + tf.cast(t, counter.dtype))
            step, following = self._step(carry, seed)
            records = [
                array.write(t, value)
                for array, value in zip(records, tf.nest.flatten(step), strict=True)
            ]
            return t + 1, ended | step.is_boundary(), following, records

        steps, ended, carry, records = tf.while_loop(
            running,
            body,
            (tf.constant(0), tf.zeros(batch, tf.bool), start, records),
            maximum_iterations=length,
        )
        stacked = [_batch_major(array.stack()) for array in records]
        experience = tf.nest.pack_sequence_as(spec, stacked)
        return experience, ended, carry, counter + tf.cast(steps, counter.dtype)

    def _step(self, carry: Any, seed: Any) -> tuple[Any, Any]:
        """One step of every row: (`Trajectory` `[b, ...]`, the next carry)."""
        task_state, time_step, policy_state = carry
        working = policy_state.actor
        policy_state = policy_state._replace(
            actor=working._replace(cell=apart(working.cell))
        )
        action = self.policy.action(time_step, policy_state)
        task_state, following = dynamics.advance(
            self.env.task, task_state, action.action, seed
        )
        step = trajectory.from_transition(time_step, action, following)
        return step, (task_state, following, action.state)


def cut_after_first_lifetime(experience: Any) -> Any:
    """Marks the boundary after each row's lifetime, and all that follows, as such."""
    boundary = tf.cast(experience.is_boundary(), tf.int32)
    after = tf.cumsum(boundary, axis=1) > 0  # [B, T + 1]
    return experience._replace(
        step_type=tf.where(after, ts.StepType.LAST, experience.step_type),
        next_step_type=tf.where(after, ts.StepType.FIRST, experience.next_step_type),
        reward=tf.where(after, 0.0, experience.reward),
        discount=tf.where(after, 1.0, experience.discount),
    )


def _batch_major(tensor: Any) -> Any:
    """`[T, B, ...]` to `[B, T, ...]`."""
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])
