import numpy as np
import pytest
from harness.statistics import check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out

from kerasmeta.tasks.two_step.two_step import TwoStep

LIFETIMES = 1000


class TestContract(TaskContract):
    task = TwoStep(trials=4)


@pytest.fixture(scope="module", params=[{}, {"common": 0.6, "reversal": 0.3}])
def played(request):
    task = TwoStep(trials=50, high_reward=0.85, low_reward=0.2, **request.param)
    choose = random_actions(LIFETIMES, seed=1)
    return task, roll_out(task, LIFETIMES, seed=3, choose=choose)


def reached(played):
    """The state reached in each trial, `[B, T]`, as the agent sees it afterwards."""
    return played.observation["stimulus"][:, 1:].argmax(axis=-1) - 1


def test_transitions_are_common_with_the_chance_given(played):
    task, lifetimes = played
    for action in (0, 1):
        chosen = lifetimes.action == action
        check_rate((reached(lifetimes) == action)[chosen], task.common)


def test_rewards_have_the_chance_of_the_state_reached(played):
    task, lifetimes = played
    good = reached(lifetimes) == lifetimes.state.good[:, :-1]
    check_rate(lifetimes.reward[good] == 1, task.high_reward)
    check_rate(lifetimes.reward[~good] == 1, task.low_reward)
    assert set(np.unique(lifetimes.reward)) == {0.0, 1.0}


def test_contingency_reverses_at_every_trial_with_the_chance_given(played):
    task, lifetimes = played
    good = lifetimes.state.good
    reversed_ = good[:, 1:] != good[:, :-1]  # [B, T]
    check_rate(reversed_, task.reversal)
    check_rate(reversed_[:, 0], task.reversal)
    # Two reversals in a row are as frequent as if they were independent.
    check_rate((reversed_[:, 1:] & reversed_[:, :-1])[:, ::2], task.reversal**2)


def test_good_state_is_resampled_for_every_lifetime(played):
    _, lifetimes = played
    check_rate(lifetimes.state.good[:, 0], 0.5)


def test_draws_of_a_trial_are_independent(played):
    task, lifetimes = played
    common = reached(lifetimes) == lifetimes.action
    good = lifetimes.state.good
    reversed_ = good[:, 1:] != good[:, :-1]
    state_is_good = reached(lifetimes) == good[:, :-1]
    check_rate((lifetimes.reward == 1)[common & state_is_good], task.high_reward)
    check_rate(reversed_[common & state_is_good], task.reversal)
    check_rate(reversed_[lifetimes.reward == 1], task.reversal)


def test_observation_never_shows_a_context(played):
    _, lifetimes = played
    assert not lifetimes.observation["context"].any()
    assert not lifetimes.observation["store"].any()
    assert lifetimes.observation["episode_start"][:, 0].all()
    assert not lifetimes.observation["episode_start"][:, 1:].any()
    assert (lifetimes.observation["stimulus"][:, 0] == [1, 0, 0]).all()
    assert (lifetimes.observation["stimulus"].sum(axis=-1) == 1).all()


def test_certain_chances_leave_nothing_to_chance():
    task = TwoStep(trials=20, common=1, high_reward=1, low_reward=0, reversal=1)
    lifetimes = roll_out(task, 50, seed=0, choose=random_actions(50, seed=0))
    np.testing.assert_array_equal(reached(lifetimes), lifetimes.action)
    good = lifetimes.state.good
    np.testing.assert_array_equal(good[:, 1:], 1 - good[:, :-1])
    np.testing.assert_array_equal(lifetimes.reward, lifetimes.action == good[:, :-1])


def test_lifetime_ends_after_the_last_trial():
    task = TwoStep(trials=3)
    lifetimes = roll_out(task, 2, seed=0, choose=random_actions(2, seed=0))
    assert lifetimes.done.tolist() == [[False, False, True]] * 2
