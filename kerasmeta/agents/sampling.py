"""Random numbers with one seed per lifetime, by hashing: (seed, step, column).

`tf.random.stateless_uniform` takes one seed for a whole batch, so a lifetime's draws
would depend on the batch it happens to sit in; a server that merges requests of several
clients would mix them. Here row b's numbers depend on row b's seed only. The hash is
lowbias32 (C. Wellons, "Prospecting for hash functions", 2018), applied in a chain.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf


def _scramble(x: Any) -> Any:
    """lowbias32, a bijection of uint32 whose every input bit flips half the output."""
    shift = tf.bitwise.right_shift
    x = tf.bitwise.bitwise_xor(x, shift(x, tf.constant(16, tf.uint32)))
    x *= tf.constant(0x7FEB352D, tf.uint32)
    x = tf.bitwise.bitwise_xor(x, shift(x, tf.constant(15, tf.uint32)))
    x *= tf.constant(0x846CA68B, tf.uint32)
    return tf.bitwise.bitwise_xor(x, shift(x, tf.constant(16, tf.uint32)))


def _hash(*parts: Any) -> Any:
    """One uint32 from several int32 tensors of the same (or broadcastable) shape."""
    state = tf.constant(0x9E3779B9, tf.uint32)
    for part in parts:
        state = _scramble(tf.bitwise.bitwise_xor(state, tf.bitcast(part, tf.uint32)))
    return state


def uniforms(seed: Any, step: Any, columns: int) -> Any:
    """Uniform numbers in [0, 1), float32 `[B, columns]`.

    Args:
        seed: int32 `[B, 2]`, one seed per lifetime.
        step: int32 `[B]`, counts a lifetime's draws.
        columns: How many numbers each row gets.
    """
    rows = _hash(seed[:, 0], seed[:, 1], step)[:, tf.newaxis]  # [B, 1]
    column = tf.range(columns, dtype=tf.int32)[tf.newaxis]  # [1, columns]
    bits = _scramble(tf.bitwise.bitwise_xor(rows, _hash(column)))  # [B, columns]
    mantissa = tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32))  # 24 bits
    return tf.cast(tf.bitcast(mantissa, tf.int32), tf.float32) * 2.0**-24


def lifetime_seeds(seed: Any, batch_size: Any) -> Any:
    """Seeds int32 `[B, 2]` of `batch_size` lifetimes, from one int32 number `seed`."""
    index = tf.range(batch_size, dtype=tf.int32)
    return tf.stack([tf.fill([batch_size], tf.cast(seed, tf.int32)), index], axis=1)
