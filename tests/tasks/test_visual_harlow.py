import dataclasses

import numpy as np
import pytest
from harness.plain_screen import PlainScreen, looking
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import roll_out

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.tasks.harlow.visual import VisualHarlow
from kerasmeta.tasks.play import play

LIFETIMES = 2000
SMALL = {"trials": 2, "max_steps": 9, "image_size": 8}


class TestContract(TaskContract):
    task = VisualHarlow(**SMALL)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"objects": "held_out", "image_seed": 3},
        {"trials": 4, "max_steps": 16, "image_size": 8, "fixation_reward": 0.0},
    ],
)
def test_is_the_plain_screen(parameters):
    """Every observation, reward and end, from the rules, one agent at a time."""
    task = VisualHarlow(**parameters)
    seen = roll_out(task, 40, seed=2, choose=looking(task, 40, seed=3, skill=0.6))
    finished = 0
    for row in range(40):
        screen = PlainScreen(
            task,
            seen.state.rewarded[row, 0],
            seen.state.distractor[row, 0],
            seen.state.rewarded_right[row, 0],
            gaze_right=seen.state.gaze.place[row, 0] == 2,
        )
        for t in range(task.lifetime_steps):
            stimulus = seen.observation["stimulus"][row, t]
            np.testing.assert_array_equal(stimulus, screen.stimulus())
            reward = screen.step(seen.action[row, t])
            np.testing.assert_allclose(seen.reward[row, t], reward, rtol=1e-6)
            over = screen.trial == task.trials or t + 1 == task.max_steps
            assert seen.done[row, t] == over
            if over:
                break
        finished += screen.trial == task.trials
    assert 5 < finished < 40  # both ways to end were seen


def test_the_screen_is_what_the_gaze_wanders_over():
    """The view is a third of the screen, the one at the gaze."""
    task = VisualHarlow()
    state, observation = task.reset(6, tf.constant([1, 1]))
    for step, action in enumerate([1, 0, 2, 2, 1]):
        outcome = task.step(state, tf.fill([6], action), tf.constant([1, step + 2]))
        state, observation = outcome.state, outcome.observation
        side = task._is_right_in(state, task._trial_shown(state.gaze, state.trial))
        screen = task.screen(state.gaze, state.rewarded, state.distractor, side)
        assert screen.shape == (6, 16, 48, 3)
        view = screen[:, :, 16 * action : 16 * action + 16]
        np.testing.assert_array_equal(observation["stimulus"], view)
        lit = screen.numpy().any(axis=(1, 2, 3))
        assert lit.all()
    assert state.trial.numpy().all()


def test_rewarded_image_is_right_in_exactly_half_of_the_trials():
    state, _ = VisualHarlow().reset(LIFETIMES, np.array([8, 1], np.int32))
    right = state.rewarded_right.numpy()
    assert (right.sum(axis=1) == 3).all()
    check_rate(right[:, 0], 0.5)
    check_rate(right[:, 0] == right[:, 1], 2 / 5)
    check_rate(state.gaze.place.numpy() == 2, 0.5)
    assert (state.gaze.place.numpy() != 1).all()


def test_sides_may_be_drawn_by_a_coin_in_training_only():
    """Then a side tells nothing of the next, and three of six is one case of many."""
    task = VisualHarlow(sides="coin")
    state, _ = task.reset(LIFETIMES, np.array([8, 1], np.int32))
    right = state.rewarded_right.numpy()
    for trial in range(6):
        check_rate(right[:, trial], 0.5)
    check_rate(right[:, 0] == right[:, 1], 1 / 2)
    check_rate(right.sum(axis=1) == 3, 20 / 64)
    assert task.held_out() == VisualHarlow(objects="held_out")


def test_pairs_are_distinct_and_all_of_their_half():
    for objects, lowest in (("train", 0), ("held_out", 1000)):
        task = VisualHarlow(objects=objects)
        state, _ = task.reset(LIFETIMES, np.array([3, 4], np.int32))
        rewarded, other = state.rewarded.numpy(), state.distractor.numpy()
        assert (rewarded != other).all()
        both = np.concatenate([rewarded, other]) - lowest
        assert ((both >= 0) & (both < 1000)).all()
        for quarter in range(4):
            check_rate(rewarded - lowest < 250 * (quarter + 1), (quarter + 1) / 4)
        # 4,000 of 1,000 images: each is missing with probability e**-4.
        assert 960 < len(np.unique(both)) < 1000
        check_rate(rewarded > other, 0.5)


def test_held_out_shows_other_images_of_the_same_seed():
    task = VisualHarlow(image_seed=5)
    assert task.held_out() == dataclasses.replace(task, objects="held_out")
    np.testing.assert_array_equal(task.held_out().pictures, task.pictures)


def test_shows_no_context_and_starts_once():
    task = VisualHarlow()
    seen = roll_out(task, 5, seed=1, choose=looking(task, 5, seed=1)).observation
    assert not seen["context"].any()
    assert not seen["store"].any()
    assert seen["episode_start"].argmax(axis=1).tolist() == [0] * 5
    assert seen["episode_start"].sum() == 5


def test_players_earn_their_closed_forms():
    task = VisualHarlow()
    n = 600
    found = {name: play(task, name, n, seed=1) for name in ("optimal", "oracle")}
    check_mean(found["optimal"].reward.sum(axis=1), 6.2)
    np.testing.assert_allclose(found["oracle"].reward.sum(axis=1), 7.2, rtol=1e-6)
    assert (found["oracle"].valid.sum(axis=1) == 18).all()
    for name, lifetimes in found.items():
        choice = lifetimes.reward[np.abs(lifetimes.reward) == 1].reshape(n, 6)
        assert (choice[:, 1:] == 1).all(), name
    first = found["optimal"].reward[np.abs(found["optimal"].reward) == 1]
    check_rate(first.reshape(n, 6)[:, 0] == 1, 0.5)
    # A guess takes 3 steps; later, the other image comes first in half of the trials.
    check_mean(found["optimal"].valid.sum(axis=1), 3 + 5 * 3.5)


def test_random_play_takes_its_expected_steps_a_trial():
    """3 to the cross; then a = 3 + a / 2, see below: 9 a trial.

    With a steps to go from the cross and b from an image just looked at: a = 1 + a / 3
    + 2 b / 3, and b = 1 + a / 3 + b / 3, so a = 6.
    """
    task = VisualHarlow(max_steps=400)
    lifetimes = play(task, "random", 600, seed=2)
    check_mean(lifetimes.valid.sum(axis=1), 6 * 9)
    check_mean(lifetimes.reward.sum(axis=1), 6 * 0.2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"trials": 5}, r"trials 5: .* use an even number"),
        ({"max_steps": 23}, r"max_steps 23: .* use a whole number >= 24"),
        ({"image_size": 7}, r"image_size 7: .* use a whole number >= 8"),
        ({"image_size": "16"}, r"image_size '16'"),
        ({"image_seed": -1}, r"image_seed -1"),
        ({"objects": "all"}, r"objects 'all': .* train or held_out"),
        ({"sides": "left"}, r"sides 'left': .* balanced or coin"),
        ({"fixation_reward": 1}, r"fixation_reward 1: .* use less than 1"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(UserError, match=message):
        VisualHarlow(**parameters)
