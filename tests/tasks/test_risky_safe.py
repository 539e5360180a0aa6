"""The risky and the safe lever, false rewards, and optimal stopping."""

import dataclasses
import functools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate, mean_interval
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out

from kerasmeta import UserError, tasks
from kerasmeta.environments import TaskEnvironment
from kerasmeta.tasks.bandits.risky_safe import PERTURBATIONS, RiskySafe
from kerasmeta.tasks.bandits.risky_safe_players import thresholds
from kerasmeta.tasks.play import play

LIFETIMES = 2000


class TestContract(TaskContract):
    task = RiskySafe(trials=3)


TASK = RiskySafe(trials=30, low_chance=0.2)


@pytest.fixture(scope="module")
def played():
    return roll_out(TASK, LIFETIMES, seed=3, choose=random_actions(LIFETIMES, seed=1))


def test_levers_and_chances_are_coins_that_stay(played):
    for coin in (played.state.risky, played.state.favourable):
        assert (coin == coin[:, :1]).all()
        check_rate(coin[:, 0] == 1, 0.5)
    check_rate((played.state.risky == played.state.favourable)[:, 0], 0.5)


def test_levers_pay_as_they_should(played):
    reward = played.reward[:, :30]
    risky = played.action[:, :30] == played.state.risky[:, :30]
    favourable = played.state.favourable[:, :30] == 1
    assert (reward[~risky] == 1).all()
    assert set(np.unique(reward[risky])) == {0.0, 4.0}
    check_rate(reward[risky & ~favourable] > 0, 0.2)
    check_rate(reward[risky & favourable] > 0, 0.5)


def test_debriefing_comes_last_tells_the_chance_and_pays_nothing(played):
    stimulus = played.observation["stimulus"]
    assert (stimulus[:, :30] == [1, 0, 0]).all()
    favourable = played.state.favourable[:, 0]
    np.testing.assert_array_equal(stimulus[:, 30], np.eye(3)[1 + favourable])
    assert not played.reward[:, 30].any()
    assert played.done[:, 30].all()
    assert not played.done[:, :30].any()


def test_hidden_variables_are_the_state_s(played):
    state = type(played.state)(*(leaf[:, 7] for leaf in played.state))
    found = TASK.hidden_variables(state)
    assert (found["risky_lever"] == state.risky).all()
    assert (found["favourable"] == state.favourable).all()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("trials", 0),
        ("low_chance", 1.2),
        ("high_chance", -1),
        ("safe_reward", 2.0),
        ("safe_reward", 0.5),
        ("perturbation", "lesion"),
    ],
)
def test_bad_values_are_refused_by_name(parameter, value):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("risky_safe", **{parameter: value})
    assert error.value.argument == parameter


# Perturbations

TOLD = {  # what (risky and paid, risky and not, safe) is told as
    "none": (4.0, 0.0, 1.0),
    "block_risky_reward": (0.0, 0.0, 1.0),
    "block_safe_reward": (4.0, 0.0, 0.0),
    "block_risky_loss": (4.0, 1.0, 1.0),
}


def lived(perturbation, steps=8, batch=200):
    """(reward, previous reward told) of random choices in an environment."""
    task = dataclasses.replace(TASK, trials=steps, perturbation=perturbation)
    environment = TaskEnvironment(task, batch, seed=4)
    generator = np.random.default_rng(0)
    time_steps = [environment.current_time_step()]
    for _ in range(steps + 1):
        action = generator.integers(2, size=batch).astype(np.int32)
        time_steps.append(environment.step(action))
    return [
        np.stack([part(step) for step in time_steps], axis=1)
        for part in (
            lambda step: step.reward,
            lambda step: step.observation["previous_reward"],
        )
    ]


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_perturbations_change_what_is_told_and_not_what_is_paid(perturbation):
    reward, told = lived(perturbation)
    np.testing.assert_array_equal(reward, lived("none")[0])
    trials, debriefing = slice(1, 9), 9
    for paid, expected in zip((4.0, 0.0, 1.0), TOLD[perturbation], strict=True):
        of_kind = reward[:, trials] == paid
        assert of_kind.sum() > 50
        assert (told[:, trials][of_kind] == expected).all()
    assert not told[:, 0].any()
    assert not told[:, debriefing].any()


def test_every_perturbation_is_tested():
    assert set(TOLD) == set(PERTURBATIONS)


@functools.cache
def played_by(player, perturbation="none"):
    task = dataclasses.replace(TASK, perturbation=perturbation)
    return play(task, player, LIFETIMES, seed=1)


SIGNS = {"block_risky_reward": -1, "block_safe_reward": 1, "block_risky_loss": 1}


@pytest.mark.parametrize("perturbation", SIGNS)
def test_a_learner_is_led_astray_in_the_published_direction(perturbation):
    check_shift("model_free", perturbation, SIGNS[perturbation])


def test_the_optimal_player_is_led_astray_by_what_it_cannot_see_through():
    """It knows what levers pay: to it a reward of 1 never is a risky lever's."""
    check_shift("optimal", "block_risky_reward", -1)


def check_shift(player, perturbation, sign):
    """The share of risky choices rises (+1) or falls (-1) with a perturbation."""
    plain, perturbed = (
        (played_by(player, which).reward[:, :30] != 1).mean(axis=1)
        for which in ("none", perturbation)
    )
    low, high = mean_interval(perturbed - plain)
    assert sign * low > 0
    assert sign * high > 0


def test_players_who_do_not_learn_are_not():
    plain = played_by("oracle")
    for perturbation in SIGNS:
        other = played_by("oracle", perturbation)
        np.testing.assert_array_equal(other.action, plain.action)
        np.testing.assert_array_equal(other.reward, plain.reward)


# Players


def reward_per_trial(player):
    return played_by(player).reward.sum(axis=1) / TASK.trials


def test_random_and_oracle_earn_their_closed_forms():
    check_mean(reward_per_trial("random"), (1 + (4 * 0.2 + 4 * 0.5) / 2) / 2)
    check_mean(reward_per_trial("oracle"), (1 + 4 * 0.5) / 2)


@functools.cache
def worth(left, belief):
    """The best expected reward of the trials left, and whether it is risky."""
    if left == 0:
        return 0.0, False
    chance = belief * 0.5 + (1 - belief) * 0.2
    won, lost = belief * 0.5 / chance, belief * 0.5 / (1 - chance)
    risky = chance * (4 + worth(left - 1, round(won, 12))[0])
    risky += (1 - chance) * worth(left - 1, round(lost, 12))[0]
    return max(risky, float(left)), risky > left


def test_optimal_player_earns_what_backward_induction_says():
    """In half of the lifetimes the first pull is the safe lever, by chance."""
    total = worth(30, 0.5)[0] / 2 + (1 + worth(29, 0.5)[0]) / 2
    check_mean(reward_per_trial("optimal"), total / 30)


def test_thresholds_are_those_of_backward_induction():
    found = thresholds(30, 1.0, 4.0, 0.2, 0.5)
    win, loss = np.log(0.5 / 0.2), np.log(0.5 / 0.8)
    for trial in (0, 3, 15, 29):
        for rewards in range(trial + 1):
            for losses in range(trial + 1 - rewards):
                log_odds = rewards * win + losses * loss
                belief = 1 / (1 + np.exp(-log_odds))
                expected = worth(30 - trial, round(belief, 12))[1]
                assert (log_odds > found[trial]) == expected


def test_players_are_ordered():
    means = [
        reward_per_trial(name).mean()
        for name in ("random", "model_free", "optimal", "oracle")
    ]
    assert means == sorted(means)
