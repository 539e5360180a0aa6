"""How often a context has been met: the n-th exposure is the n-th such episode.

For tasks whose episodes show one context each, at every step. What an agent does at the
beginning of a second exposure tells whether it remembers the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes


class Episodes(NamedTuple):
    """The `E` episodes of all lifetimes, ordered by lifetime, then time."""

    lifetime: np.ndarray  # [E] int
    exposure: np.ndarray  # [E] int, 1 where a context is met for the first time
    of_step: np.ndarray  # [B, T] int, the episode of each step; of no use if not valid


def episodes(lifetimes: Lifetimes) -> Episodes:
    """The episodes, and which exposure to its context each of them is.

    Raises:
        UserError: An episode begins without a context: the lifetimes are of another
            task.
    """
    starts = _starts(lifetimes)
    lifetime, _ = np.nonzero(starts)
    context = lifetimes.observation["context"][starts]  # [E, K]
    rows = np.column_stack([lifetime, context > 0])
    _, key = np.unique(rows, axis=0, return_inverse=True)
    # The number of episodes begun so far, counted on through all lifetimes.
    of_step = np.cumsum(starts.ravel()).reshape(starts.shape) - 1
    return Episodes(lifetime, rank_among_equals(key.ravel()) + 1, of_step)


def exposures(lifetimes: Lifetimes) -> np.ndarray:
    """How many episodes, up to and with this one, had this context.

    Returns:
        int `[B, T]`, 1 in a context's first episode; 0 where a step is not valid.
    """
    found = episodes(lifetimes)
    return np.where(lifetimes.valid, found.exposure[found.of_step], 0)


def rank_among_equals(key: np.ndarray) -> np.ndarray:
    """How many earlier entries equal each entry, `[E]`."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(key)) - begins
    return rank


def _starts(lifetimes: Lifetimes) -> np.ndarray:
    """The first steps of episodes, `[B, T]` bool."""
    context = lifetimes.observation["context"]
    starts = lifetimes.observation["episode_start"].astype(bool) & lifetimes.valid
    shown = context.any(axis=2)  # [B, T]
    if (starts & ~shown).any() or not starts[:, 0].all():
        raise UserError(
            "context",
            context.shape,
            "this task family shows a context where an episode begins",
            "pass the lifetimes together with the task they were recorded on",
        )
    return starts
