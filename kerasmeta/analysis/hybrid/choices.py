"""What a two-step learner is fitted to: choices, states and rewards, trial by trial."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.trials import (
    Trials,
    drifting_two_step_trials,
    two_step_trials,
)
from kerasmeta.lifetimes import Lifetimes


class Choices(NamedTuple):
    """`N` trials of `B` subjects, trial first: every array is `[N, B]`.

    Where the second stage has no choice, it has a single arm, number 0.
    """

    first: np.ndarray  # int, the first choice, 0 or 1
    state: np.ndarray  # int, the second-stage state, 0 or 1
    arm: np.ndarray  # int, the choice there
    reward: np.ndarray  # float
    counts: np.ndarray  # float, 1 for a trial that was lived, else 0
    teaches: np.ndarray  # float, 1 where state and reward are known, else 0
    previous: (
        np.ndarray
    )  # float, the last trial's first choice as +-1, 0: there is none
    arms: int  # of a second-stage state, 1 or 2

    @property
    def num_choices(self) -> np.ndarray:
        """How many choices each subject made, `[B]`."""
        return self.counts.sum(axis=0) * self.arms  # one arm leaves no choice

    def of_subjects(self, which: np.ndarray) -> Choices:
        """The choices of the subjects with these numbers."""
        names = [name for name in self._fields if name != "arms"]
        return self._replace(**{name: getattr(self, name)[:, which] for name in names})


def two_step_choices(lifetimes: Lifetimes) -> Choices:
    """Of the two-step task, whose second stage has no choice."""
    return _choices(two_step_trials(lifetimes), arms=1)


def drifting_two_step_choices(lifetimes: Lifetimes) -> Choices:
    """Of the drifting two-step task, with two arms in each second-stage state."""
    return _choices(drifting_two_step_trials(lifetimes), arms=2)


# By task family.
CHOICES = {
    "two_step": two_step_choices,
    "two_step_drift": drifting_two_step_choices,
}


def _choices(trials: Trials, arms: int) -> Choices:
    valid = trials.valid
    direction = np.where(valid, 2.0 * trials.action - 1.0, 0.0)  # [B, N]
    previous = np.zeros_like(direction)
    previous[:, 1:] = direction[:, :-1]
    return Choices(
        first=np.where(valid, trials.action, 0).T,
        state=np.where(trials.visible, trials.state, 0).T,
        arm=np.where(valid, np.maximum(trials.arm, 0), 0).T,
        reward=np.where(valid, trials.reward, 0.0).astype(np.float64).T,
        counts=valid.astype(np.float64).T,
        teaches=trials.visible.astype(np.float64).T,
        previous=previous.T,
        arms=arms,
    )
