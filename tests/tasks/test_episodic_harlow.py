import numpy as np
import pytest
from harness.rolling_strip import RollingStrip, scanning
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import roll_out

from kerasmeta import UserError
from kerasmeta.tasks.harlow.episodic import EpisodicHarlow
from kerasmeta.tasks.play import play

SMALL = {
    "trials": 2,
    "max_steps": 7,
    "cells": 5,
    "field": 3,
    "distance": 1,
    "object_bits": 5,
    "pairs": 2,
    "context_size": 3,
}
ROWS = 24


class TestContract(TaskContract):
    task = EpisodicHarlow(**SMALL)


@pytest.fixture(scope="module", params=["easy", "hard"])
def task(request):
    return EpisodicHarlow(
        pairs=3, exposures=2, max_steps=50, variant=request.param, context_size=4
    )


@pytest.fixture(scope="module")
def seen(task):
    return roll_out(task, ROWS, seed=2, choose=scanning(task, ROWS, seed=3))


def drawn(task, lifetimes, seed=1):
    """The schedules of many lifetimes, each `[B, E, ...]`."""
    state, _ = task.reset(lifetimes, np.array([seed, 0], np.int32))
    return type(state.schedule)(*(part.numpy() for part in state.schedule))


def context_of(task, code):
    digits = reversed(np.binary_repr(code, task.context_size))
    return [1.0 if digit == "1" else -1.0 for digit in digits]


def test_is_one_rolling_strip_after_the_other(task, seen):
    """Every observation, reward and end, from the rules, one agent at a time."""
    unfinished = 0
    for row in range(ROWS):
        t, is_stored = 0, set()
        for e in range(task.episodes):
            schedule = [part[row, 0, e] for part in seen.state.schedule]
            pair, rewarded, distractor, code, sides, gaze_right = schedule
            context = context_of(task, code)
            strip = RollingStrip(task, rewarded, distractor, sides, gaze_right)
            appeared = False
            for step in range(task.max_steps):
                at_cross = 1.0 in strip.cells and strip.cells[strip.middle] is None
                at_cross &= strip.cells[strip.middle - task.distance] in (1.0, -1.0)
                appeared |= at_cross
                check(seen, row, t, strip.stimulus(), at_cross * np.array(context))
                assert seen.observation["episode_start"][row, t] == (step == 0)
                assert not seen.observation["store"][row, t]
                reward = strip.step(seen.action[row, t])
                np.testing.assert_allclose(seen.reward[row, t], reward, rtol=1e-6)
                t += 1
                if strip.trial == task.trials:
                    break
            unfinished += strip.trial < task.trials
            store = strip.trial > 0 and pair not in is_stored
            check(seen, row, t, 0.0, store * np.array(context))
            assert seen.observation["store"][row, t] == store
            assert not seen.observation["episode_start"][row, t]
            is_stored |= {pair} if store else set()
            is_last = e == task.episodes - 1
            assert seen.done[row, t - 1] == is_last
            assert not seen.done[row, : t - 1].any()
            if not is_last:
                assert seen.reward[row, t] == 0  # the pause
            t += 1
        assert len(is_stored) == task.pairs
    assert unfinished > 5


def check(seen, row, t, stimulus, context):
    shown = seen.observation["stimulus"][row, t]
    np.testing.assert_allclose(shown, np.broadcast_to(stimulus, shown.shape))
    np.testing.assert_array_equal(seen.observation["context"][row, t], context)


def test_every_pair_is_played_once_before_any_comes_back():
    task = EpisodicHarlow(pairs=4, exposures=3)
    pair = drawn(task, 1000).pair.reshape(-1, 3, 4)
    assert (np.sort(pair, axis=-1) == np.arange(4)).all()
    for block in range(3):
        check_rate(pair[:, block, 1] == 2, 1 / 4)
    check_rate(pair[:, 0, 0] == pair[:, 1, 0], 1 / 4)


def test_easy_pairs_come_back_whole_and_hard_ones_with_a_new_distractor(task):
    schedule = drawn(task, 500)
    is_hard = task.variant == "hard"
    for row in range(500):
        pair = schedule.pair[row]
        first, again = (np.argsort(pair[block]) for block in (slice(3), slice(3, 6)))
        again = again + 3  # the episodes of pair 0, 1, 2 in each half
        for same in (schedule.rewarded, schedule.code):
            np.testing.assert_array_equal(same[row, first], same[row, again])
        distractor = schedule.distractor[row]
        assert ((distractor[first] != distractor[again]) == is_hard).all()
        objects = {*schedule.rewarded[row], *distractor}
        assert len(objects) == (9 if is_hard else 6)
        assert len(set(schedule.code[row])) == 3
    ones = np.array([[int(x).bit_count() for x in row] for row in schedule.rewarded])
    assert (ones % 2 == 0).all()  # of the training set


