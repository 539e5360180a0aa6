"""Contexts: codes of +-1 that are distinct within a lifetime, by construction.

A context is a whole number (its code) written in binary, one bit a component, with -1
for 0. +-1 rather than 0/1 because a context is compared by cosine: every context has
the same norm, none is zero (zero means that no context is shown), and two random ones
are orthogonal on average. Independent draws would collide: among 50 contexts of 10 bits
some two are equal in 70 % of the lifetimes, and the memory would overwrite one of them.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks import seeds

MAX_CONTEXT_SIZE = 62  # a code is a non-negative int64


def check_context_size(context_size: int, count: int) -> None:
    """Refuses a size that cannot hold `count` distinct contexts.

    Raises:
        UserError: Fewer than `count` codes exist, or a code does not fit an int64.
    """
    fewest = max(1, (count - 1).bit_length())
    if not fewest <= context_size <= MAX_CONTEXT_SIZE:
        raise UserError(
            "context_size",
            context_size,
            f"cannot hold {count} distinct contexts of +-1 in 64-bit codes",
            f"use {fewest} to {MAX_CONTEXT_SIZE}",
        )


def draw_codes(batch_size: int, count: int, context_size: int, seed: Any) -> Any:
    """Draws `count` distinct codes for each lifetime, in random order.

    Args:
        batch_size: `B`.
        count: How many codes a lifetime needs, at most 2**context_size.
        context_size: `K`, bits in a code.
        seed: int32 `[2]`.

    Returns:
        int64 `[B, count]`.
    """
    return draw_distinct(batch_size, count, 2**context_size, seed)


def draw_distinct(batch_size: int, count: int, limit: int, seed: Any) -> Any:
    """Draws `count` distinct numbers from 0 to `limit` - 1, int64 `[B, count]`.

    Sorted draws u_0 <= u_1 <= ... from the first limit - count + 1 numbers become
    u_i + i: each is larger than the one before, so no two are equal, and every number
    can occur. A random permutation then removes the order.
    """
    draw_seed, order_seed = seeds.split(seed)
    highest = tf.constant(limit - count + 1, tf.int64)
    draws = seeds.integers([batch_size, count], draw_seed, 0, highest, tf.int64)
    codes = tf.sort(draws, axis=-1) + tf.range(count, dtype=tf.int64)  # [B, count]
    order = seeds.permutations([batch_size, count], order_seed)
    return tf.gather(codes, order, batch_dims=1)


def draw_bag(batch_size: int, count: int, presentations: int, seed: Any) -> Any:
    """Which context each episode has, where each has `presentations` of them.

    The episodes are a bag that is drawn empty, in random order (Ritter et al. 2018).

    Returns:
        int32 `[B, count * presentations]`, numbers from 0 to count - 1.
    """
    episodes = [batch_size, count * presentations]
    return seeds.permutations(episodes, seed) // presentations


def context_of(code: Any, context_size: int) -> Any:
    """Writes codes, int64 `[B]`, as contexts of +-1, float32 `[B, K]`."""
    places = tf.range(context_size, dtype=tf.int64)
    bits = tf.bitwise.bitwise_and(tf.bitwise.right_shift(code[:, None], places), 1)
    return 2.0 * tf.cast(bits, tf.float32) - 1.0


def code_of(context: Any) -> Any:
    """Reads contexts, float32 `[B, K]`, back as codes, int64 `[B]`."""
    bits = tf.cast(context > 0, tf.int64)
    places = tf.range(context.shape[-1], dtype=tf.int64)
    return tf.reduce_sum(tf.bitwise.left_shift(bits, places), axis=-1)


def find_or_add(codes: Any, code: Any) -> tuple[Any, Any]:
    """The codes `[B, C]` with `code` `[B]` among them, and its slot, int32 `[B]`.

    A code that is not there yet takes the first empty slot (-1).
    """
    match = tf.cast(tf.equal(codes, code[:, None]), tf.int32)  # [B, C]
    empty = tf.cast(codes < 0, tf.int32)
    # A match counts more than any empty slot; argmax takes the first of equals.
    slot = tf.argmax(2 * match + empty, axis=-1, output_type=tf.int32)
    here = tf.equal(tf.range(codes.shape[1]), slot[:, None])
    return tf.where(here, code[:, None], codes), slot
