"""Players of the two-step task against theory and against brute force."""

import itertools

import numpy as np
import pytest
from harness import two_step_theory as theory
from harness.statistics import check_mean, check_rate, mean_interval

from kerasmeta.tasks.play import play
from kerasmeta.tasks.two_step.two_step import TwoStep

TASK = TwoStep()  # 100 trials, .8, .9, .1, .025
LIFETIMES = 4000


@pytest.fixture(scope="module")
def rewards():
    """Reward per trial of each lifetime, `[LIFETIMES]`, by player."""
    return {
        name: play(TASK, name, LIFETIMES, seed=1).reward.mean(axis=1)
        for name in TASK.players()
    }


@pytest.fixture(scope="module")
def optimal():
    return play(TASK, "optimal", LIFETIMES, seed=2)


def test_random_player_earns_the_mean_of_the_two_chances():
    check_rate(play(TASK, "random", LIFETIMES, seed=1).reward, 0.5)


def test_oracle_earns_its_closed_form():
    expected = theory.oracle_reward(0.8, 0.9, 0.1)
    assert expected == pytest.approx(0.74)
    check_rate(play(TASK, "oracle", LIFETIMES, seed=1).reward, expected)


def test_optimal_player_earns_what_theory_says(rewards):
    expected, _ = theory.bayes_optimal(100, 0.8, 0.9, 0.025)
    assert expected == pytest.approx(0.706, abs=0.001)
    check_mean(rewards["optimal"], expected)


def test_model_free_player_earns_what_theory_says(rewards):
    expected = theory.model_free_reward(100, 0.8, 0.9, 0.1, 0.025)
    coarser = theory.model_free_reward(100, 0.8, 0.9, 0.1, 0.025, cells=128)
    assert expected == pytest.approx(coarser, abs=1e-3)
    assert expected == pytest.approx(0.654, abs=0.005)
    check_mean(rewards["model_free"], expected)


def test_players_are_ordered(rewards):
    intervals = [
        mean_interval(rewards[name])
        for name in ("random", "model_free", "optimal", "oracle")
    ]
    for (_, worse), (better, _) in itertools.pairwise(intervals):
        assert worse < better


def trials(lifetimes):
    """(common, rewarded, stay), each `[B, T - 1]`."""
    stimulus = lifetimes.observation["stimulus"][:, 1:]
    reached = stimulus[..., 1:].argmax(axis=-1)
    action = lifetimes.action
    return (
        reached == action[:, :-1],
        lifetimes.reward[:, :-1] == 1,
        action[:, 1:] == action[:, :-1],
    )


def test_optimal_player_always_stays_on_evidence_for_its_choice(optimal):
    common, rewarded, stay = trials(optimal)
    assert stay[common == rewarded].all()


@pytest.mark.parametrize("is_common", [True, False])
def test_optimal_player_stays_on_evidence_against_as_often_as_theory_says(
    optimal, is_common
):
    _, expected = theory.bayes_optimal(100, 0.8, 0.9, 0.025)
    assert expected == pytest.approx(0.665, abs=0.01)
    common, rewarded, stay = trials(optimal)
    against = (common == is_common) & (rewarded != is_common)
    excess = (against * (stay - expected)).sum(axis=1)  # a lifetime is one sample
    check_mean(excess, 0.0)


def test_model_free_player_follows_its_values_whatever_the_transition():
    lifetimes = play(TASK, "model_free", 50, seed=3)
    values = np.full([50, 2], 0.5)
    rows = np.arange(50)
    for t in range(TASK.trials):
        action = lifetimes.action[:, t]
        is_tie = np.abs(values[:, 0] - values[:, 1]) < 1e-6
        assert (is_tie | (action == values.argmax(axis=1))).all()
        values[rows, action] = (values[rows, action] + lifetimes.reward[:, t]) / 2


def test_optimal_choice_is_the_brute_force_one():
    """Enumerates every history of the good state: 2**trials of them."""
    task = TwoStep(6, common=0.7, high_reward=0.8, low_reward=0.3, reversal=0.15)
    lifetimes = play(task, "optimal", 40, seed=5)
    reached = lifetimes.observation["stimulus"][:, 1:, 1:].argmax(axis=-1)
    checked = 0
    for row in range(40):
        for t in range(1, task.trials):
            value = expected_reward(task, reached[row, :t], lifetimes.reward[row, :t])
            if abs(value[0] - value[1]) > 1e-4:
                assert lifetimes.action[row, t] == np.argmax(value)
                checked += 1
    assert checked > 150


def expected_reward(task, reached, reward):
    """Expected reward of each action after some trials, over all good histories."""
    past = len(reached)
    value = np.zeros(2)
    for good in itertools.product((0, 1), repeat=past + 1):
        p = 0.5
        for before, after in itertools.pairwise(good):
            p *= task.reversal if before != after else 1 - task.reversal
        for t in range(past):
            chance = task.high_reward if reached[t] == good[t] else task.low_reward
            p *= chance if reward[t] else 1 - chance
        for action in (0, 1):
            to_good = task.common if action == good[-1] else 1 - task.common
            value[action] += p * (
                to_good * task.high_reward + (1 - to_good) * task.low_reward
            )
    return value


def test_without_a_difference_between_the_states_nobody_can_do_better():
    task = TwoStep(20, high_reward=0.4, low_reward=0.4)
    for name in task.players():
        check_rate(play(task, name, 2000, seed=3).reward, 0.4)


@pytest.mark.parametrize("player", ["random", "model_free", "optimal", "oracle"])
def test_equal_actions_are_drawn_at_random(player):
    task = TwoStep(3, high_reward=0.4, low_reward=0.4)
    first = play(TwoStep(1), player, 2000, seed=3).action[:, 0]
    check_rate(first, 0.5)
    if player != "model_free":
        later = play(task, player, 2000, seed=3).action
        check_rate(later[:, 1:] == later[:, :-1], 0.5)


def test_certain_task_is_solved_after_one_trial():
    task = TwoStep(10, common=1.0, high_reward=1.0, low_reward=0.0, reversal=0.0)
    assert (play(task, "optimal", 200, seed=4).reward[:, 1:] == 1).all()


def test_rare_transitions_are_used_when_they_are_the_common_ones():
    # common below one half: action 0 leads to S2 more often.
    mirrored = TwoStep(common=0.2)
    check_rate(play(mirrored, "oracle", 1000, seed=1).reward, 0.74)
    expected, _ = theory.bayes_optimal(100, 0.8, 0.9, 0.025)
    check_mean(play(mirrored, "optimal", LIFETIMES, seed=1).reward.mean(1), expected)
