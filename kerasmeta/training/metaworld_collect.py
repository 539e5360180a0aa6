"""Collection from Meta-World: simulators and policy work at the same time."""

from __future__ import annotations

from typing import Any

import numpy as np
from tf_agents.trajectories import trajectory

from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents.episodic_agent import AgentState
from kerasmeta.agents.policy import EpisodicPolicy
from kerasmeta.environments import dynamics
from kerasmeta.groups import Rows, all_rows
from kerasmeta.tasks.gymnasium.batch import FIRST, LAST, MID
from kerasmeta.tasks.metaworld import names
from kerasmeta.tasks.metaworld.processes import Simulators
from kerasmeta.tasks.metaworld.schedule import schedule
from kerasmeta.tasks.metaworld.task import (
    ACTION,
    STIMULUS,
    MetaWorld,
)

GROUPS = 2  # while one half of the rows is simulated, the policy acts in the other


class MetaWorldEnvironment:
    """What trainers ask of an environment besides lifetimes.

    Args:
        task: The `MetaWorld` family.
        batch_size: `B`.
    """

    def __init__(self, task: MetaWorld, batch_size: int) -> None:
        self.task = task
        self.batch_size = batch_size

    def time_step_spec(self) -> Any:
        """The `TimeStep` of `TensorSpec`s that an agent is built from."""
        return dynamics.time_step_spec(self.task)

    def action_spec(self) -> Any:
        """The agent's actions."""
        return self.task.action_spec


