"""What the bandit measures: reward early and late, staying with an arm, regret.

Regret is counted by the hidden chances, which evaluations keep beside what the agent
saw (`Lifetimes.hidden`), and not by what the arms happened to pay: counted by the
latter, its mean would be the same and its standard deviation ten times larger.
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.estimates import (
    Counts,
    Estimate,
    mean_over_lifetimes,
    proportion,
    ratio,
)
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

FEW = 10  # trials at either end of a lifetime


def bandit_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`reward_per_trial`, that of the first and last ten trials, and `stay_*`.

    `stay_rewarded` and `stay_unrewarded` are the chances of the last trial's arm to be
    chosen again after a reward and after none (win-stay, and its failure).
    `cumulative_regret` is there where the lifetimes' chances were kept.

    Raises:
        UserError: The lifetimes are of another task.
    """
    _check(lifetimes)
    valid = lifetimes.valid
    done = np.cumsum(valid, axis=1)  # [B, T], trials up to and with this one
    left = done[:, -1:] - done
    return {
        "reward_per_trial": _reward(lifetimes, valid),
        "reward_first_10_trials": _reward(lifetimes, valid & (done <= FEW)),
        "reward_last_10_trials": _reward(lifetimes, valid & (left < FEW)),
        "stay_rewarded": proportion(_stays(lifetimes, rewarded=True)),
        "stay_unrewarded": proportion(_stays(lifetimes, rewarded=False)),
        **_regret(lifetimes),
    }


def _regret(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """The best arm's chance minus the chosen arm's, summed over a lifetime's trials."""
    if not lifetimes.hidden:
        return {}
    chances = lifetimes.hidden["chances"]  # [B, T, arms]
    chosen = np.take_along_axis(chances, lifetimes.action[..., None], axis=-1)[..., 0]
    missed = np.where(lifetimes.valid, chances.max(axis=-1) - chosen, 0.0)
    return {"cumulative_regret": mean_over_lifetimes(missed.sum(axis=1))}


def _reward(lifetimes: Lifetimes, which: np.ndarray) -> Estimate:
    """Mean reward of the trials in `which`, `[B, T]` bool."""
    return ratio(np.where(which, lifetimes.reward, 0).sum(axis=1), which.sum(axis=1))


def _stays(lifetimes: Lifetimes, rewarded: bool) -> Counts:
    """Repetitions of the last trial's arm, after a reward or after none."""
    action, valid = lifetimes.action, lifetimes.valid
    counted = valid[:, :-1] & valid[:, 1:]  # [B, T - 1]
    counted = counted & ((_outcomes(lifetimes) > 0) == rewarded)
    stays = counted & (action[:, 1:] == action[:, :-1])
    return Counts(successes=stays.sum(axis=1), trials=counted.sum(axis=1))


def _outcomes(lifetimes: Lifetimes) -> np.ndarray:
    """What all trials but the last had as outcome, `[B, T - 1]`.

    It is the reward, unless learners are paid something else than agents are shown.
    """
    shown = lifetimes.observation.get("previous_reward")
    return lifetimes.reward[:, :-1] if shown is None else shown[:, 1:]


def _check(lifetimes: Lifetimes) -> None:
    shown = lifetimes.observation["stimulus"]
    if lifetimes.action.ndim != 2 or shown.ndim != 3 or shown.shape[2] != 1:
        raise UserError(
            "stimulus",
            shown.shape,
            "a bandit has one choice a trial and shows [B, T, 1]",
            "pass the lifetimes together with the task they were recorded on",
        )
