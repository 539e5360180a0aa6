"""Objects of the fixation tasks: codes of bits, some for training, some held out.

An object is a whole number of `object_bits` bits. Those with an even number of 1s are
for training, those with an odd number are held out, so that

* every combination of up to `object_bits` - 1 features is as frequent in the one set as
  in the other: what is new about a held-out object is the object, not a feature;
* any two objects of a set differ in two features or more.

In the stimulus an object is its bits as +-1, or, like AlKhamissi's, one number. There
are 2**object_bits numbers strictly between 0 (an empty cell) and 1 (the cross); his
largest object was 1, the cross itself.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks import contexts

CODINGS = ("bits", "scalar")
SETS = ("train", "held_out")
MAX_OBJECT_BITS = 16  # a scalar object is a float32


def check_object_bits(object_bits: int, count: int) -> None:
    """Refuses a size whose two sets of objects do not hold `count` objects each.

    Raises:
        UserError: See above.
    """
    fewest = 1 + max(1, (count - 1).bit_length())
    if not fewest <= object_bits <= MAX_OBJECT_BITS:
        raise UserError(
            "object_bits",
            object_bits,
            f"cannot hold {count} distinct objects for training and as many held out",
            f"use {fewest} to {MAX_OBJECT_BITS}",
        )


def draw_objects(
    batch_size: int, count: int, object_bits: int, held_out: bool, seed: Any
) -> Any:
    """Draws `count` distinct objects of a set for each lifetime, int64 `[B, count]`.

    All bits but the last are drawn; the last one makes the number of 1s even, or odd
    for held-out objects.
    """
    free = contexts.draw_codes(batch_size, count, object_bits - 1, seed)
    last = (_number_of_ones(free, object_bits - 1) + int(held_out)) % 2
    return 2 * free + last


def features(code: Any, object_bits: int, coding: str) -> Any:
    """What a cell with an object shows, float32 `[B, F]`. code: int64 `[B]`.

    "bits": 0 (no cross), then +-1 for each bit. "scalar": (code + 1) / (2**bits + 1).
    """
    if coding == "scalar":
        return tf.cast(code[:, None] + 1, tf.float32) / (2.0**object_bits + 1.0)
    bits = contexts.context_of(code, object_bits)  # [B, object_bits]
    return tf.pad(bits, [[0, 0], [1, 0]])


def cross_features(object_bits: int, coding: str) -> Any:
    """What the cell with the cross shows, float32 `[F]`: 1, then zeros."""
    return tf.one_hot(0, num_features(object_bits, coding))


def num_features(object_bits: int, coding: str) -> int:
    """`F`, numbers that one cell of the stimulus has."""
    return 1 if coding == "scalar" else 1 + object_bits


def _number_of_ones(code: Any, bits: int) -> Any:
    """How many of the lowest bits are 1, int64, of the code's shape."""
    places = tf.range(bits, dtype=tf.int64)
    ones = tf.bitwise.bitwise_and(tf.bitwise.right_shift(code[..., None], places), 1)
    return tf.reduce_sum(ones, axis=-1)
