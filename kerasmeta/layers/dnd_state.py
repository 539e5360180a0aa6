"""The state of a DND, and how it is emptied, written and stamped: pure functions."""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.layers.dnd_reads import one_over_length


class DNDState(NamedTuple):
    """`N` slots for each of `B` lifetimes. A slot written at time 0 is empty."""

    keys: Any  # [B, N, K]
    scales: Any  # [B, N], one over the lengths of the keys, 0 for zeros
    values: Any  # [B, N, H]
    written_at: Any  # [B, N] int32, the clock when the slot was last written
    used_at: Any  # [B, N] int32, the clock when it was last written or read
    clock: Any  # [B] int32, counts reads and writes


class Match(NamedTuple):
    """Which slots suit a key. A read and a write of one step share it."""

    slot: Any  # [B] int32, the most similar slot, the newest of equals
    similarity: Any  # [B], its cosine similarity, -2 where nothing is stored
    place: Any  # [B] int32, the slot that a write of this key takes


class Retrieval(NamedTuple):
    """What a read found."""

    memory: Any  # [B, H], m: zeros where nothing was read
    slot: Any  # [B] int32, the most similar slot, -1 where nothing was read
    similarity: Any  # [B], its cosine similarity to the query, 0 there


def empty(
    batch_size: Any, capacity: int, key_size: int, units: int, dtype: Any = tf.float32
) -> DNDState:
    """An empty memory."""
    return DNDState(
        keys=tf.zeros([batch_size, capacity, key_size], dtype),
        scales=tf.zeros([batch_size, capacity], dtype),
        values=tf.zeros([batch_size, capacity, units], dtype),
        written_at=tf.zeros([batch_size, capacity], tf.int32),
        used_at=tf.zeros([batch_size, capacity], tf.int32),
        clock=tf.zeros([batch_size], tf.int32),
    )


def nothing(rows: Any, units: int, dtype: Any) -> Retrieval:
    """What a read that finds nothing returns, for as many lifetimes as `rows` `[B]`."""
    batch_size = tf.shape(rows)[0]
    return Retrieval(
        memory=tf.zeros([batch_size, units], dtype),
        slot=tf.fill([batch_size], -1),
        similarity=tf.zeros([batch_size], dtype),
    )


def clear(state: DNDState, where: Any) -> DNDState:
    """Empties the memories of the lifetimes where `where` (bool `[B]`) is true."""
    kept = tf.cast(tf.logical_not(where), tf.int32)  # [B]
    return state._replace(
        written_at=state.written_at * kept[:, tf.newaxis],
        used_at=state.used_at * kept[:, tf.newaxis],
        clock=state.clock * kept,
    )


def put(state: DNDState, slot: Any, key: Any, value: Any, mask: Any) -> DNDState:
    """Writes one slot `[B]` of the rows in `mask` `[B]`; cheap, so unconditional."""
    clock = state.clock + tf.cast(mask, tf.int32)
    index = tf.stack([tf.range(tf.shape(slot)[0]), slot], axis=1)  # [B, 2]
    written = tf.range(state.scales.shape[1]) == slot[:, tf.newaxis]  # [B, N]
    written &= mask[:, tf.newaxis]

    def place(slots: Any, new: Any) -> Any:
        new = tf.where(mask[:, tf.newaxis], new, tf.gather_nd(slots, index))
        return tf.tensor_scatter_nd_update(slots, index, new)

    def stamp(stamps: Any, new: Any) -> Any:
        return tf.where(written, new[:, tf.newaxis], stamps)

    return DNDState(
        keys=place(state.keys, key),
        scales=stamp(state.scales, one_over_length(key)),
        values=place(state.values, value),
        written_at=stamp(state.written_at, clock),
        used_at=stamp(state.used_at, clock),
        clock=clock,
    )


def note_use(state: DNDState, slot: Any) -> DNDState:
    """Stamps the read slots `[B]` (-1: none) as just used."""
    clock = state.clock + tf.cast(slot >= 0, tf.int32)
    read = tf.one_hot(slot, state.used_at.shape[1], on_value=True, off_value=False)
    used_at = tf.where(read, clock[:, tf.newaxis], state.used_at)
    return state._replace(used_at=used_at, clock=clock)
