"""Players of the contextual two-step task against theory and against brute force."""

import itertools

import numpy as np
import pytest
from harness import two_step_theory as theory
from harness.statistics import check_mean, check_rate, mean_interval

from kerasmeta.tasks.play import play
from kerasmeta.tasks.two_step.episodic import EpisodicTwoStep
from kerasmeta.tasks.two_step.players import BayesPlayer

TASK = EpisodicTwoStep()  # 50 + 50 trials, .9, .9, .1, .1
LIFETIMES = 2000


def rewards(task, player, lifetimes=LIFETIMES, seed=1):
    """Reward per uncued and per cued trial of each lifetime, each `[lifetimes]`."""
    reward = play(task, player, lifetimes, seed).reward
    uncued, cued = reward[:, : task.uncued_trials], reward[:, task.uncued_trials + 1 :]
    return uncued.mean(axis=1), cued.mean(axis=1)


def check_about(values, expected, tolerance):
    """The whole 99 % interval lies within `tolerance` of the stated value."""
    low, high = mean_interval(values)
    assert expected - tolerance <= low, (low, high)
    assert high <= expected + tolerance, (low, high)


def test_random_player_earns_one_half():
    uncued, cued = rewards(TASK, "random")
    check_mean(uncued, 0.5)
    check_mean(cued, 0.5)


@pytest.mark.parametrize("parameters", [{}, {"common": 0.8, "reversal": 0.025}])
def test_oracle_earns_its_closed_form(parameters):
    task = EpisodicTwoStep(**parameters)
    numbers = (task.common, task.high_reward, task.low_reward)
    uncued, cued = rewards(task, "oracle")
    check_mean(uncued, theory.oracle_reward(*numbers))
    expected = theory.episodic_oracle_cued_reward(50, 50, *numbers, task.reversal)
    check_mean(cued, expected)


@pytest.mark.parametrize(
    ("parameters", "cued_reward"),
    [({}, 0.80), ({"common": 0.8, "reversal": 0.025}, 0.75)],
)
def test_memory_earns_the_optimal_player_more_in_cued_trials(parameters, cued_reward):
    task = EpisodicTwoStep(**parameters)
    uncued, cued = rewards(task, "optimal", 8000)
    expected, _ = theory.bayes_optimal(50, task.common, 0.9, task.reversal)
    assert expected == pytest.approx(0.70, abs=0.005)
    check_mean(uncued, expected)
    check_about(cued, cued_reward, 0.005)


def test_without_memory_cued_trials_earn_no_more_than_uncued_ones():
    uncued, cued = rewards(TASK, "incremental", 8000)
    expected, _ = theory.bayes_optimal(50, TASK.common, 0.9, TASK.reversal)
    check_mean(uncued, expected)
    check_about(cued, 0.697, 0.005)


def test_who_takes_repeated_rewards_for_news_earns_less():
    # The plain filter is fooled by old rewards: the reason for `incremental`.
    _, naive = rewards(TASK, BayesPlayer(TASK), 8000)
    check_about(naive, 0.677, 0.005)


def test_memory_alone_earns_its_closed_form():
    # The good state is drawn anew in every trial: there is nothing to filter.
    task = EpisodicTwoStep(reversal=0.5)
    uncued, cued = rewards(task, "optimal")
    check_mean(uncued, 0.5)
    check_mean(cued, theory.memory_only_cued_reward(task.common))


def test_memory_helps_where_the_states_do_not_differ():
    task = EpisodicTwoStep(high_reward=0.5, low_reward=0.5)
    check_mean(rewards(task, "optimal")[1], theory.memory_only_cued_reward(0.9))
    check_mean(rewards(task, "oracle")[1], theory.memory_only_cued_reward(0.9))


def test_certain_task_is_solved_after_one_trial():
    task = EpisodicTwoStep(10, 6, common=1, high_reward=1, low_reward=0, reversal=0)
    reward = play(task, "optimal", 200, seed=4).reward
    reward = np.delete(reward, 10, axis=1)  # the pause
    assert (reward[:, 1:] == 1).all()


