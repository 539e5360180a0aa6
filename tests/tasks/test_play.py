import numpy as np
import pytest
from harness.task_contract import assert_same, differ
from harness.toy_tasks import Countdown

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.environments import TaskEnvironment
from kerasmeta.tasks import seeds
from kerasmeta.tasks.play import play
from kerasmeta.tasks.two_step.episodic import EpisodicTwoStep
from kerasmeta.tasks.two_step.two_step import TwoStep

TASK = EpisodicTwoStep(4, 3, context_size=4)


def test_the_same_seed_gives_the_same_lifetimes_and_another_one_others():
    first = play(TASK, "optimal", 6, seed=3)
    assert_same(play(TASK, "optimal", 6, seed=3), first)
    assert differ(play(TASK, "optimal", 6, seed=4), first)


def test_batches_that_follow_each_other_live_through_other_lifetimes():
    joined = play(TASK, "random", 10, seed=3, side_by_side=4)
    first, second, third = (
        tf.nest.map_structure(lambda x, at=at: x[at : at + 4], joined)
        for at in (0, 4, 8)
    )
    assert_same(play(TASK, "random", 4, seed=3), first)
    assert len(third.action) == 2
    for other in (second, play(TASK, "random", 4, seed=4)):
        assert not (first.reward == other.reward).all(axis=1).any()
        assert not (first.action == other.action).all(axis=1).any()
    assert not (second.action[:2] == third.action).all(axis=1).any()


def test_arrays_have_the_documented_shapes_and_types():
    lifetimes = play(TASK, "model_free", 6, seed=0)
    assert lifetimes.action.shape == lifetimes.reward.shape == (6, 8)
    assert lifetimes.action.dtype == np.int32
    assert lifetimes.reward.dtype == np.float32
    assert lifetimes.valid.all()
    assert lifetimes.observation["context"].shape == (6, 8, 4)
    previous_action = lifetimes.observation["previous_action"]
    assert (previous_action[:, 0] == -1).all()
    np.testing.assert_array_equal(previous_action[:, 1:], lifetimes.action[:, :-1])


@pytest.mark.parametrize("task", [TASK, TwoStep(5), Countdown(4)])
def test_environment_replays_the_very_same_lifetimes(task):
    lifetimes = play(task, "random", 6, seed=3)
    task_seed = tf.random.split(seeds.as_seed(3), 2)[0]
    environment = TaskEnvironment(task, 6, seed=task_seed)
    time_step = environment.current_time_step()
    for t in range(task.lifetime_steps):
        alive = lifetimes.valid[:, t]
        for name, seen in lifetimes.observation.items():
            expected = time_step.observation[name].numpy()[alive]
            np.testing.assert_array_equal(seen[alive, t], expected, err_msg=name)
        time_step = environment.step(tf.constant(lifetimes.action[:, t]))
        reward = lifetimes.reward[alive, t]
        np.testing.assert_array_equal(reward, time_step.reward.numpy()[alive])


def test_valid_ends_with_each_lifetime():
    lifetimes = play(Countdown(4), "random", 50, seed=1)
    lengths = lifetimes.valid.sum(axis=1)
    assert set(lengths) == {1, 2, 3, 4}
    np.testing.assert_array_equal(lifetimes.valid, np.arange(4) < lengths[:, None])
    np.testing.assert_array_equal(lifetimes.reward != 0, lifetimes.valid)


def test_unknown_player_and_no_lifetimes_are_refused():
    with pytest.raises(UserError, match=r"player 'best': .* use one of random, model_"):
        play(TASK, "best", 1)
    with pytest.raises(UserError, match=r"^lifetimes 0: "):
        play(TASK, "random", 0)
