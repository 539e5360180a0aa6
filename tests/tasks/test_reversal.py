"""The reversal task, step by step, and its players against closed forms."""

import functools

import numpy as np
import pytest
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import random_actions, roll_out

from kerasmeta import UserError, tasks
from kerasmeta.tasks.bandits.reversal import Reversal
from kerasmeta.tasks.play import play

LIFETIMES = 2000


class TestContract(TaskContract):
    task = Reversal(trials=3)


TASK = Reversal(trials=30, choice=0.4, reversal=0.1)


@pytest.fixture(scope="module")
def played():
    return roll_out(TASK, LIFETIMES, seed=3, choose=random_actions(LIFETIMES, seed=1))


def shown(played):
    """The targets of each trial's cue, bool `[B, trials, 2]`."""
    return played.observation["stimulus"][:, 1::2, 1:] > 0


def test_fixation_and_cue_take_turns(played):
    stimulus = played.observation["stimulus"]
    assert (stimulus[:, 0::2] == [1, 0, 0]).all()
    assert (stimulus[:, 1::2, 0] == 0).all()
    assert shown(played).any(axis=-1).all()
    assert not played.observation["store"].any()
    assert not played.observation["context"].any()
    assert played.observation["episode_start"].sum() == LIFETIMES
    assert played.done[:, -1].all()
    assert not played.done[:, :-1].any()


def test_targets_are_drawn_with_the_chances_given(played):
    targets = shown(played)
    both = targets.all(axis=-1)
    check_rate(both, TASK.choice)
    check_rate(targets[~both][:, 0], 0.5)
    good = played.state.good[:, 1:-1:2][~both]  # the draws are independent
    check_rate(targets[~both][:, 0] == (good == 0), 0.5)


def test_the_good_target_pays_where_it_is_shown_and_looked_at(played):
    action, reward = played.action[:, 1::2], played.reward[:, 1::2]
    good = played.state.good[:, 1:-1:2]
    visible = np.take_along_axis(shown(played), action[..., None], 2)[..., 0]
    np.testing.assert_array_equal(reward, visible & (action == good))
    assert not played.reward[:, 0::2].any()


def test_the_good_target_changes_between_trials_with_the_chance_given(played):
    good = played.state.good
    np.testing.assert_array_equal(good[:, 0::2][:, :-1], good[:, 1::2])
    reverses = good[:, 2::2] != good[:, 0:-2:2]
    check_rate(reverses, TASK.reversal)
    check_rate(good[:, 0] == 1, 0.5)
    check_rate((reverses[:, 1:] & reverses[:, :-1])[:, ::2], TASK.reversal**2)
    check_rate(reverses[played.reward[:, 1::2] == 1], TASK.reversal)


def test_hidden_variables_are_the_state_s(played):
    state = type(played.state)(*(leaf[:, 7] for leaf in played.state))
    assert (TASK.hidden_variables(state)["good_target"] == state.good).all()


@pytest.mark.parametrize(
    ("parameter", "value"), [("trials", 0), ("choice", 1.5), ("reversal", -0.1)]
)
def test_bad_values_are_refused_by_name(parameter, value):
    with pytest.raises(UserError, match=f"^{parameter} ") as error:
        tasks.make("reversal", **{parameter: value})
    assert error.value.argument == parameter


# Players


@functools.cache
def played_by(player):
    return play(TASK, player, LIFETIMES, seed=1)


def reward_per_trial(player):
    return played_by(player).reward.sum(axis=1) / TASK.trials


def test_random_optimal_and_oracle_earn_their_closed_forms():
    forced, choice = 1 - TASK.choice, TASK.choice
    check_mean(reward_per_trial("random"), forced / 4 + choice / 2)
    check_mean(reward_per_trial("oracle"), forced / 2 + choice)
    # The last outcome tells the good target, but for a reversal since.
    known = (0.5 + (TASK.trials - 1) * (1 - TASK.reversal)) / TASK.trials
    check_mean(reward_per_trial("optimal"), forced / 2 + choice * known)


def test_experience_alone_earns_what_enumeration_says():
    """Each target's last own outcome as a Markov chain of (good, value, value)."""
    forced, choice, h = 1 - TASK.choice, TASK.choice, TASK.reversal
    chain = {(0, None, None): 0.5, (1, None, None): 0.5}
    total = 0.0
    for _ in range(TASK.trials):
        after = dict.fromkeys(chain, 0.0)
        for (good, *values), p in chain.items():
            worth = [0.5 if v is None else v for v in values]
            best = 0.5 if worth[0] == worth[1] else float(worth[1] > worth[0])
            looks = {0: forced / 2 + choice * (1 - best), 1: forced / 2 + choice * best}
            for target, q in looks.items():
                paid = int(target == good)
                total += p * q * paid
                new = list(values)
                new[target] = paid
                for later, r in ((good, 1 - h), (1 - good, h)):
                    key = (later, *new)
                    after[key] = after.get(key, 0.0) + p * q * r
        chain = after
    check_mean(reward_per_trial("model_free"), total / TASK.trials)


def test_players_look_at_what_is_shown_alone():
    for player in ("model_free", "optimal", "oracle"):
        lifetimes = played_by(player)
        targets = lifetimes.observation["stimulus"][:, 1::2, 1:] > 0
        alone = ~targets.all(axis=-1)
        looked_at = lifetimes.action[:, 1::2]
        np.testing.assert_array_equal(
            looked_at[alone], targets[alone].argmax(axis=-1), err_msg=player
        )
