"""What every task must keep, alone and as an environment. Inherit, and set `task`."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta._keras import tf, tf_agents
from kerasmeta.environments import TaskEnvironment
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.observation import full_observation_spec
from kerasmeta.tasks.play import play

BATCH = 5
StepType = tf_agents.trajectories.StepType


def draw_actions(environment: TaskEnvironment, step: int) -> Any:
    """Actions `[B, ...]` that depend on the step alone."""
    spec = environment.action_spec()
    generator = np.random.default_rng(step)
    shape = (environment.batch_size, *spec.shape)
    if spec.dtype.is_integer:
        action = generator.integers(spec.minimum, spec.maximum + 1, size=shape)
    else:
        action = generator.uniform(spec.minimum, spec.maximum, size=shape)
    return tf.constant(action, spec.dtype)


def record(environment: TaskEnvironment, steps: int, step: Any = None) -> Any:
    """The `TimeStep`s of `steps` steps from the current one on, `[B, steps + 1]`.

    `step` is the environment's own, or a graph of it.
    """
    step = step or environment.step
    time_steps = [environment.current_time_step()]
    time_steps += [step(draw_actions(environment, t)) for t in range(steps)]
    return tf.nest.map_structure(lambda *x: np.stack(x, axis=1), *time_steps)


class Traced:
    """An environment whose steps and lifetimes' beginnings are graphs, traced once."""

    def __init__(self, task: Task, seed: int) -> None:
        self.environment = TaskEnvironment(task, BATCH, seed=seed)
        self.step = tf.function(self.environment.step, autograph=False)
        self.begin = tf.function(self.environment.reset_with_seed, autograph=False)

    def record(self, steps: int) -> Any:
        return record(self.environment, steps, self.step)


def assert_same(a: Any, b: Any) -> None:
    """Bit for bit."""
    for x, y in zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def differ(a: Any, b: Any) -> bool:
    pairs = zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True)
    return any(not np.array_equal(x, y) for x, y in pairs)


