"""Collection from Meta-World: layout, contexts, and what becomes of lost lifetimes."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest
from harness.metaworld_agents import ROWS, agent_for

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks.metaworld import processes
from kerasmeta.tasks.metaworld.simulator import Simulator
from kerasmeta.training.collect import (
    EVALUATION_STREAM,
    TRAINING_STREAM,
    make_collector,
    to_lifetimes,
)
from kerasmeta.training.metaworld_collect import _Batch


def arrays(experience: Any) -> list[np.ndarray]:
    return [leaf.numpy() for leaf in tf.nest.flatten(experience)]


@pytest.fixture(scope="module")
def seen(collector: Any) -> Any:
    return collector.collect(2, 0, TRAINING_STREAM)


def test_a_lifetime_is_its_episodes_and_a_boundary(seen: Any, reach: Any) -> None:
    steps = reach.lifetime_steps
    assert seen.reward.shape == (ROWS, steps + 1)
    for row in range(ROWS):
        kind = seen.step_type.numpy()[row]
        np.testing.assert_array_equal(kind, [0] + [1] * (steps - 1) + [2])
    start = seen.observation["episode_start"].numpy()
    np.testing.assert_array_equal(np.flatnonzero(start[0]), [0, 7, 14])
    np.testing.assert_array_equal(seen.observation["stimulus"].numpy()[..., 39], start)


def test_it_is_what_one_simulator_answers_to_the_same_actions(
    seen: Any, reach: Any
) -> None:
    """Another way of computing: without processes, groups and shared memory."""
    one = Simulator(reach.goals().classes, reach.horizon)
    rows = [
        part.numpy()
        for part in (seen.action, seen.reward, seen.observation["stimulus"])
    ]
    for row, (action, reward, stimulus) in enumerate(zip(*rows, strict=True)):
        plan = reach.plan(4, row)  # the run's seed is 2, and training's stream 0
        goals = [reach.goals().goals["reach-v3"][plan.goals[0]]]
        observation = one.begin(goals, [0, 0, 0])
        for t in range(reach.lifetime_steps):
            np.testing.assert_array_equal(stimulus[t, :39], np.float32(observation))
            observation, paid, _ = one.step(np.clip(action[t], -1, 1))
            assert reward[t] == np.float32(paid)
        np.testing.assert_array_equal(stimulus[-1, :39], np.float32(observation))


def test_the_goal_is_hidden_and_the_same_throughout(seen: Any, reach: Any) -> None:
    stimulus = seen.observation["stimulus"].numpy()
    assert (stimulus[..., 36:39] == 0).all()
    # All episodes begin in the same state; another goal is another start of objects.
    for start in (7, 14):
        np.testing.assert_array_equal(stimulus[:, start, :39], stimulus[:, 0, :39])
    # ... and the hand 18 numbers before is the hand one step before.
    np.testing.assert_array_equal(stimulus[:, 1:7, 18:36], stimulus[:, :6, :18])


def test_action_and_reward_are_shown_within_an_episode(seen: Any) -> None:
    start = seen.observation["episode_start"].numpy()[:, 1:]
    action = np.clip(seen.action.numpy(), -1, 1)[:, :-1]
    reward = seen.reward.numpy()[:, :-1]
    shown = seen.observation["previous_action"].numpy()
    told = seen.observation["previous_reward"].numpy()
    np.testing.assert_array_equal(shown[:, 1:], np.where(start[..., None], 0, action))
    np.testing.assert_allclose(told[:, 1:], np.where(start, 0, 0.1 * reward), rtol=1e-6)
    assert (np.abs(seen.action.numpy()) > 1).any()  # so that clipping was seen


def test_the_same_counters_give_the_same_lifetimes(seen: Any, collector: Any) -> None:
    again = collector.collect(2, 0, TRAINING_STREAM)
    for one, other in zip(arrays(seen), arrays(again), strict=True):
        np.testing.assert_array_equal(one, other)
    for index, stream in [(1, TRAINING_STREAM), (0, EVALUATION_STREAM)]:
        other = collector.collect(2, index, stream)
        assert not np.array_equal(seen.action, other.action)


def test_learners_see_the_policy_that_acted(seen: Any, agent: Any) -> None:
    """The update's network, unrolled over a lifetime, gives what was logged."""
    inputs = dict(seen.observation)
    state = agent.actor.zero_state(ROWS)
    parameters, _ = agent.actor.unroll(inputs, seen.is_first(), state)
    logged = seen.policy_info["parameters"]
    np.testing.assert_allclose(parameters, logged, rtol=1e-4, atol=1e-5)
    assert np.ptp(logged[..., 0]) > 0.1  # they do depend on what is seen


@pytest.mark.slow  # an agent with memory takes its time to compile
def test_a_contextual_lifetime_names_what_comes_back(contextual: Any) -> None:
    made = make_collector(contextual, 2, agent_for(contextual, "ep_lstm"))
    seen = made.collect(0, 0, TRAINING_STREAM)
    made.simulators.close()
    context = seen.observation["context"].numpy()[:, ::5][:, :4]  # [B, E, K]
    episodes = seen.observation["stimulus"].numpy()[:, ::5][:, :4]
    for row in range(2):
        plan = contextual.plan(0, row)
        same = plan.order[:, None] == plan.order
        named = (context[row][:, None] == context[row]).all(axis=-1)
        np.testing.assert_array_equal(named, same)
        looks = (episodes[row][:, None] == episodes[row]).all(axis=-1)
        assert looks[same].all()  # the same goal puts the same object in the same place
    # The second time, what was stored at the end of the first comes back.
    similarity = np.abs(seen.policy_info["memory"].numpy()).sum(axis=-1)
    order = contextual.plan(0, 0).order
    second = 5 * np.flatnonzero(order == order[0])[1]
    assert similarity[0, 0] == 0
    assert similarity[0, second] > 0


