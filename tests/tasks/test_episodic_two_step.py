import numpy as np
import pytest
from harness.statistics import check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out

from kerasmeta.tasks.two_step.episodic import EpisodicTwoStep

LIFETIMES = 1000
U, C = 10, 8


class TestContract(TaskContract):
    task = EpisodicTwoStep(uncued_trials=3, cued_trials=2, context_size=4)


@pytest.fixture(scope="module")
def task():
    return EpisodicTwoStep(U, C, common=0.8, high_reward=0.85, low_reward=0.2)


@pytest.fixture(scope="module")
def lifetimes(task):
    return roll_out(task, LIFETIMES, seed=4, choose=random_actions(LIFETIMES, seed=1))


@pytest.fixture(scope="module")
def outcome(lifetimes):
    """What the agent sees of each step, `[B, T]`: state reached (-1: none), reward."""
    stimulus = lifetimes.observation["stimulus"][:, 1:, :3]
    return stimulus.argmax(axis=-1) - 1, lifetimes.reward


@pytest.fixture(scope="module")
def cued_trial(lifetimes):
    """The uncued trial of each cue, `[B, C]`, found by its context alone."""
    context = lifetimes.observation["context"]
    fresh, cue = context[:, 1 : U + 1], context[:, U + 1 : U + 1 + C]
    match = (cue[:, :, None] == fresh[:, None]).all(axis=-1)  # [B, C, U]
    assert (match.sum(axis=-1) == 1).all(), "a cue is one uncued trial's context"
    return match.argmax(axis=-1)


def past(outcome, cued_trial):
    """State and reward of the cued past trials, `[B, C]`."""
    return (np.take_along_axis(part[:, :U], cued_trial, axis=1) for part in outcome)


def test_lifetime_is_uncued_trials_a_pause_and_cued_trials(task, lifetimes):
    seen = lifetimes.observation
    index = np.arange(U + 1 + C + 1)
    is_fresh = (index >= 1) & (index <= U)
    is_cue = (index > U) & (index <= U + C)
    assert task.lifetime_steps == U + 1 + C
    assert task.contexts_per_lifetime == U
    assert (seen["store"] == is_fresh).all()
    assert (seen["stimulus"][..., 3] == is_cue).all()
    assert ((seen["context"] != 0).all(axis=-1) == (is_fresh | is_cue)).all()
    assert ((seen["context"] != 0).any(axis=-1) == (is_fresh | is_cue)).all()
    assert (seen["episode_start"] == (index == 0)).all()
    assert (lifetimes.done == (index[1:] == U + 1 + C)).all()


def test_contexts_are_distinct_within_a_lifetime_and_new_in_the_next(lifetimes):
    fresh = lifetimes.observation["context"][:, 1 : U + 1]
    assert set(np.unique(fresh)) == {-1.0, 1.0}
    assert all(len(np.unique(row, axis=0)) == U for row in fresh)
    assert len(np.unique(fresh[:, 0], axis=0)) > 0.99 * LIFETIMES


def test_pause_has_no_outcome_and_no_reversal(lifetimes, outcome):
    reached, reward = outcome
    assert (reached[:, U] == -1).all()
    assert (reward[:, U] == 0).all()
    assert (np.delete(reached, U, axis=1) >= 0).all()
    good = lifetimes.state.good
    np.testing.assert_array_equal(good[:, U], good[:, U + 1])


def test_pause_shows_the_outcome_of_the_last_uncued_trial(lifetimes, outcome):
    shown = lifetimes.observation["stimulus"][:, U, 1:3]
    np.testing.assert_array_equal(shown.argmax(axis=-1), outcome[0][:, U - 1])
    assert (shown.sum(axis=-1) == 1).all()


def test_cues_are_uniform_in_the_same_half(cued_trial):
    first, second = cued_trial[:, : C // 2], cued_trial[:, C // 2 :]
    assert first.max() < U // 2 <= second.min()
    for trial in range(U // 2):
        check_rate(first == trial, 2 / U)
        check_rate(second == U // 2 + trial, 2 / U)
    # With replacement: two cues of a half are equal as often as by chance.
    check_rate(first[:, 0] == first[:, 1], 2 / U)


def test_old_reward_is_repeated_exactly_where_the_old_state_is_reached(
    outcome, cued_trial
):
    past_reached, past_reward = past(outcome, cued_trial)
    reached, reward = (part[:, U + 1 :] for part in outcome)
    same = reached == past_reached
    np.testing.assert_array_equal(reward[same], past_reward[same])
    check_rate(same, 0.5)


def test_reward_is_a_fresh_draw_where_the_other_state_is_reached(
    task, lifetimes, outcome, cued_trial
):
    past_reached, past_reward = past(outcome, cued_trial)
    reached, reward = (part[:, U + 1 :] for part in outcome)
    other = reached != past_reached
    good = reached == lifetimes.state.good[:, U + 1 : -1]
    check_rate(reward[other & good] == 1, task.high_reward)
    check_rate(reward[other & ~good] == 1, task.low_reward)
    rewarded = past_reward == 1
    check_rate(reward[other & good & rewarded] == 1, task.high_reward)


def test_uncued_trials_follow_the_two_step_rules(task, lifetimes, outcome):
    reached, reward = (part[:, :U] for part in outcome)
    good = reached == lifetimes.state.good[:, :U]
    check_rate(reward[good] == 1, task.high_reward)
    check_rate(reward[~good] == 1, task.low_reward)


def test_transitions_are_common_with_the_chance_given(task, lifetimes, outcome):
    same = outcome[0] == lifetimes.action
    check_rate(same[:, :U], task.common)
    check_rate(same[:, U + 1 :], task.common)


def test_contingency_reverses_at_every_trial_with_the_chance_given(task, lifetimes):
    good = lifetimes.state.good
    reversed_ = good[:, 1:] != good[:, :-1]
    check_rate(reversed_[:, :U], task.reversal)
    check_rate(reversed_[:, U + 1 :], task.reversal)
    check_rate(good[:, 0], 0.5)


def test_draws_of_a_trial_are_independent(task, lifetimes, outcome, cued_trial):
    reached, reward = outcome
    good = lifetimes.state.good
    reversed_ = good[:, 1:] != good[:, :-1]
    common = reached == lifetimes.action
    state_is_good = reached == good[:, :-1]
    uncued = np.arange(U + 1 + C) < U
    rewarded = reward == 1
    check_rate(rewarded[uncued & common & state_is_good], task.high_reward)
    check_rate(rewarded[uncued & ~common & state_is_good], task.high_reward)
    check_rate(reversed_[uncued & rewarded & state_is_good], task.reversal)
    check_rate(reversed_[uncued & common], task.reversal)
    # The cue of the next trial is drawn apart from the outcome of the last.
    late = cued_trial[:, 1 : C // 2] == 0
    check_rate(late[rewarded[:, U + 1 : U + C // 2]], 2 / U)
    check_rate(late[common[:, U + 1 : U + C // 2]], 2 / U)


def test_smallest_and_uneven_tasks_keep_every_trial_in_reach():
    task = EpisodicTwoStep(uncued_trials=3, cued_trials=3, context_size=2)
    lifetimes = roll_out(task, 300, seed=0, choose=random_actions(300, seed=0))
    cued = lifetimes.state.cued_trial[:, 4:7]
    assert set(np.unique(cued[:, 0])) == {0}
    assert set(np.unique(cued[:, 1:])) == {1, 2}
    assert (lifetimes.state.cued_trial[:, [0, 1, 2, 3, 7]] == -1).all()
