"""What the Harlow tasks measure: accuracy by trial, and by exposure to a pair.

All is read from what the agent itself saw and earned. Only gazing at an object pays +1
or -1, so every such reward is a choice, and its sign tells whether it was right. The
n-th choice since an episode began is its trial n.

A trial that was not finished in time has no choice and counts in no accuracy: accuracy
is that of the choices made. How many were made is told by `choices_per_episode`, which
is 6 if none is missing; an agent that chooses seldom cannot hide there, nor in
`return`.

The n-th exposure to a pair is the n-th episode in which its context was seen and a
choice was made. (Whoever has not chosen has learned nothing to remember.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import (
    Counts,
    Estimate,
    mean_over_lifetimes,
    proportion,
    ratio,
)
from kerasmeta.analysis.exposures import rank_among_equals
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

TRIALS = 6  # of an episode that have a metric


class Choices(NamedTuple):
    """The `N` choices of all lifetimes, ordered by lifetime, then time."""

    lifetime: np.ndarray  # [N] int
    step: np.ndarray  # [N] int
    trial: np.ndarray  # [N] int, 1 for the first one of an episode
    correct: np.ndarray  # [N] bool

    def where(self, which: np.ndarray) -> Choices:
        """Some of the choices. which: `[N]` bool."""
        return Choices(*(field[which] for field in self))


def harlow_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`accuracy_trial_1` to `_6`, `return` and `choices_per_episode`."""
    batch_size = len(lifetimes.valid)
    choices = choices_made(lifetimes)
    accuracy = {
        f"accuracy_trial_{trial}": proportion(
            counts(choices.where(choices.trial == trial), batch_size)
        )
        for trial in range(1, TRIALS + 1)
    }
    paid = np.where(lifetimes.valid, lifetimes.reward, 0.0)
    starts = lifetimes.observation["episode_start"].astype(bool) & lifetimes.valid
    made = np.bincount(choices.lifetime, minlength=batch_size)
    return {
        **accuracy,
        "return": mean_over_lifetimes(paid.sum(axis=1)),
        "choices_per_episode": ratio(made, starts.sum(axis=1)),
    }


def episodic_harlow_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """As `harlow_metrics`, over all episodes, and `accuracy_trial_1_exposure_<n>`.

    `n` runs from 1 to the most exposures that any pair had.
    """
    choices = choices_made(lifetimes)
    first = choices.where(choices.trial == 1)
    exposure = exposures(lifetimes, first)
    by_exposure = {
        f"accuracy_trial_1_exposure_{n}": proportion(
            counts(first.where(exposure == n), len(lifetimes.valid))
        )
        for n in range(1, exposure.max(initial=0) + 1)
    }
    return {**harlow_metrics(lifetimes), **by_exposure}


def choices_made(lifetimes: Lifetimes) -> Choices:
    """Every reward of +1 or -1, with its trial number within its episode.

    Raises:
        UserError: A reward is larger than that: the lifetimes are of another task.
    """
    reward = np.where(lifetimes.valid, lifetimes.reward, 0.0)  # [B, T]
    if (np.abs(reward) > 1.0).any():
        raise UserError(
            "reward",
            float(np.abs(reward).max()),
            "a Harlow task pays +1 or -1 for an object and less for fixation",
            "pass the lifetimes together with the task they were recorded on",
        )
    is_choice = np.abs(reward) == 1.0
    made = np.cumsum(is_choice, axis=1)  # [B, T], choices so far in this lifetime
    start = lifetimes.observation["episode_start"].astype(bool)
    earlier = np.where(start, made - is_choice, 0)  # before the episode that begins
    trial = made - np.maximum.accumulate(earlier, axis=1)
    lifetime, step = np.nonzero(is_choice)
    return Choices(lifetime, step, trial[is_choice], reward[is_choice] > 0)


def exposures(lifetimes: Lifetimes, first: Choices) -> np.ndarray:
    """Which exposure to its pair each episode is, `[N]`, 1 for the first one.

    Args:
        lifetimes: The lifetimes.
        first: The first choice of every episode.
    """
    context = _context_of(lifetimes, first)  # [N, K]
    pair = np.column_stack([first.lifetime, context])
    _, number = np.unique(pair, axis=0, return_inverse=True)
    return rank_among_equals(number.ravel()) + 1


def counts(choices: Choices, batch_size: int) -> Counts:
    """Choices and right choices of each of the `B` lifetimes."""
    right = choices.lifetime[choices.correct]
    return Counts(
        successes=np.bincount(right, minlength=batch_size),
        trials=np.bincount(choices.lifetime, minlength=batch_size),
    )


def _context_of(lifetimes: Lifetimes, choices: Choices) -> np.ndarray:
    """The context that was shown last before each choice, `[N, K]`.

    It is of the same trial: no object can be reached before the pair appears, and the
    pair's context with it.
    """
    context = lifetimes.observation["context"]  # [B, T, K]
    steps = np.arange(context.shape[1])
    shown = np.where(context.any(axis=2), steps, -1)
    last = np.maximum.accumulate(shown, axis=1)[choices.lifetime, choices.step]
    if (last < 0).any():
        raise UserError(
            "context",
            context.shape,
            "a choice was made before any context was shown",
            "pass the lifetimes together with the task they were recorded on",
        )
    return context[choices.lifetime, last]
