"""The volatile bandit against its chances, closed forms and an exact filter."""

import functools
import itertools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out

from kerasmeta import UserError, tasks
from kerasmeta.tasks.bandits.volatile_bandit import VolatileBandit
from kerasmeta.tasks.play import play

LIFETIMES = 2000


class TestContract(TaskContract):
    task = VolatileBandit(block_trials=2)


TASK = VolatileBandit(
    block_trials=30, stable_reward=0.7, volatile_reward=0.9, reversal=0.1
)


@pytest.fixture(scope="module")
def played():
    return roll_out(TASK, LIFETIMES, seed=3, choose=random_actions(LIFETIMES, seed=1))


def is_volatile(first_volatile, block=30):
    """Which trials are volatile, `[B, 2 block]`, from the blocks' order `[B]`."""
    first = np.repeat(first_volatile[:, None] == 1, block, axis=1)
    return np.concatenate([first, ~first], axis=1)


def test_order_and_good_arm_are_coins(played):
    first = played.state.first_volatile
    assert (first == first[:, :1]).all()
    check_rate(first[:, 0] == 1, 0.5)
    check_rate(played.state.good[:, 0] == 1, 0.5)
    check_rate((first[:, 0] == 1) & (played.state.good[:, 0] == 1), 0.25)


def test_rewards_have_the_chance_of_arm_and_block(played):
    volatile = is_volatile(played.state.first_volatile[:, 0])
    action, reward = played.action[:, :60], played.reward[:, :60]
    good = action == played.state.good[:, :60]
    for block, high in ((~volatile, 0.7), (volatile, 0.9)):
        check_rate(reward[block & good] == 1, high)
        check_rate(reward[block & ~good] == 1, 1 - high)


def test_arms_reverse_in_the_volatile_block_only(played):
    volatile = is_volatile(played.state.first_volatile[:, 0])
    good = played.state.good
    reversed_ = good[:, 1:61] != good[:, :60]
    assert not reversed_[~volatile].any()
    check_rate(reversed_[volatile], 0.1)
    both = volatile[:, :-1] & volatile[:, 1:]
    check_rate((reversed_[:, 1:] & reversed_[:, :-1])[both][::2], 0.1**2)
    check_rate(reversed_[volatile & (played.reward[:, :60] == 1)], 0.1)


def test_debriefing_comes_last_tells_the_order_and_pays_nothing(played):
    stimulus = played.observation["stimulus"]
    assert (stimulus[:, :60] == [1, 0, 0]).all()
    first = played.state.first_volatile[:, 0]
    np.testing.assert_array_equal(stimulus[:, 60], np.eye(3)[1 + first])
    assert not played.reward[:, 60].any()
    assert played.done[:, 60].all()
    assert not played.done[:, :60].any()


def test_hidden_variables_are_the_state_s(played):
    for step in (0, 29, 30, 59):
        state = type(played.state)(*(leaf[:, step] for leaf in played.state))
        found = TASK.hidden_variables(state)
        volatile = is_volatile(played.state.first_volatile[:, 0])[:, step]
        np.testing.assert_array_equal(found["volatile"], volatile)
        np.testing.assert_array_equal(found["good_arm"], state.good)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("block_trials", 0),
        ("stable_reward", 0.4),
        ("volatile_reward", 1.2),
        ("reversal", -0.1),
    ],
)
def test_bad_values_are_refused_by_name(parameter, value):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("volatile_bandit", **{parameter: value})
    assert error.value.argument == parameter


# Players


@functools.cache
def played_by(player, task=TASK):
    return play(task, player, LIFETIMES, seed=1)


def by_block(lifetimes, values, block=30):
    """The mean `[B]` of `[B, T]` in the stable and in the volatile block."""
    order = lifetimes.observation["stimulus"][:, -1].argmax(axis=-1) - 1
    volatile = is_volatile(order, block)
    trials = values[:, : 2 * block]
    return [np.where(w, trials, 0).sum(axis=1) / block for w in (~volatile, volatile)]


def test_random_and_oracle_earn_their_closed_forms():
    for player, expected in (("random", (0.5, 0.5)), ("oracle", (0.7, 0.9))):
        lifetimes = played_by(player)
        for found, chance in zip(
            by_block(lifetimes, lifetimes.reward), expected, strict=True
        ):
            check_mean(found, chance)


def filtered_reward(task):
    """The best expected reward per trial, over all sequences of outcomes.

    An outcome speaks for the first or for the second arm. All that was seen is the
    sequence of these, whose chance does not depend on the choices.
    """
    block, total = task.block_trials, 0.0
    for outcomes in itertools.product((0, 1), repeat=2 * block):
        joint = np.full((2, 2), 0.25)  # P(order, good arm, outcomes so far)
        for t, favoured in enumerate(outcomes):
            volatile = np.array([t >= block, t < block])  # by order
            high = np.where(volatile, task.volatile_reward, task.stable_reward)
            pays = np.stack([1 - high, high], axis=1)  # of the second arm, [order, arm]
            second = (joint * pays).sum()
            # Sequences that only differ later on share this trial.
            share = 0.5 ** (2 * block - t)
            total += share * max(second, joint.sum() - second)
            joint = joint * (pays if favoured else 1 - pays)
            reversal = np.where(volatile, task.reversal, 0)[:, None]
            joint = joint * (1 - reversal) + joint[:, ::-1] * reversal
    return total / (2 * block)


def test_optimal_player_earns_what_enumeration_says():
    task = VolatileBandit(
        block_trials=4, stable_reward=0.7, volatile_reward=0.9, reversal=0.3
    )
    lifetimes = play(task, "optimal", 20_000, seed=2)
    check_mean(lifetimes.reward.sum(axis=1) / 8, filtered_reward(task))


def test_model_free_player_learns_at_one_rate():
    lifetimes = played_by("model_free")
    value, surplus, chances = np.full(LIFETIMES, 0.5), [], []
    for t in range(60):
        action = lifetimes.action[:, t]
        chance = 1 / (1 + np.exp(-10 * (value - 0.5)))
        surplus.append((action == 1) - chance)
        chances.append(chance)
        favoured = np.where(lifetimes.reward[:, t] == 1, action, 1 - action)
        value += 0.15 * (favoured - value)
    check_mean(np.mean(surplus, axis=0), 0.0)
    check_mean(np.mean(np.array(surplus) * np.array(chances), axis=0), 0.0)


def test_players_are_ordered():
    task = VolatileBandit()
    means = [
        played_by(name, task).reward.sum()
        for name in ("random", "model_free", "optimal", "oracle")
    ]
    assert means == sorted(means)