class TaskContract:
    """Set `task` to a small instance: two lifetimes of it are played in each test."""

    task: Task
    registered = True

    @pytest.fixture(scope="class")
    def first(self) -> Traced:
        return Traced(self.task, seed=7)

    @pytest.fixture(scope="class")
    def run(self, first: Traced) -> Any:
        """A bit more than two lifetimes, in a graph."""
        return first.record(2 * self.task.lifetime_steps + 3)

    @pytest.fixture
    def traced(self, first: Traced, run: Any) -> Traced:
        """The same environment, after that."""
        return first

    def test_is_a_frozen_dataclass_that_its_fields_rebuild(self):
        fields = dataclasses.asdict(self.task)
        assert type(self.task)(**fields) == self.task
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(self.task, next(iter(fields)), 0)

    def test_registry_makes_it_from_its_name(self):
        assert (self.task.name in tasks.names()) == self.registered
        if not self.registered:
            return
        fields = dataclasses.asdict(self.task)
        assert tasks.make(self.task.name, **fields) == self.task
        assert tasks.entry(self.task.name).paper == self.task.paper

    def test_observations_are_as_specified(self, run):
        spec = full_observation_spec(self.task)
        assert set(run.observation) == set(spec)
        for name, part in spec.items():
            seen = run.observation[name]
            assert seen.dtype == part.dtype.as_numpy_dtype, name
            assert seen.shape == (*run.reward.shape, *part.shape), name
            if hasattr(part, "maximum"):
                assert (seen >= part.minimum).all(), name
                assert (seen <= part.maximum).all(), name

    def test_lifetimes_are_first_mid_last(self, run):
        for row in run.step_type:
            starts = np.flatnonzero(row == StepType.FIRST)
            assert starts[0] == 0
            assert len(starts) >= 2
            for start, after in itertools.pairwise(starts):
                lifetime = row[start:after]
                assert lifetime[-1] == StepType.LAST
                assert (lifetime[1:-1] == StepType.MID).all()
                assert len(lifetime) - 1 <= self.task.lifetime_steps

    def test_discount_is_zero_at_last_only(self, run):
        expected = np.where(run.step_type == StepType.LAST, 0.0, 1.0)
        np.testing.assert_array_equal(run.discount, expected)

    def test_lifetimes_begin_without_a_past(self, run):
        first = run.step_type == StepType.FIRST
        seen = run.observation
        nothing = -1 if self.task.action_spec.dtype.is_integer else 0
        assert (run.reward[first] == 0).all()
        assert (seen["previous_reward"][first] == 0).all()
        assert (seen["previous_action"][first] == nothing).all()
        assert seen["episode_start"][first].all()
        assert not seen["store"][first].any()

    def test_observation_shows_last_action_and_reward(self, run):
        environment = TaskEnvironment(self.task, BATCH)
        for t in range(1, run.reward.shape[1]):
            later = run.step_type[:, t] != StepType.FIRST
            action = draw_actions(environment, t - 1).numpy()
            np.testing.assert_array_equal(
                run.observation["previous_action"][later, t], action[later]
            )
        np.testing.assert_array_equal(run.observation["previous_reward"], run.reward)

    def test_stores_distinct_contexts_and_no_more_than_it_says(self, run):
        store, context = run.observation["store"], run.observation["context"]
        assert context[store].any(axis=-1).all()
        for row in range(BATCH):
            starts = np.flatnonzero(run.step_type[row] == StepType.FIRST)
            for start, after in itertools.pairwise(starts):
                stored = store[row, start:after]
                kept = context[row, start:after][stored]
                assert len(kept) <= self.task.contexts_per_lifetime
                assert len(np.unique(kept, axis=0)) == len(kept)

    def test_episodes_are_no_more_and_no_longer_than_it_says(self, run):
        if self.task.episodes == 1:
            return
        most = -(-self.task.lifetime_steps // self.task.episodes)
        for row in range(BATCH):
            starts = np.flatnonzero(run.step_type[row] == StepType.FIRST)
            for start, after in itertools.pairwise(starts):
                acted = run.observation["episode_start"][row, start : after - 1]
                begun = [*np.flatnonzero(acted), len(acted)]
                assert len(begun) - 1 <= self.task.episodes
                assert max(np.diff(begun)) <= most

    def test_eager_is_graph_and_the_same_seed_is_the_same_lifetime(self, run):
        environment = TaskEnvironment(self.task, BATCH, seed=7)
        steps = run.reward.shape[1] - 1
        assert_same(record(environment, steps), run)

    def test_another_seed_is_another_lifetime(self, traced, run):
        traced.begin(tf.constant([0, 8]))
        assert differ(traced.record(run.reward.shape[1] - 1), run)

    def test_reset_with_seed_begins_the_lifetimes_of_that_seed(self, traced):
        begun = traced.begin(tf.constant([3, 5]))
        assert_same(begun, traced.environment.current_time_step())
        steps = self.task.lifetime_steps + 2
        fresh = TaskEnvironment(self.task, BATCH, seed=(3, 5))
        assert_same(traced.record(steps), record(fresh, steps))

    def test_reset_begins_new_lifetimes(self, traced):
        traced.begin(tf.constant([3, 6]))
        before = traced.record(self.task.lifetime_steps)
        assert traced.environment.reset().is_first().numpy().all()
        assert differ(traced.record(self.task.lifetime_steps), before)

    def test_action_at_last_is_ignored(self):
        ends = []
        for action_seed in (0, 1):
            environment = TaskEnvironment(self.task, 1, seed=3)
            t = 0
            while not environment.current_time_step().is_last():
                environment.step(draw_actions(environment, t))
                t += 1
            ends.append(environment.step(draw_actions(environment, action_seed)))
        assert_same(ends[0], ends[1])

    def test_checkpoint_continues_the_same_lifetimes(self, traced, tmp_path):
        steps = self.task.lifetime_steps + 2
        traced.record(2)
        checkpoint = tf.train.Checkpoint(environment=traced.environment)
        path = checkpoint.save(tmp_path / "saved")
        expected = traced.record(steps)
        other = TaskEnvironment(self.task, BATCH, seed=5)
        restored = tf.train.Checkpoint(environment=other).restore(path)
        restored.assert_existing_objects_matched()
        assert_same(record(other, steps), expected)

    def test_players_play_by_the_rules(self):
        players = self.task.players()
        if self.registered:
            assert {"random", "oracle"} <= set(players)
            # Where nobody knows the best possible play, there is the best known one.
            assert {"optimal", "model_based"} & set(players)
        for name in players:
            lifetimes = play(self.task, name, lifetimes=3, seed=1)
            assert set(lifetimes.observation) == set(full_observation_spec(self.task))
            assert lifetimes.valid[:, 0].all(), name
            spec = self.task.action_spec
            assert lifetimes.action.shape == (*lifetimes.reward.shape, *spec.shape)
            assert (lifetimes.action >= spec.minimum).all(), name
            assert (lifetimes.action <= spec.maximum).all(), name
            assert (lifetimes.reward[~lifetimes.valid] == 0).all(), name