def test_sides_are_balanced_in_every_episode():
    right = drawn(EpisodicHarlow(), 200).rewarded_right  # [B, E, T]
    assert (right.sum(axis=-1) == 3).all()
    check_rate(right[:, :, 0], 0.5)
    check_rate(right[:, :, 0] == right[:, :, 1], 2 / 5)
    check_rate(right[:, 0, 0] == right[:, 1, 0], 0.5)
    check_rate(drawn(EpisodicHarlow(), 200).gaze_right, 0.5)


def test_stored_after_a_later_exposure_if_the_first_taught_nothing():
    task = EpisodicHarlow(pairs=2, exposures=3)
    go = scanning(task, 20, seed=1, skill=1.0)

    def choose(step, state):
        idle = np.asarray(state.episode) < 2  # looks away from the cross and back
        away = np.asarray(state.gaze.cell) == 3
        return np.where(idle, away, go(step, state))

    seen = roll_out(task, 20, seed=4, choose=choose)
    episode = np.cumsum(seen.observation["episode_start"], axis=1) - 1
    stored = [set(episode[row][seen.observation["store"][row]]) for row in range(20)]
    assert stored == [{2, 3}] * 20


def test_storing_step_has_seen_the_last_outcome():
    task = EpisodicHarlow(pairs=3)
    lifetimes = play(task, "optimal", 50, seed=1)
    store = lifetimes.observation["store"]
    assert store.sum() == 50 * 3
    assert (lifetimes.observation["previous_reward"][store] == 1).all()
    before = np.cumsum(np.abs(lifetimes.reward) == 1, axis=1) - (
        np.abs(lifetimes.reward) == 1
    )
    assert (before[store] % task.trials == 0).all()


@pytest.mark.parametrize(
    "variant", ["easy", pytest.param("hard", marks=pytest.mark.slow)]
)
def test_players_earn_their_closed_forms(variant):
    task = EpisodicHarlow(pairs=5, variant=variant)  # 10 episodes
    n = 400
    found = {
        name: play(task, name, n, seed=1)
        for name in ("incremental", "optimal", "oracle")
    }
    check_mean(found["incremental"].reward.sum(axis=1), 10 * 6.2)
    check_mean(found["optimal"].reward.sum(axis=1), 5 * 6.2 + 5 * 7.2)
    returns = found["oracle"].reward.sum(axis=1)
    np.testing.assert_allclose(returns, 10 * 7.2, rtol=1e-6)
    for name, lifetimes in found.items():
        assert (lifetimes.valid.sum(axis=1) == 10 * 36 + 9).all(), name
        choice = lifetimes.reward[np.abs(lifetimes.reward) == 1]
        right = choice.reshape(n, 10, 6) == 1
        assert right[:, :, 1:].all(), name
        if name != "oracle":
            check_rate(right[:, :5, 0], 0.5)
    again = {
        name: (x.reward[np.abs(x.reward) == 1].reshape(n, 10, 6) == 1)[:, 5:, 0]
        for name, x in found.items()
    }
    check_rate(again["incremental"], 0.5)
    assert again["optimal"].all()


def test_without_a_second_exposure_memory_is_of_no_use():
    task = EpisodicHarlow(pairs=4, exposures=1)
    check_mean(play(task, "optimal", 400, seed=2).reward.sum(axis=1), 4 * 6.2)


def test_who_never_fixates_lives_as_long_as_can_be_and_stores_nothing():
    task = EpisodicHarlow(**SMALL)

    def back_and_forth(step, state):  # 1, 2, 1, ... or 4, 3, 4, ...; the cross is at 0
        return np.isin(state.gaze.cell, [1, 3])

    seen = roll_out(task, 3, seed=1, choose=back_and_forth)
    assert task.lifetime_steps == 4 * 8 - 1
    assert (seen.done.argmax(axis=1) == 4 * 8 - 2).all()
    assert not seen.reward.any()
    assert not seen.observation["store"].any()
    assert not seen.observation["context"].any()


def test_counts_of_a_lifetime():
    task = EpisodicHarlow(**SMALL, exposures=3)
    assert task.episodes == 6
    assert task.lifetime_steps == 6 * 8 - 1
    assert task.trials_per_lifetime == 12
    assert task.contexts_per_lifetime == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pairs": 0}, r"pairs 0"),
        ({"exposures": 0}, r"exposures 0"),
        ({"variant": "harder"}, r"variant 'harder': .* easy or hard"),
        ({"context_size": 3}, r"context_size 3: .* 10 distinct contexts"),
        ({"pairs": 65}, r"object_bits 8: .* 130 distinct objects .* use 9 to 16"),
        ({"pairs": 45, "variant": "hard"}, r"object_bits 8: .* 135 distinct objects"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(UserError, match=message):
        EpisodicHarlow(**parameters)
