"""Seeds as data: every random draw is a function of a seed and a step number.

A `key` is a scrambled seed. The seed of step `t` is `key + (0, t)`: one addition, so
that a step costs one draw. Keys are scrambled and steps are not, so that the streams
of neighbouring seeds, say (run 3, iteration 7) and (run 3, iteration 8), do not meet.
"""

from __future__ import annotations

import numbers
from typing import Any

from kerasmeta._keras import tf
from kerasmeta.errors import UserError

SEED_LIMIT = 2**62


def as_seed(seed: Any) -> Any:
    """Returns a seed tensor, int32 `[2]`.

    Args:
        seed: A Python integer from 0 to 2**62 - 1, or two integers (a tensor `[2]`, or
          a pair such as (run seed, iteration) whose parts may be scalar tensors).

    Raises:
        UserError: The integer is negative or too large.
    """
    if isinstance(seed, numbers.Integral):
        if not 0 <= int(seed) < SEED_LIMIT:
            raise UserError("seed", seed, "is out of range", "use 0 to 2**62 - 1")
        return tf.constant([int(seed) >> 31, int(seed) & (2**31 - 1)], tf.int32)
    if isinstance(seed, (tuple, list)):
        seed = tf.stack([tf.cast(part, tf.int32) for part in seed])
    return tf.ensure_shape(tf.cast(seed, tf.int32), [2])


def key_from(seed: Any) -> Any:
    """Scrambles a seed tensor `[2]` into a key, int32 `[2]`."""
    return tf.random.stateless_uniform([2], seed, None, None, tf.int32)


def at_step(key: Any, step: Any) -> Any:
    """The seed of one step, int32 `[2]`. `step`: an integer scalar tensor."""
    step = tf.cast(step, tf.int32)
    return key + tf.stack([tf.zeros_like(step), step])
