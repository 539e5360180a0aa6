"""What the barcode bandit measures: reward by how often a context has been met.

The n-th exposure is the n-th episode with the same context in a lifetime. At its first
pull the agent knows nothing but what it remembers of the earlier ones (Ritter et al.
2018): the reward of that pull is the purest measure of its memory.
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.estimates import Counts, Estimate, proportion, ratio
from kerasmeta.analysis.exposures import exposures
from kerasmeta.lifetimes import Lifetimes


def barcode_bandit_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`reward_per_pull`, `reward_per_pull_exposure_<n>`, `first_pull_exposure_<n>`.

    n goes from 1 to the largest number of exposures in the record.

    Raises:
        UserError: The lifetimes are of another task.
    """
    exposure = exposures(lifetimes)  # [B, T]
    first = lifetimes.observation["episode_start"].astype(bool) & lifetimes.valid
    numbers = range(1, int(exposure.max()) + 1)
    return {
        "reward_per_pull": _reward(lifetimes, lifetimes.valid),
        **{
            f"reward_per_pull_exposure_{n}": _reward(lifetimes, exposure == n)
            for n in numbers
        },
        **{
            f"first_pull_exposure_{n}": proportion(
                _rewarded(lifetimes, first & (exposure == n))
            )
            for n in numbers
        },
    }


def _reward(lifetimes: Lifetimes, which: np.ndarray) -> Estimate:
    """Mean reward of the pulls in `which`, `[B, T]` bool."""
    return ratio(np.where(which, lifetimes.reward, 0).sum(axis=1), which.sum(axis=1))


def _rewarded(lifetimes: Lifetimes, which: np.ndarray) -> Counts:
    return Counts(
        successes=(which & (lifetimes.reward > 0)).sum(axis=1),
        trials=which.sum(axis=1),
    )
