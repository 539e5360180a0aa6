"""48 ways to show a picture: turned, mirrored, and with its colours exchanged.

An eye that has seen a thousand pictures knows them by heart; of each it then sees 48.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from kerasmeta._keras import tf

_COLOURS = np.array(list(itertools.permutations(range(3))))  # [6, 3]
NUM_VARIANTS = 8 * len(_COLOURS)


def vary(images: Any, variant: Any) -> Any:
    """Variants of some images; the first one is the image itself.

    Args:
        images: uint8 `[B, S, S, 3]`.
        variant: int `[B]`, 0 to 47.
    """
    size = images.shape[1]
    pixels = tf.reshape(images, [-1, size * size, 3])
    count = len(_COLOURS)
    turned = tf.gather(tf.constant(_turns(size)), variant // count)  # [B, S * S]
    colours = tf.gather(tf.constant(_COLOURS), variant % count)  # [B, 3]
    pixels = tf.gather(pixels, turned, axis=1, batch_dims=1)
    return tf.reshape(
        tf.gather(pixels, colours, axis=2, batch_dims=1), [-1, size, size, 3]
    )


def _turns(size: int) -> np.ndarray:
    """Where each pixel of a turned or mirrored square comes from, `[8, S * S]`."""
    places = np.arange(size * size).reshape(size, size)
    quarters = [np.rot90(places, turns) for turns in range(4)]
    return np.stack([t.ravel() for q in quarters for t in (q, q[:, ::-1])])
