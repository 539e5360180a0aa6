import dataclasses

import numpy as np
import pytest
from harness.rolling_strip import RollingStrip, scanning
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import roll_out

from kerasmeta import UserError
from kerasmeta.tasks.harlow.harlow import Harlow
from kerasmeta.tasks.play import play

LIFETIMES = 2000
SMALL = {"trials": 2, "max_steps": 7, "cells": 5, "field": 3, "distance": 1}


class TestContract(TaskContract):
    task = Harlow(**SMALL, object_bits=4)


@pytest.fixture(scope="module")
def task():
    return Harlow()


@pytest.fixture(scope="module")
def first(task):
    """What was drawn for many lifetimes."""
    return roll_out(
        dataclasses.replace(task, trials=2, max_steps=12),
        LIFETIMES,
        seed=5,
        choose=scanning(task, LIFETIMES, seed=1),
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"object_code": "scalar", "objects": "held_out"},
        {"cells": 9, "field": 5, "distance": 2, "trials": 4, "max_steps": 22},
        {"cells": 12, "field": 11, "fixation_reward": 0.0},
    ],
)
def test_is_the_rolling_strip(parameters):
    task = Harlow(**parameters)
    seen = roll_out(task, 40, seed=2, choose=scanning(task, 40, seed=3))
    finished = 0
    for row in range(40):
        strip = RollingStrip(
            task,
            seen.state.rewarded[row, 0],
            seen.state.distractor[row, 0],
            seen.state.rewarded_right[row, 0],
            gaze_right=seen.state.gaze.cell[row, 0] == task.distance,
        )
        for t in range(task.lifetime_steps):
            stimulus = seen.observation["stimulus"][row, t]
            np.testing.assert_allclose(stimulus, strip.stimulus(), rtol=1e-6)
            reward = strip.step(seen.action[row, t])
            np.testing.assert_allclose(seen.reward[row, t], reward, rtol=1e-6)
            over = strip.trial == task.trials or t + 1 == task.max_steps
            assert seen.done[row, t] == over
            if over:
                break
        finished += strip.trial == task.trials
    assert 5 < finished < 40  # both ways to end were seen


def test_rewarded_object_is_right_in_exactly_half_of_the_trials_in_random_order(task):
    state, _ = task.reset(LIFETIMES, np.array([8, 1], np.int32))
    right = state.rewarded_right.numpy()
    assert (right.sum(axis=1) == 3).all()
    for trial in range(6):
        check_rate(right[:, trial], 0.5)
    # After one side, two of the remaining five trials have the same one.
    check_rate(right[:, 0] == right[:, 1], 2 / 5)
    check_rate(right[:, 2] == right[:, 5], 2 / 5)


def test_pairs_are_distinct_and_new_in_every_lifetime(first):
    rewarded, other = first.state.rewarded[:, 0], first.state.distractor[:, 0]
    assert (rewarded != other).all()
    check_rate(rewarded > other, 0.5)
    check_rate(first.state.gaze.cell[:, 0] == 3, 0.5)
    for bit in range(8):
        check_rate((rewarded >> bit) & 1, 0.5)
    # 128 objects, all of them drawn: expected 15.6 times each.
    assert len(np.unique(rewarded)) == 128
    assert np.unique(rewarded, return_counts=True)[1].max() < 40


def test_objects_for_training_and_held_out_ones_share_no_object_but_all_features():
    drawn = {}
    for objects in ("train", "held_out"):
        task = Harlow(object_bits=5)
        task = task.held_out() if objects == "held_out" else task
        state, _ = task.reset(500, np.array([1, 2], np.int32))
        drawn[objects] = set(state.rewarded.numpy()) | set(state.distractor.numpy())
    assert not drawn["train"] & drawn["held_out"]
    assert drawn["train"] | drawn["held_out"] == set(range(32))
    for members in drawn.values():
        bits = [[(code >> k) & 1 for k in range(5)] for code in members]
        assert (np.mean(bits, axis=0) == 0.5).all()
        differences = [np.sum(np.not_equal(a, b)) for a in bits for b in bits if a != b]
        assert min(differences) == 2


