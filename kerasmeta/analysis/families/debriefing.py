"""Reading the last step of tasks that tell there what was hidden before.

The stimulus of a trial is (1, 0, 0), and that of the debriefing (0, 1, 0) for condition
0 or (0, 0, 1) for condition 1 (`kerasmeta.tasks.bandits.debriefing`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes


class Debriefed(NamedTuple):
    """What a debriefing tells of `B` lifetimes."""

    trials: np.ndarray  # [B, T] bool, the step is a trial
    condition: np.ndarray  # [B] bool, condition 1


def debriefed(lifetimes: Lifetimes) -> Debriefed:
    """Which steps are trials, and each lifetime's condition.

    Raises:
        UserError: The lifetimes are of another task, or have no debriefing.
    """
    stimulus = lifetimes.observation["stimulus"]
    if stimulus.ndim != 3 or stimulus.shape[2] != 3 or lifetimes.action.ndim != 2:
        raise UserError(
            "stimulus",
            stimulus.shape,
            "a task with a debriefing shows [B, T, 3]",
            "pass the lifetimes together with the task they were recorded on",
        )
    told = (stimulus[:, :, 1:] > 0.5) & lifetimes.valid[:, :, None]  # [B, T, 2]
    if not told.any(axis=(1, 2)).all():
        raise UserError(
            "lifetimes",
            lifetimes.valid.shape,
            "a lifetime has no debriefing",
            "record whole lifetimes",
        )
    return Debriefed(
        trials=lifetimes.valid & (stimulus[:, :, 0] > 0.5),
        condition=told[:, :, 1].any(axis=1),
    )