class MetaWorldCollector:
    """Collects `B` lifetimes at a time, each a row: `Collector`'s counterpart.

    The rows are in two halves that take turns: while the simulators step one, one graph
    call chooses the actions of the other. What a lifetime is depends on its counters
    only, and so does what is drawn in it: a lifetime that is lost with its simulator
    process is lived again from its beginning, and is the same.

    Args:
        environment: The task and `B`.
        policy: An `EpisodicPolicy` over its time steps.
        rows: Which rows of a larger batch they are; by default they are the batch.
        processes: Simulator processes; by default one for each core.
    """

    in_graph = False

    def __init__(
        self,
        environment: MetaWorldEnvironment,
        policy: EpisodicPolicy,
        rows: Rows | None = None,
        processes: int | None = None,
    ) -> None:
        self.environment = environment
        self.policy = policy
        self.rows = rows or all_rows(environment.batch_size)
        self.processes = processes
        self._simulators: Simulators | None = None
        self._actions = tf.function(self._action, autograph=False, jit_compile=True)
        self._traced: dict[int, Any] = {}

    @property
    def simulators(self) -> Simulators:
        """The simulators, started when they are needed."""
        if self._simulators is None:
            task, rows = self.environment.task, self.environment.batch_size
            groups = np.array_split(np.arange(rows), min(GROUPS, rows))
            self._simulators = Simulators(
                task.goals(), task.horizon, groups, self.processes
            )
        return self._simulators

    def collect(self, seed: Any, index: Any, stream: int) -> Any:
        """New lifetimes as a `Trajectory` `[B, T + 1, ...]`.

        Its last step is the boundary: it shows the last observation, and its action had
        no effect. The lifetime could have gone on there, so that learners bootstrap.
        `policy_info["success"]` float32 `[B, T + 1]` is 1 where the task is solved.
        Where there are several tasks, `policy_info["task"]` `[B, T + 1, 50]` is 1 for
        the one of `names.TASKS` that is lived.

        Args:
            seed: The run's.
            index: Counts the batches of a run.
            stream: `TRAINING_STREAM` or `EVALUATION_STREAM`.
        """
        task, rows = self.environment.task, self.rows.size
        key, numbers = 2 * int(seed) + stream, self.rows.numbers(int(index))
        plans = [task.plan(key, number) for number in numbers]
        batch = _Batch(task, plans, self.policy.info_spec)
        self.simulators.begin(plans)
        seeds = np.stack([np.full(rows, key), np.array(numbers)], axis=1)
        groups = self.simulators.groups
        states = [
            self.policy.agent.state_from_seeds(seeds[group].astype(np.int32))
            for group in groups
        ]
        turns = [True] * len(groups)
        while any(turns):
            for number, group in enumerate(groups):
                turns[number], states[number] = self._turn(
                    batch, number, group, states[number]
                )
        return batch.trajectory()

    def _turn(
        self, batch: _Batch, number: int, group: np.ndarray, state: Any
    ) -> tuple[bool, Any]:
        """One step of a group's policy: (whether the group goes on, its state)."""
        lost = self.simulators.receive(number)
        batch.take(group, lost, self.simulators.shared)
        if batch.full(group):
            return False, state
        action, info, state = self._act(number, batch.packed(group), state)
        carried_out = batch.act(group, action.numpy(), info)
        self.simulators.shared.action[group] = carried_out
        self.simulators.send(number)
        return True, state

    def _act(self, number: int, packed: np.ndarray, state: Any) -> tuple[Any, Any, Any]:
        """The graph call for a group: its one trace, which saves looking for it."""
        arguments = tf.constant(packed), state.actor, state.memory, state.seed
        if number not in self._traced:
            traced = self._actions.get_concrete_function(*arguments)
            self._traced[number] = traced
        action, info, actor, memory = self._traced[number](*arguments)
        return action, info, state._replace(actor=actor, memory=memory)

    def _action(self, packed: Any, actor: Any, memory: Any, seed: Any) -> Any:
        """The policy's step in what `_Batch.packed` gives; the critic is not asked."""
        parts = tf.split(packed, [STIMULUS, ACTION, 5, -1], axis=-1)
        stimulus, previous_action, numbers, context = parts
        reward, start, store, first, time = tf.unstack(numbers, axis=-1)
        step_type = tf.where(first > 0, FIRST, MID)
        time_step = tf_agents.trajectories.TimeStep(
            step_type=step_type,
            reward=reward,
            discount=tf.ones_like(reward),
            observation={
                "stimulus": stimulus,
                "context": context,
                "episode_start": start > 0,
                "store": store > 0,
                "previous_action": previous_action,
                "previous_reward": reward,
            },
        )
        critic = self.policy.agent.critic.zero_state(tf.shape(time)[0])
        # Draws are counted by the lifetime's step, not by what the row did before.
        counted = tf.cast(time, tf.int32)
        state = AgentState(actor, critic, memory, seed, counted)
        step = self.policy.action(time_step, state)
        return step.action, step.info, step.state.actor, step.state.memory