def test_scalar_objects_are_neither_empty_nor_the_cross():
    task = Harlow(object_bits=2, object_code="scalar")
    seen = roll_out(task, 200, seed=1, choose=scanning(task, 200, seed=1))
    numbers = np.unique(seen.observation["stimulus"])
    np.testing.assert_allclose(numbers, [0, 1 / 5, 4 / 5, 1], rtol=1e-6)  # 00, 11


def test_shows_no_context_and_starts_once(first):
    seen = first.observation
    assert not seen["context"].any()
    assert not seen["store"].any()
    assert seen["episode_start"][:, 0].all()
    assert not seen["episode_start"][:, 1:].any()


def test_who_never_fixates_is_stopped_and_earns_nothing(task):
    def back_and_forth(step, state):
        return np.full(3, step % 2)

    seen = roll_out(task, 3, seed=1, choose=back_and_forth)
    assert not seen.reward.any()
    assert seen.done.argmax(axis=1).tolist() == [task.max_steps - 1] * 3


def test_random_player_walks_at_random(task):
    """Fixations and choices of a random walk on the strip, from its Markov chain."""
    expected = random_walk(task.cells, task.distance, task.max_steps)
    reward = play(task, "random", LIFETIMES, seed=3).reward
    check_mean((reward == np.float32(0.2)).sum(axis=1), expected["fixations"])
    check_mean((np.abs(reward) == 1).sum(axis=1), expected["choices"])
    check_rate(reward[np.abs(reward) == 1] == 1, 0.5)


def random_walk(cells, distance, steps):
    """Expected counts. It hardly ever finishes: the end after six trials is ignored."""
    walking, choosing = np.zeros(cells), np.zeros(cells)
    walking[[distance, cells - distance]] = 0.5
    found = {"fixations": 0.0, "choices": 0.0}
    for _ in range(steps):
        walking, choosing = (
            0.5 * (np.roll(chance, 1) + np.roll(chance, -1))
            for chance in (walking, choosing)
        )
        ends = [distance, cells - distance]
        arrived = choosing[ends].copy()
        found["fixations"] += walking[0]
        found["choices"] += arrived.sum()
        choosing[0] += walking[0]
        walking[0] = 0.0
        choosing[ends] = 0.0
        walking[ends] += arrived
    return found


@pytest.mark.parametrize("code", ["bits", "scalar"])
def test_players_earn_their_closed_forms_without_a_detour(code):
    task = Harlow(object_code=code)
    optimal = play(task, "optimal", LIFETIMES, seed=1)
    oracle = play(task, "oracle", LIFETIMES, seed=1)
    check_mean(optimal.reward.sum(axis=1), 6.2)
    np.testing.assert_allclose(oracle.reward.sum(axis=1), 7.2, rtol=1e-6)
    for lifetimes in (optimal, oracle):
        assert (lifetimes.valid.sum(axis=1) == 6 * (3 + 3)).all()
    choices = optimal.reward[np.abs(optimal.reward) == 1].reshape(-1, 6)
    check_rate(choices[:, 0] == 1, 0.5)
    assert (choices[:, 1:] == 1).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"trials": 5}, r"trials 5: cannot be balanced .* even number"),
        ({"trials": 0}, r"trials 0"),
        ({"field": 8}, r"field 8: has no middle cell"),
        ({"field": 5}, r"field 5: .* >= 7"),
        ({"cells": 8}, r"cells 8: .* >= 9"),
        ({"distance": 0}, r"distance 0"),
        ({"max_steps": 35}, r"max_steps 35: .* >= 36"),
        ({"fixation_reward": 1}, r"fixation_reward 1: is what an object pays"),
        ({"fixation_reward": -0.1}, r"fixation_reward -0.1"),
        ({"object_bits": 1}, r"object_bits 1: .* use 2 to 16"),
        ({"object_bits": 17}, r"object_bits 17"),
        ({"object_code": "colour"}, r"object_code 'colour': .* bits or scalar"),
        ({"objects": "test"}, r"objects 'test': .* train or held_out"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(UserError, match=message):
        Harlow(**parameters)
