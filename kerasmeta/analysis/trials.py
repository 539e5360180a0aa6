"""From recorded steps to trials: what was chosen, reached, paid and cued.

Everything is read from what the agent itself saw. Where a trial is one step, its
second-stage state is shown by the stimulus of the step after it, so that of a
lifetime's last trial is not visible; a cue is traced back to its past trial by its
context. Where the agent also chooses at the second stage, a trial is two steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

NOT_VISIBLE = -1
NO_TRIAL = -1
NO_CHOICE = -1


class Trials(NamedTuple):
    """Two-step behaviour of `B` lifetimes, one column per recorded step (`[B, T]`).

    A step that is no trial (the pause before the cued half, padding) keeps its column,
    with `valid` false, so that neighbours in time are neighbours here. Trials of two
    steps have one column each.
    """

    valid: np.ndarray  # bool, this step is a trial
    action: np.ndarray  # int, 0 or 1, the first choice where there are two
    state: np.ndarray  # int, second-stage state 0 (S1) or 1 (S2), else NOT_VISIBLE
    common: np.ndarray  # bool, the action commonly leads to that state
    reward: np.ndarray  # float
    cued: np.ndarray  # bool, an old context was shown
    cued_trial: np.ndarray  # int, column of the past trial the cue is from, or NO_TRIAL
    arm: np.ndarray  # int, the choice at the second stage, 0 or 1, or NO_CHOICE

    @property
    def visible(self) -> np.ndarray:
        """Trials whose outcome is known, `[B, T]` bool."""
        return self.valid & (self.state != NOT_VISIBLE)

    @property
    def rewarded(self) -> np.ndarray:
        """`[B, T]` bool."""
        return self.reward > 0

    def columns(self, which: slice) -> Trials:
        """A stretch of time of every lifetime."""
        return Trials(*(field[:, which] for field in self))


def two_step_trials(lifetimes: Lifetimes) -> Trials:
    """Trials of the two-step task (stimulus: none, S1, S2), all of them uncued."""
    stimulus = _check(lifetimes, stimulus_size=3)
    no_cue = np.zeros(lifetimes.valid.shape, bool)
    return _trials(lifetimes, stimulus, lifetimes.valid, cued=no_cue)


def episodic_two_step_trials(lifetimes: Lifetimes) -> Trials:
    """Trials of the contextual two-step task (stimulus: none, S1, S2, cue shown).

    The pause is the uncued step right before a cued one.
    """
    stimulus = _check(lifetimes, stimulus_size=4)
    cued = lifetimes.valid & (stimulus[:, :, 3] > 0)  # [B, T]
    pause = ~cued & _next_step(cued, fill=False)
    trials = _trials(lifetimes, stimulus, lifetimes.valid & ~pause, cued)
    return trials._replace(cued_trial=_cued_trial(lifetimes.observation, cued))


def drifting_two_step_trials(lifetimes: Lifetimes) -> Trials:
    """Trials of the drifting two-step task (stimulus: first stage, S1, S2, arms).

    Each is two steps: the choice of a state, and the choice of an arm there, which is
    what is paid. A trial that was not finished is not valid.
    """
    stimulus = _check(lifetimes, stimulus_size=7)
    end = stimulus.shape[1] // 2 * 2
    first, second = slice(0, end, 2), slice(1, end, 2)
    valid = lifetimes.valid[:, first] & lifetimes.valid[:, second]  # [B, T]
    reached = stimulus[:, second, :3].argmax(axis=2) - 1
    is_first = stimulus[:, first, 0] > 0.5
    if not (is_first & (reached >= 0))[valid].all():
        raise UserError(
            "stimulus",
            stimulus.shape,
            "first and second stage do not alternate",
            "pass the lifetimes together with the task they were recorded on",
        )
    return Trials(
        valid=valid,
        action=lifetimes.action[:, first],
        state=np.where(valid, reached, NOT_VISIBLE),
        common=valid & (reached == lifetimes.action[:, first]),
        reward=lifetimes.reward[:, second],
        cued=np.zeros(valid.shape, bool),
        cued_trial=np.full(valid.shape, NO_TRIAL),
        arm=np.where(valid, lifetimes.action[:, second], NO_CHOICE),
    )


def _trials(
    lifetimes: Lifetimes, stimulus: np.ndarray, valid: np.ndarray, cued: np.ndarray
) -> Trials:
    state = _state_reached(stimulus, lifetimes.valid)
    return Trials(
        valid=valid,
        action=lifetimes.action,
        state=state,
        common=state == lifetimes.action,  # action 0 commonly leads to S1, 1 to S2
        reward=lifetimes.reward,
        cued=cued,
        cued_trial=np.full(valid.shape, NO_TRIAL),
        arm=np.full(valid.shape, NO_CHOICE),
    )


def _state_reached(stimulus: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Second-stage state `[B, T]` of each step, read from the step after it."""
    shown = stimulus[:, :, 1:3] > 0.5  # [B, T, 2]
    last_state = np.where(
        shown.any(axis=2) & valid, shown.argmax(axis=2), NOT_VISIBLE
    )  # [B, T], of the step before
    return _next_step(last_state, fill=NOT_VISIBLE)


