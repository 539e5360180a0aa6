"""Gymnasium ids as tasks: what is found, what is refused, and how lifetimes run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from harness import gymnasium_environments as environments

from kerasmeta import UserError, tasks
from kerasmeta._keras import tf, tf_agents
from kerasmeta.tasks.gymnasium.batch import GymnasiumBatch, environment_seeds
from kerasmeta.tasks.gymnasium.task import GymnasiumTask
from kerasmeta.tasks.observation import full_observation_spec
from kerasmeta.tasks.play import play

TEST = "kerasmeta_test/"
FIRST, MID, LAST = (int(t) for t in (tf_agents.trajectories.StepType.FIRST, 1, 2))


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("CartPol-v1", ["'CartPol-v1'", "did you mean 'CartPole-v1'"]),
        ("cartpole-v1", ["did you mean", "'CartPole-v1'"]),
        ("CartPole-v7", ["did you mean", "'CartPole-v1'"]),
        ("two_stp", ["did you mean 'two_step'", "or a Gymnasium id"]),
        ("kerasmeta/TwoStp-v0", ["did you mean", "'kerasmeta/TwoStep-v0'"]),
        ("Nowhere/Env-v0", ["Nowhere", "install the package"]),
        ("no_such_module:Env-v0", ["no_such_module", "cannot be imported"]),
        (f"{TEST}NeedsPackage-v0", ["Frobnicator is not installed", "install it"]),
    ],
)
def test_ids_that_make_no_environment(id: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        tasks.make(id)
    assert len(str(caught.value).splitlines()) == 1
    for word in [f"task '{id}'", *words]:
        assert word in str(caught.value)
    if "NeedsPackage" not in id:
        with pytest.raises(UserError):
            tasks.check(id)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"lenth": 3}, ["lenth", "cannot be made with lenth=3"]),
        ({"collect_steps": 0}, ["collect_steps 0"]),
        ({"collect_steps": 2.5}, ["collect_steps 2.5"]),
        ({"vectorization": "threads"}, ["vectorization 'threads'", "sync or async"]),
    ],
)
def test_parameters_that_are_refused(parameters: Any, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        tasks.make(f"{TEST}Counter-v0", **parameters)
    for word in words:
        assert word in str(caught.value)


def test_families_are_no_gymnasium_ids() -> None:
    assert not any(tasks.is_gymnasium(name) for name in tasks.names())
    assert tasks.is_gymnasium("CartPole-v1")
    assert tasks.is_gymnasium("kerasmeta/TwoStep-v0")
    tasks.check("CartPole-v1")
    tasks.check("two_step")


def test_what_an_agent_sees_of_cart_pole() -> None:
    task = tasks.make("CartPole-v1")
    assert task.name == "CartPole-v1"
    assert task.observation_spec["stimulus"].shape == [4]
    assert (task.action_spec.minimum, task.action_spec.maximum) == (0, 1)
    assert task.lifetime_steps == 500
    assert task.contexts_per_lifetime == 0
    assert task.held_out() == task == tasks.make("CartPole-v1")
    assert task != tasks.make("CartPole-v1", sutton_barto_reward=True)
    assert len({task, tasks.make("CartPole-v1")}) == 1


def test_specs_of_images_and_unbounded_actions_can_be_written() -> None:
    image = tasks.make(f"{TEST}Spaces-v0", observations="image", actions="unbounded")
    assert image.observation_spec["stimulus"] == tf.TensorSpec(
        [8, 6, 3], tf.uint8, "stimulus"
    )
    assert image.lifetime_steps == 1000  # there is no time limit
    json.dumps(image.action_spec.minimum.tolist(), allow_nan=False)
    limited = tasks.make(f"{TEST}Limited-v0", collect_steps=9)
    assert (limited.lifetime_steps, limited.time_limit) == (9, 4)
    assert limited.reward_threshold == 3.5


def steps_of(task: GymnasiumTask, rows: int, steps: int, index: int = 0) -> Any:
    """`TimeStep`s `[B, steps + 1]`, and the actions that led on `[B, steps]`."""
    batch = GymnasiumBatch(task, rows)
    space = task.action_spec
    seen, done = [batch.reset(environment_seeds(3, index, rows))], []
    for t in range(steps):
        generator = np.random.default_rng(t)
        if space.dtype.is_integer:
            action = generator.integers(0, space.maximum + 1, rows).astype(np.int32)
        else:
            action = generator.normal(0, 2, (rows, *space.shape)).astype(np.float32)
        seen.append(batch.step(action))
        done.append(action)
    stack = tf.nest.map_structure(lambda *x: np.stack(x, axis=1), *seen)
    return stack, np.stack(done, axis=1)


@pytest.mark.parametrize(
    "task",
    [
        GymnasiumTask(f"{TEST}Counter-v0", arguments={"length": 0}),
        GymnasiumTask(f"{TEST}Target-v0"),
        GymnasiumTask(
            f"{TEST}Spaces-v0", arguments={"observations": "dict", "actions": "box"}
        ),
        GymnasiumTask("kerasmeta/TwoStep-v0", arguments={"trials": 5}),
    ],
    ids=["Counter", "Target", "Spaces", "TwoStep"],
)
def test_time_steps_are_as_specified(task: GymnasiumTask) -> None:
    seen, actions = steps_of(task, rows=4, steps=15)
    spec = full_observation_spec(task)
    assert set(seen.observation) == set(spec)
    for key, part in spec.items():
        assert seen.observation[key].dtype == part.dtype.as_numpy_dtype, key
        assert seen.observation[key].shape == (4, 16, *part.shape), key
    first = seen.step_type == FIRST
    assert first[:, 0].all()
    np.testing.assert_array_equal(first[:, 1:], seen.step_type[:, :-1] == LAST)
    np.testing.assert_array_equal(seen.observation["episode_start"], first)
    np.testing.assert_array_equal(seen.observation["previous_reward"], seen.reward)
    assert not seen.reward[first].any()
    previous = seen.observation["previous_action"]
    nothing = -1 if task.action_spec.dtype.is_integer else 0
    assert (previous[first] == nothing).all()
    later = ~first[:, 1:]
    np.testing.assert_array_equal(previous[:, 1:][later], actions[later])
    assert not seen.observation["context"].any()
    assert not seen.observation["store"].any()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"length": 3}, [1, 1, 1, 0, 1, 1, 1, 0, 1]),
        ({"length": 3, "truncates": True}, [1] * 9),
    ],
)
def test_the_discount_tells_terminated_from_truncated(
    arguments: Any, expected: list[int]
) -> None:
    task = GymnasiumTask(f"{TEST}Counter-v0", arguments=arguments)
    seen, _ = steps_of(task, rows=2, steps=8)
    np.testing.assert_array_equal(seen.discount, [expected] * 2)
    np.testing.assert_array_equal(seen.step_type[0], [0, 1, 1, 2, 0, 1, 1, 2, 0])
    # LAST shows the last observation, not the next lifetime's first.
    np.testing.assert_array_equal(
        seen.observation["stimulus"][0, :, 0], [0, 1, 2, 3, 0, 1, 2, 3, 0]
    )


def test_a_time_limit_truncates() -> None:
    seen, _ = steps_of(GymnasiumTask(f"{TEST}Limited-v0"), rows=1, steps=5)
    np.testing.assert_array_equal(seen.step_type[0], [0, 1, 1, 1, 2, 0])
    np.testing.assert_array_equal(seen.discount[0], np.ones(6))


def test_the_same_seeds_are_the_same_lifetimes() -> None:
    task = GymnasiumTask(f"{TEST}Target-v0")
    one, again, other = (steps_of(task, 3, 12, index)[0] for index in (0, 0, 1))
    for a, b in zip(tf.nest.flatten(one), tf.nest.flatten(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (one.observation["stimulus"] != other.observation["stimulus"]).any()
    assert len(set(environment_seeds(0, 0, 500) + environment_seeds(0, 1, 500))) == 1000


def test_other_processes_run_the_same_lifetimes() -> None:
    here, there = (
        steps_of(GymnasiumTask("Pendulum-v1", vectorization=mode), 2, 5)[0]
        for mode in ("sync", "async")
    )
    for a, b in zip(tf.nest.flatten(here), tf.nest.flatten(there), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(UserError, match=r"NotFinite-v0.*not finite"):
        steps_of(GymnasiumTask(f"{TEST}NotFinite-v0"), rows=2, steps=3)


def test_the_random_player_plays_whole_lifetimes() -> None:
    """Returns of chance: ten choices of three; and all of Counter's lengths."""
    played = play(tasks.make(f"{TEST}Match-v0"), "random", 150, seed=1)
    assert played.reward.shape == (150, 10)
    assert abs(played.reward.mean() - 1 / 3) < 2.58 * np.sqrt(2 / 9 / 1500)
    counted = play(tasks.make(f"{TEST}Counter-v0", length=0), "random", 150, seed=1)
    np.testing.assert_array_equal(counted.reward, counted.valid)
    assert set(counted.valid.sum(axis=1)) == set(range(1, 7))
    assert environments.SPACES  # registered by the import