class _Batch:
    """The lifetimes that are being collected, as arrays `[B, T + 1, ...]`."""

    def __init__(self, task: MetaWorld, plans: list[Any], info_spec: Any) -> None:
        self.task = task
        self.steps = task.lifetime_steps
        self.schedule = schedule(plans, task.horizon)
        shape = [len(plans), self.steps + 1]
        self.stimulus = np.zeros([*shape, STIMULUS], np.float32)
        self.stimulus[..., -1] = self.schedule.episode_start
        self.previous_action = np.zeros([*shape, ACTION], np.float32)
        self.action = np.zeros([*shape, ACTION], np.float32)
        self.reward = np.zeros(shape, np.float32)
        self.success = np.zeros(shape, np.float32)
        self.info = {
            name: np.zeros([*shape, *spec.shape], np.float32)
            for name, spec in info_spec.items()
        }
        # Where each row stands: its last observation; -1 before the first.
        self.time = np.full(len(plans), -1)

    def full(self, rows: np.ndarray) -> bool:
        """Whether all of these rows have ended, and their last step was acted on."""
        return bool((self.time[rows] > self.steps).all())

    def take(self, rows: np.ndarray, lost: np.ndarray, memory: Any) -> None:
        """Takes what the simulators answered; `lost` rows begin anew."""
        self.time[lost] = -1
        rows = rows[self.time[rows] < self.steps]
        after = self.time[rows] = self.time[rows] + 1
        began = after > 0
        self.stimulus[rows, after, :-1] = memory.observation[rows]
        self.reward[rows[began], after[began] - 1] = memory.reward[rows[began]]
        self.success[rows[began], after[began] - 1] = memory.success[rows[began]]

    def packed(self, rows: np.ndarray) -> np.ndarray:
        """What the policy sees in these rows, `[b, F]` float32."""
        time = np.minimum(self.time[rows], self.steps)
        start = self.schedule.episode_start[rows, time]
        numbers = np.stack(
            [
                self.previous_reward(rows, time),
                start,
                self.schedule.store[rows, time],
                time == 0,
                time,
            ],
            axis=1,
        )
        return np.concatenate(
            [
                self.stimulus[rows, time],
                self.previous_action[rows, time],
                numbers,
                self.schedule.context[rows, time],
            ],
            axis=1,
            dtype=np.float32,
        )

    def previous_reward(self, rows: Any, time: Any) -> np.ndarray:
        """The reward that is shown at some steps; none where an episode begins."""
        last = rows, np.maximum(time - 1, 0)
        first = self.schedule.first[last]
        shown = self.task.shown(self.reward[last], self.success[last], first)
        return np.where(self.schedule.episode_start[rows, time], 0.0, shown)

    def act(self, rows: np.ndarray, actions: np.ndarray, info: Any) -> np.ndarray:
        """Notes what the policy does; returns the actions to carry out."""
        clipped = np.clip(actions, -1.0, 1.0)
        goes_on = self.time[rows] <= self.steps
        some, time = rows[goes_on], self.time[rows][goes_on]
        self.action[some, time] = actions[goes_on]
        for name, values in info.items():
            self.info[name][some, time] = values.numpy()[goes_on]
        following = np.minimum(time + 1, self.steps)
        shown = ~self.schedule.episode_start[some, following] & (time < self.steps)
        self.previous_action[some, following] = np.where(
            shown[:, None], clipped[goes_on], self.previous_action[some, following]
        )
        self.time[some[time == self.steps]] += 1  # acted on: nothing is left to do
        return clipped

    @property
    def lived(self) -> dict[str, np.ndarray]:
        """The task of each step, where there are several."""
        several = names.parse(self.task.family).benchmark != "ML1"
        return {"task": self.schedule.task} if several else {}

    def trajectory(self) -> Any:
        """The lifetimes as a `Trajectory` of tensors; bonuses are in `reward` only."""
        shape = self.reward.shape
        step_type = np.full(shape, MID, np.int32)
        step_type[:, 0], step_type[:, -1] = FIRST, LAST
        rows = np.arange(shape[0])[:, None]
        observation = {
            "stimulus": self.stimulus,
            "context": self.schedule.context,
            "episode_start": self.schedule.episode_start,
            "store": self.schedule.store,
            "previous_action": self.previous_action,
            "previous_reward": self.previous_reward(
                rows, np.arange(shape[1])[None]
            ).astype(np.float32),
        }
        return tf.nest.map_structure(
            tf.convert_to_tensor,
            trajectory.Trajectory(
                step_type=step_type,
                observation=observation,
                action=self.action,
                policy_info={**self.info, "success": self.success, **self.lived},
                next_step_type=np.roll(step_type, -1, axis=1),
                reward=self.reward + self.task.success_bonus * self.success,
                discount=np.ones(shape, np.float32),
            ),
        )


def metaworld_collector(
    task: MetaWorld, rows: Rows, agent: Any, **options: Any
) -> MetaWorldCollector:
    """A collector of an agent's lifetimes; `options` are `EpisodicPolicy`'s."""
    environment = MetaWorldEnvironment(task, rows.size)
    policy = EpisodicPolicy(agent, environment.time_step_spec(), **options)
    return MetaWorldCollector(environment, policy, rows)