def recalled(lifetimes, task):
    """Past state and reward of each cued trial `[B, C]`, found by context."""
    U = task.uncued_trials
    context = lifetimes.observation["context"]
    fresh, cue = context[:, 1 : U + 1], context[:, U + 1 :]
    trial = (cue[:, :, None] == fresh[:, None]).all(axis=-1).argmax(axis=-1)
    reached = lifetimes.observation["stimulus"][:, 1 : U + 1, 1:3].argmax(axis=-1)
    past = (reached, lifetimes.reward[:, :U], lifetimes.action[:, :U])
    return (np.take_along_axis(part, trial, axis=1) for part in past)


def test_optimal_player_repeats_or_avoids_the_cued_trial_by_its_model():
    lifetimes = play(TASK, "optimal", 500, seed=6)
    reached, reward, action = recalled(lifetimes, TASK)
    repeat = lifetimes.action[:, TASK.uncued_trials + 1 :] == action
    for is_common, is_rewarded in itertools.product((True, False), repeat=2):
        of_kind = ((reached == action) == is_common) & ((reward == 1) == is_rewarded)
        expected = is_common == is_rewarded
        assert (repeat[of_kind] == expected).mean() > 0.99


BRUTE = EpisodicTwoStep(
    4, 4, common=0.7, high_reward=0.8, low_reward=0.3, reversal=0.15, context_size=5
)


@pytest.mark.parametrize("player", ["optimal", "incremental"])
def test_choice_is_the_brute_force_one(player):
    """Enumerates every history of the good state, and every cue it cannot tell."""
    lifetimes = play(BRUTE, player, 30, seed=5)
    stimulus = np.delete(lifetimes.observation["stimulus"], 5, axis=1)  # [B, 8, 4]
    after = lifetimes.observation["stimulus"][:, 1:, 1:3].argmax(axis=-1)  # no LAST
    reached = np.concatenate([after[:, :4], after[:, 5:]], axis=1)  # [B, 7]
    reward = np.delete(lifetimes.reward, 4, axis=1)
    action = np.delete(lifetimes.action, 4, axis=1)
    cue = cue_index(lifetimes) if player == "optimal" else None
    assert stimulus.shape[1] == reward.shape[1] == 8
    checked = 0
    for row, t in itertools.product(range(30), range(1, 8)):
        cues = None if cue is None else cue[row]
        value = expected_reward(reached[row], reward[row], t, cues)
        if abs(value[0] - value[1]) > 1e-4:
            assert action[row, t] == np.argmax(value), (row, t, value)
            checked += 1
    assert checked > 180


def cue_index(lifetimes):
    context = lifetimes.observation["context"]
    fresh, cue = context[:, 1:5], context[:, 5:]
    return (cue[:, :, None] == fresh[:, None]).all(axis=-1).argmax(axis=-1)  # [B, 4]


def expected_reward(reached, reward, t, cues):
    """Expected reward of each action in trial `t` (the pause is no trial).

    Sums over all good histories and, where `cues` is None, over all cue sequences.
    """
    num_cues = max(0, t - 4 + 1)
    halves = [(0, 1) if j < 2 else (2, 3) for j in range(num_cues)]
    sequences = itertools.product(*halves) if cues is None else [cues[:num_cues]]
    value = np.zeros(2)
    for sequence in sequences:
        for good in itertools.product((0, 1), repeat=t + 1):
            p = 0.5
            for before, now in itertools.pairwise(good):
                p *= BRUTE.reversal if before != now else 1 - BRUTE.reversal
            for k in range(t):
                chance = reward_chance(
                    reached[k], good[k], k, sequence, reached, reward
                )
                p *= chance if reward[k] else 1 - chance
            for action, state in itertools.product((0, 1), repeat=2):
                to_state = BRUTE.common if action == state else 1 - BRUTE.common
                chance = reward_chance(state, good[t], t, sequence, reached, reward)
                value[action] += p * to_state * chance
    return value


def reward_chance(state, good, t, cues, reached, reward):
    """P(reward in trial `t` | state reached, good state, cues)."""
    if t >= 4 and reached[cues[t - 4]] == state:
        return float(reward[cues[t - 4]])
    return BRUTE.high_reward if state == good else BRUTE.low_reward


def test_a_trial_is_cued_without_its_context_being_fresh_again():
    lifetimes = play(TASK, "random", 50, seed=9)
    assert lifetimes.observation["store"].sum(axis=1).tolist() == [50] * 50
    check_rate(lifetimes.reward[:, :50], 0.5)