def test_a_killed_process_costs_nothing_but_time(seen: Any, collector: Any) -> None:
    victim = collector.simulators.pids[1]
    killer = threading.Timer(0.02, os.kill, (victim, signal.SIGKILL))
    killer.start()
    with pytest.warns(RuntimeWarning, match="replaced; 2 lifetimes begin anew") as told:
        again = collector.collect(2, 0, TRAINING_STREAM)
    assert len(told) == 1
    assert victim not in collector.simulators.pids
    for one, other in zip(arrays(seen), arrays(again), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow  # one waits until it is clear that it hangs
def test_a_hung_process_is_replaced(seen: Any, collector: Any) -> None:
    simulators = collector.simulators
    victim = simulators.pids[0]
    os.kill(victim, signal.SIGSTOP)
    simulators.patience, usual = 8.0, simulators.patience
    with pytest.warns(RuntimeWarning, match="did not answer"):
        again = collector.collect(2, 0, TRAINING_STREAM)
    simulators.patience = usual
    assert victim not in simulators.pids
    np.testing.assert_array_equal(seen.reward, again.reward)


def test_processes_that_always_fail_are_given_up(
    reach: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "REPLACEMENTS", 1)
    groups = [np.arange(2)]
    made = processes.Simulators(reach.goals(), 7, groups, processes=1)
    made._setup = made._setup._replace(classes={"reach-v3": ("no_such_module", "X")})
    os.kill(made.pids[0], signal.SIGKILL)
    time.sleep(0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.begin([reach.plan(0, row) for row in range(2)])
        with pytest.raises(UserError, match="simulator"):
            made.receive(0)
    made.close()


def test_simulator_processes_do_without_tensorflow() -> None:
    """Each would take seconds and hundreds of megabytes more."""
    code = "import sys, kerasmeta.tasks.metaworld.worker; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "mujoco" in loaded
    assert "tensorflow" not in loaded


def test_processes_end_with_their_owner(reach: Any) -> None:
    made = processes.Simulators(reach.goals(), 7, [np.arange(1)], processes=1)
    [child] = [process.child for process in made._processes]
    made.close()
    assert child.poll() is not None


def test_success_reaches_the_metrics(seen: Any) -> None:
    lifetimes = to_lifetimes(seen)
    assert lifetimes.success.shape == lifetimes.valid.shape
    np.testing.assert_array_equal(lifetimes.success, lifetimes.reward >= 10)


def test_success_instead_of_the_reward_is_shown(contextual: Any) -> None:
    """Of 4 episodes of 5 steps; what is paid stays."""
    task = dataclasses.replace(contextual, feedback="success")
    batch = _Batch(task, [task.plan(0, 0)], {})
    batch.reward[:] = 4.0
    batch.success[0, 2:6] = 1.0
    lived = batch.trajectory()
    shown = lived.observation["previous_reward"].numpy()[0]
    np.testing.assert_array_equal(np.flatnonzero(shown == 1), [3, 4, 6])  # 5 begins
    assert set(np.unique(shown)) == {0, 1}
    assert (lived.reward.numpy() == 4).all()


def test_rewards_of_first_exposures_only_are_shown(contextual: Any) -> None:
    """Of 4 episodes of 5 steps, two goals twice each; what is paid stays."""
    task = dataclasses.replace(contextual, feedback="first")
    plans = [task.plan(0, index) for index in range(8)]
    batch = _Batch(task, plans, {})
    batch.reward[:] = 4.0
    lived = batch.trajectory()
    shown = lived.observation["previous_reward"].numpy()
    for row, plan in enumerate(plans):
        for episode in range(4):
            returned = plan.order[episode] in plan.order[:episode]
            expected = [0.0, *[0.0 if returned else 0.4] * 4]
            seen = shown[row, 5 * episode : 5 * episode + 5]
            np.testing.assert_allclose(seen, expected, rtol=1e-6)
    assert len({tuple(plan.order) for plan in plans}) > 1
    assert (lived.reward.numpy() == 4).all()


def test_a_bonus_is_for_learners_and_not_shown(reach: Any) -> None:
    task = dataclasses.replace(reach, success_bonus=3.0)
    batch = _Batch(task, [task.plan(0, 0), task.plan(0, 1)], {})
    batch.reward[:] = 4.0
    batch.success[1, 2:5] = 1.0
    lived = batch.trajectory()
    expected = np.full((2, 22), 4.0)
    expected[1, 2:5] = 7.0
    np.testing.assert_array_equal(lived.reward, expected)
    shown = lived.observation["previous_reward"].numpy()
    assert set(np.unique(shown)) == {np.float32(0), np.float32(0.4)}
    assert task.held_out().success_bonus == 0.0
