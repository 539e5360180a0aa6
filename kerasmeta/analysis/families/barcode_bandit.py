"""What the barcode bandit measures: reward by how often a context has been met.

The n-th exposure is the n-th episode with the same context in a lifetime. At its first
pull the agent knows nothing but what it remembers of the earlier ones (Ritter et al.
2018): the reward of that pull is the purest measure of its memory.
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.estimates import Counts, Estimate, proportion, ratio
from kerasmeta.errors import UserError
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


def exposures(lifetimes: Lifetimes) -> np.ndarray:
    """How many episodes, up to and with this one, had this context.

    Returns:
        int `[B, T]`, 1 in a context's first episode; 0 where a step is not valid.
    """
    starts = _check(lifetimes)
    lifetime, _ = np.nonzero(starts)  # [E], the lifetime of every episode, in order
    context = lifetimes.observation["context"][starts]  # [E, K]
    rows = np.column_stack([lifetime, context > 0])
    _, key = np.unique(rows, axis=0, return_inverse=True)
    of_episode = _rank_among_equals(key.ravel()) + 1  # [E]
    # The number of episodes begun so far, counted on through all lifetimes.
    episode = np.cumsum(starts.ravel()).reshape(starts.shape) - 1
    return np.where(lifetimes.valid, of_episode[episode], 0)


def _rank_among_equals(key: np.ndarray) -> np.ndarray:
    """How many earlier entries equal each entry, `[E]`."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(key)) - begins
    return rank


def _reward(lifetimes: Lifetimes, which: np.ndarray) -> Estimate:
    """Mean reward of the pulls in `which`, `[B, T]` bool."""
    return ratio(np.where(which, lifetimes.reward, 0).sum(axis=1), which.sum(axis=1))


def _rewarded(lifetimes: Lifetimes, which: np.ndarray) -> Counts:
    return Counts(
        successes=(which & (lifetimes.reward > 0)).sum(axis=1),
        trials=which.sum(axis=1),
    )


def _check(lifetimes: Lifetimes) -> np.ndarray:
    """The first steps of episodes, `[B, T]` bool."""
    context = lifetimes.observation["context"]
    starts = lifetimes.observation["episode_start"].astype(bool) & lifetimes.valid
    shown = context.any(axis=2)  # [B, T]
    if not (shown | ~lifetimes.valid).all() or not starts[:, 0].all():
        raise UserError(
            "context",
            context.shape,
            "a barcode bandit shows a context at every pull",
            "pass the lifetimes together with the task they were recorded on",
        )
    return starts
