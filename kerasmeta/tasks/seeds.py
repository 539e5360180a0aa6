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

# Left to itself TensorFlow takes another generator under XLA than outside.
_ALGORITHM = "philox"


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
    return integers([2], seed)


def integers(
    shape: Any, seed: Any, low: Any = None, high: Any = None, dtype: Any = tf.int32
) -> Any:
    """Uniform integers in [low, high), or of the whole type where there are no bounds.

    The same with and without XLA, unlike what `tf.random` draws by default.
    """
    return tf.random.stateless_uniform(shape, seed, low, high, dtype, alg=_ALGORITHM)


def uniform(shape: Any, seed: Any) -> Any:
    """Uniform numbers in [0, 1), float32, the same with and without XLA.

    `tf.random.stateless_uniform` makes other floating-point numbers of the same bits.
    """
    bits = integers(shape, seed)
    mantissa = tf.bitwise.bitwise_and(bits, 2**24 - 1)
    return tf.cast(mantissa, tf.float32) * 2.0**-24


def permutations(shape: list[int], seed: Any) -> Any:
    """Random permutations of 0 ... n - 1 along the last axis, int32 `[..., n]`."""
    return tf.argsort(uniform(shape, seed), stable=True)


def split(seed: Any, count: int = 2) -> list[Any]:
    """`count` seeds from one, each int32 `[2]`."""
    return tf.unstack(integers([count, 2], seed))


def at_step(key: Any, step: Any) -> Any:
    """The seed of one step, int32 `[2]`. `step`: an integer scalar tensor."""
    step = tf.cast(step, tf.int32)
    return key + tf.stack([tf.zeros_like(step), step])
