"""The drift of reward chances: a Gaussian random walk between two reflecting bounds.

Daw et al. (2011) let the chance of every arm move by Gaussian steps and reflect it at
0.25 and 0.75. The steps are looked up in a table of the Gaussian's quantiles, because
TensorFlow makes other floating-point numbers of the same draw with XLA than without.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy.special import ndtri

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks.validation import check_probability

LEVELS = 4096  # of a step: equally probable, the largest 3.5 standard deviations
_WIDEST = 0.25  # a step's standard deviation relative to the room between the bounds


def check_drift(lowest_chance: Any, highest_chance: Any, drift: Any) -> None:
    """Refuses bounds that are none, and steps that might jump over both of them.

    Raises:
        UserError: See above.
    """
    check_probability("lowest_chance", lowest_chance)
    check_probability("highest_chance", highest_chance)
    check_probability("drift", drift)
    if lowest_chance > highest_chance:
        raise UserError(
            "lowest_chance",
            lowest_chance,
            f"is larger than highest_chance {highest_chance}",
            "exchange the two",
        )
    largest = _WIDEST * (highest_chance - lowest_chance)
    if drift > largest:
        raise UserError(
            "drift",
            drift,
            f"is too large a step between {lowest_chance} and {highest_chance}",
            f"use a number in [0, {largest:g}]",
        )


def between(draw: Any, lowest: float, highest: float) -> Any:
    """Chances that are uniform between the bounds. `draw`: uniform in [0, 1)."""
    return lowest + (highest - lowest) * draw


def drifted(
    chances: Any, draw: Any, drift: float, lowest: float, highest: float
) -> Any:
    """The chances one trial later: a Gaussian step, reflected at the bounds.

    Args:
        chances: float32, any shape.
        draw: Uniform in [0, 1), the same shape.
        drift: The step's standard deviation.
        lowest: The lower bound.
        highest: The upper bound.
    """
    moved = chances + gaussian(draw, drift)
    moved = tf.where(moved < lowest, 2 * lowest - moved, moved)
    return tf.where(moved > highest, 2 * highest - moved, moved)


def gaussian(draw: Any, deviation: float) -> Any:
    """Gaussian numbers of mean 0 from uniform draws in [0, 1), float32."""
    level = tf.cast(draw * LEVELS, tf.int32)
    return tf.gather(tf.constant(quantiles() * np.float32(deviation)), level)


@functools.cache
def quantiles() -> np.ndarray:
    """`LEVELS` equally probable values whose mean is 0 and whose variance is 1."""
    middle = (np.arange(LEVELS) + 0.5) / LEVELS
    values = ndtri(middle)
    return (values / values.std()).astype(np.float32)
