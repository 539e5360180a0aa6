"""Meta-World's families: names, sides of the benchmark, schedules, what is hidden."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import metaworld
import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta.errors import UserError
from kerasmeta.tasks.metaworld import benchmark, names, schedule, simulator
from kerasmeta.tasks.revealed import has_hidden_variables

# Of Meta-World's documentation.
ML10_TEST = ["drawer-open", "door-close", "shelf-place", "sweep-into", "lever-pull"]


def test_the_names_are_meta_worlds() -> None:
    known = {name.removesuffix("-v3") for name in metaworld.ALL_V3_ENVIRONMENTS}
    assert set(names.TASKS) == known
    assert len(names.families()) == 2 * (50 + 2)


@pytest.mark.parametrize("family", names.families())
def test_every_family_is_made(family: str) -> None:
    task = tasks.make(family, episodes=4)
    assert task.name == family
    assert task.lifetime_steps == 2000
    assert task.contexts_per_lifetime == (2 if family.endswith("contextual") else 0)


def test_what_is_hidden_is_in_the_simulators() -> None:
    assert not has_hidden_variables(tasks.make("metaworld_ml1_reach"))


@pytest.mark.parametrize(
    ("family", "parameters", "words"),
    [
        ("metaworld_ml1_raech", {}, ["'metaworld_ml1_raech'", "'metaworld_ml1_reach'"]),
        ("metaworld_ml11", {}, ["did you mean", "'metaworld_ml10'"]),
        ("metaworld_ml1_reach", {"horizon": 501}, ["horizon 501", "2 to 500"]),
        ("metaworld_ml1_reach", {"contexts": 2}, ["contexts 2", "_contextual"]),
        ("metaworld_ml1_reach", {"goals": 2}, ["goals 2", "is not a parameter"]),
        ("metaworld_ml1_reach", {"split": "all"}, ["split 'all'", "is not of type"]),
        ("metaworld_ml10", {"train_goals": 60}, ["train_goals 60", "100"]),
        ("metaworld_ml10", {"success_bonus": -1.0}, ["success_bonus -1.0", ">= 0"]),
        ("metaworld_ml1_push", {"feedback": "success"}, ["feedback", "_contextual"]),
        ("metaworld_ml1_push_contextual", {"feedback": "no"}, ["is not of type"]),
        ("metaworld_ml10_contextual", {"contexts": 3}, ["contexts 3", "divisor of 10"]),
        ("metaworld_ml10_contextual", {"context_size": 5}, ["6 to 62"]),
    ],
)
def test_what_is_refused(family: str, parameters: Any, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        tasks.make(family, **parameters)
    assert len(str(caught.value).splitlines()) == 1
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("no", name="metaworld"), ["pip install", "[metaworld]"]),
        (ModuleNotFoundError("no", name="mujoco"), ["package mujoco", "[metaworld]"]),
        (ImportError("libGL.so.1: no such\nfile"), ["libGL.so.1", "MUJOCO_GL"]),
        (AttributeError("glGetError"), ["glGetError", "unset MUJOCO_GL"]),
    ],
)
def test_a_missing_extra_is_told_in_one_line(
    error: Exception, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def broken(name: str, *rest: Any) -> Any:
        if name == "metaworld":
            raise error
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "metaworld")
    monkeypatch.setattr("importlib.import_module", broken)
    with pytest.raises(UserError) as caught:
        benchmark.package()
    assert len(str(caught.value).splitlines()) == 1
    for word in words:
        assert word in str(caught.value)


def test_the_split_is_the_benchmarks_own(reach: Any) -> None:
    own = metaworld.ML1("reach-v3", seed=0)
    for task, theirs in [(reach, own.train_tasks), (reach.held_out(), own.test_tasks)]:
        assert task.goals().tasks == ("reach-v3",)
        assert list(task.goals().goals["reach-v3"]) == theirs
    train, test = (
        set(side.goals().goals["reach-v3"]) for side in (reach, reach.held_out())
    )
    assert len(train) == len(test) == 50
    assert not train & test


@pytest.mark.slow  # draws the goals of several seeds
def test_more_training_goals_are_none_of_the_tests() -> None:
    task = tasks.make("metaworld_ml1_reach", train_goals=150)
    drawn = task.goals().goals["reach-v3"]
    assert len(set(drawn)) == 150
    plain = tasks.make("metaworld_ml1_reach")
    assert drawn[:50] == plain.goals().goals["reach-v3"]
    assert not set(drawn) & set(task.held_out().goals().goals["reach-v3"])
    assert max(task.plan(0, index).goals[0] for index in range(200)) > 100
    planned = [task.held_out().plan(0, index).goals[0] for index in range(200)]
    assert max(planned) < 50


@pytest.mark.slow  # draws the goals of 15 tasks
def test_ml10s_test_tasks_are_never_trained_on() -> None:
    task = tasks.make("metaworld_ml10")
    train, test = task.goals().tasks, task.held_out().goals().tasks
    assert test == tuple(f"{name}-v3" for name in ML10_TEST)
    assert len(train) == 10
    assert not set(train) & set(test)
    planned = [task.plan(0, index).tasks for index in range(20)]
    assert [first for (first,) in planned] == 2 * list(train)
    both = tasks.make("metaworld_ml10_contextual")
    for index in range(20):
        first, second = both.plan(0, index).tasks
        assert first != second


def test_plans_depend_on_their_counters_only() -> None:
    def plan(key: int, index: int) -> schedule.Plan:
        return schedule.plan(["reach-v3"], 2, 6, 20, key, index)

    again = zip(plan(3, 5), plan(3, 5), strict=True)
    assert all(np.array_equal(one, other) for one, other in again)
    others = [plan(4, 5).contexts, plan(3, 6).contexts]
    assert not any(np.array_equal(plan(3, 5).contexts, other) for other in others)


@pytest.mark.parametrize("goals", [1, 2, 3])
def test_every_goal_has_equally_many_episodes_and_a_name(goals: int) -> None:
    orders, drawn = set(), set()
    for index in range(600):
        plan = schedule.plan(["reach-v3"], goals, 6, 20 if goals > 1 else 0, 0, index)
        np.testing.assert_array_equal(np.bincount(plan.order), [6 // goals] * goals)
        assert len(set(plan.goals)) == goals
        if goals > 1:
            assert len({tuple(code) for code in plan.contexts}) == goals
            assert set(np.unique(plan.contexts)) == {-1.0, 1.0}
        orders.add(tuple(plan.order))
        drawn.update(plan.goals)
    assert drawn == set(range(50))
    assert (len(orders) == 1) == (goals == 1)


def test_a_schedule_by_hand() -> None:
    contexts = np.array([[1.0, -1.0], [-1.0, -1.0]], np.float32)
    tasks = "push-v3", "reach-v3"
    plan = schedule.Plan(tasks, (3, 4), np.array([1, 0]), contexts)
    found = schedule.schedule([plan], horizon=3)
    a, b, no = [1, -1], [-1, -1], [0, 0]
    np.testing.assert_array_equal(found.context[0], [b, no, b, a, no, a, no])
    np.testing.assert_array_equal(found.episode_start[0], [1, 0, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(found.store[0], [0, 0, 1, 0, 0, 1, 0])
    lived = [f"{names.TASKS[number]}-v3" for number in found.task[0].argmax(1)]
    assert lived == ["reach-v3"] * 3 + ["push-v3"] * 4
    assert (found.task.sum(axis=-1) == 1).all()


def _live(begin: Any, made: Any) -> np.ndarray:
    """Three episodes with two goals: everything an environment answers."""
    random, seen = np.random.default_rng(0), []
    for number in (0, 1, 0):
        seen.append(begin(number))
        for _ in range(12):
            action = random.uniform(-1, 1, 4).astype(np.float32)
            observation, reward, _, _, info = made.step(action)
            seen += [observation, [reward, info["success"]]]
    return np.concatenate(seen)


@pytest.mark.parametrize(
    "name",
    [
        "reach",
        "door-open",
        *[
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("assembly", "peg-insert-side", "window-close", "lever-pull")
        ],
    ],
)
def test_a_state_put_back_is_a_reset_bit_for_bit(name: str) -> None:
    """In another environment, too, and without checks of rotations.

    Of all 50 tasks it was, when this was written.
    """
    made = metaworld.ALL_V3_ENVIRONMENTS[f"{name}-v3"]
    goals = tasks.make(f"metaworld_ml1_{name}").goals().goals[f"{name}-v3"]

    def reset(environment: Any, number: int) -> np.ndarray:
        environment.set_task(goals[number])
        return environment.reset()[0]

    plain = made()
    wanted = _live(lambda number: reset(plain, number), plain)
    source, other = simulator.without_checks(made)(), made()
    taken = [simulator.take(source, reset(source, number)) for number in (0, 1)]
    reset(other, 7)
    other.step(np.ones(4, np.float32))
    found = _live(lambda number: simulator.put_back(other, taken[number]), other)
    np.testing.assert_array_equal(found, wanted)