def _next_step(values: np.ndarray, fill: Any) -> np.ndarray:
    """Every step's successor's value, `[B, T]`."""
    following = np.full_like(values, fill)
    following[:, :-1] = values[:, 1:]
    return following


def _cued_trial(observation: dict[str, np.ndarray], cued: np.ndarray) -> np.ndarray:
    """Column of the past trial `[B, T]` whose context each cue shows.

    A context is stored on the step after its trial. All stored steps of a lifetime
    come before its cues; should a context have been stored twice, the newest counts.
    """
    context = observation["context"]
    stored = observation["store"].astype(bool) & context.any(axis=2)  # [B, T]
    key = _lifetime_and_context(context)  # [B, T] int
    lifetime, column = np.nonzero(stored)
    order = np.argsort(key[lifetime, column], kind="stable")
    stored_key, stored_column = key[lifetime, column][order], column[order]
    slot = np.searchsorted(stored_key, key[cued], side="right") - 1
    if not len(stored_key):
        return np.full(cued.shape, NO_TRIAL)
    found = (slot >= 0) & (stored_key[slot] == key[cued])
    cued_trial = np.full(cued.shape, NO_TRIAL)
    cued_trial[cued] = np.where(found, stored_column[slot] - 1, NO_TRIAL)
    return cued_trial


def _lifetime_and_context(context: np.ndarray) -> np.ndarray:
    """A number `[B, T]` that two steps share if lifetime and context are the same."""
    batch_size, num_steps, size = context.shape
    rows = np.ascontiguousarray(context).reshape(-1, size) + 0.0  # -0.0 becomes 0.0
    as_bytes = rows.view(np.dtype((np.void, rows.itemsize * size)))[:, 0]
    distinct, number = np.unique(as_bytes, return_inverse=True)
    number = number.reshape(batch_size, num_steps)
    return number + len(distinct) * np.arange(batch_size)[:, np.newaxis]


def _check(lifetimes: Lifetimes, stimulus_size: int) -> np.ndarray:
    stimulus = lifetimes.observation["stimulus"]
    if stimulus.ndim != 3 or stimulus.shape[2] != stimulus_size:
        raise UserError(
            "stimulus",
            stimulus.shape,
            f"a two-step task of this family shows [B, T, {stimulus_size}]",
            "pass the lifetimes together with the task they were recorded on",
        )
    if not np.isin(lifetimes.action[lifetimes.valid], (0, 1)).all():
        raise UserError(
            "action",
            np.unique(lifetimes.action),
            "the two-step tasks have the actions 0 and 1 only",
            "pass the lifetimes together with the task they were recorded on",
        )
    return stimulus
