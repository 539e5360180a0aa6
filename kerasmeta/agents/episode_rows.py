"""Lifetimes taken apart into episodes, which an update then unrolls side by side.

Where the LSTM is cleared at the start of each episode, and what memory gave back was
logged, an episode's hidden states depend on nothing that came before it. A lifetime of
20 episodes of 31 steps is then 20 rows of 31 steps and not one of 620: the same sums,
in a twentieth of the steps that have to wait for each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.agents.experience import Batch


class EpisodeRows(NamedTuple):
    """Where the steps of lifetimes `[B, T]` lie in `E` episodes of `L` steps each."""

    steps: Any  # [B, E * L] int32, which step lies there; any where there is none
    filled: Any  # [B, E * L] 1, or 0 where there is none
    places: Any  # [B, T] int32, where a step lies; any for one that is left out
    kept: Any  # [B, T] 1, or 0 for a step that is left out
    length: int  # L

    def cut(self, leaf: Any) -> Any:
        """`[B, T, ...]` to `[B * E, L, ...]`."""
        found = tf.gather(leaf, self.steps, batch_dims=1)
        return tf.reshape(found, [-1, self.length, *leaf.shape[2:]])

    def cut_batch(self, batch: Batch) -> Batch:
        """The batch, its rows the episodes of one lifetime after another's."""
        valid = tf.reshape(self.filled, [-1, self.length])
        rows = tf.nest.map_structure(self.cut, batch)
        return rows._replace(valid=rows.valid * valid)

    def join(self, leaf: Any) -> Any:
        """float32 `[B * E, L]` to `[B, T]`, 0 for steps that are left out."""
        rows = tf.reshape(leaf, tf.shape(self.steps))
        return tf.gather(rows, self.places, batch_dims=1) * self.kept


def episode_rows(reset: Any, episodes: int) -> EpisodeRows:
    """Finds the episodes of lifetimes.

    Args:
        reset: bool `[B, T]`, true at the first step of an episode. T is static; the
            last of its steps is the boundary, whose action has no effect.
        episodes: E, the most that a lifetime has, none longer than (T - 1) / E, rounded
            up. A step beyond that, as the boundary may be, is left out.
    """
    steps = reset.shape[1]
    length = -(-(steps - 1) // episodes)
    begun = tf.cumsum(tf.cast(reset, tf.int32), axis=1)  # [B, T], this one counted
    numbers = tf.broadcast_to(tf.range(1, episodes + 1), [tf.shape(begun)[0], episodes])
    first = tf.searchsorted(begun, numbers)  # [B, E]
    after = tf.searchsorted(begun, numbers, side="right")
    found = first[..., tf.newaxis] + tf.range(length)  # [B, E, L]
    filled = tf.cast(found < after[..., tf.newaxis], tf.float32)
    flat = [-1, episodes * length]
    episode = tf.clip_by_value(begun - 1, 0, episodes - 1)
    within = tf.range(steps) - tf.gather(first, episode, batch_dims=1)  # [B, T]
    kept = tf.equal(begun - 1, episode) & (within < length)
    return EpisodeRows(
        tf.reshape(tf.minimum(found, steps - 1), flat),
        tf.reshape(filled, flat),
        episode * length + tf.clip_by_value(within, 0, length - 1),
        tf.cast(kept, tf.float32),
        length,
    )
