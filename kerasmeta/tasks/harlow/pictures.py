"""Images of the visual tasks, drawn from a seed: shape, texture and colour.

An image is a shape on a ground. The shape is a disc whose outline has 0 to 6 lobes
(ovals, triangles, crosses, stars, ...), turned, stretched, moved, and perhaps with a
hole. Shape and ground are each painted with two colours and a texture: plain, stripes,
checks, rings or a gradient. All are drawn independently, so that no two images share
everything and most differ in several ways.

An image is known by its number, from 0 to `NUM_IMAGES` - 1: the first half are for
training, the others are held out. The same seed and number are the same pixels.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds

NUM_IMAGES = 2000
TEXTURES = ("plain", "stripes", "checks", "rings", "gradient")
_COLOURS = 4  # two of the shape, two of the ground


class Sketch(NamedTuple):
    """What `N` images are drawn from; every leaf has two more axes, `[N, 1, 1]`."""

    centre: tuple[Any, Any]  # of the shape; the image is from -1 to 1
    radius: Any
    turn: Any  # radians
    stretch: Any  # width to height
    lobes: Any  # how many
    depth: Any  # of the lobes, as a part of the radius
    hole: Any  # its radius as a part of the shape's, 0 for none
    textures: list[tuple[Any, ...]]  # (kind, frequency, direction, phase) of each part
    colours: Any  # [N, 4, 3] in [0, 1]


@functools.lru_cache(maxsize=8)
def draw_images(seed: int, size: int) -> np.ndarray:
    """All images of a seed, uint8 `[NUM_IMAGES, size, size, 3]`.

    They are drawn on the CPU and kept: 1.5 MB for images of 16 x 16.
    """
    with tf.init_scope(), tf.device("CPU:0"):
        return paint(sketch(seeds.as_seed(seed)), size).numpy()


def sketch(seed: Any) -> Sketch:
    """Draws what the images are made of. seed: int32 `[2]`."""
    number_seed, colour_seed = seeds.split(seed)
    numbers = iter(tf.unstack(seeds.uniform([20, NUM_IMAGES, 1, 1], number_seed)))

    def between(low: float, high: float) -> Any:
        return low + (high - low) * next(numbers)

    def texture() -> tuple[Any, ...]:
        kind = tf.floor(between(0.0, len(TEXTURES)))
        return kind, between(5.0, 12.0), between(0.0, math.pi), between(0.0, math.tau)

    return Sketch(
        centre=(between(-0.25, 0.25), between(-0.25, 0.25)),
        radius=between(0.5, 0.8),
        turn=between(0.0, math.tau),
        stretch=between(0.7, 1.4),
        lobes=2.0 + tf.floor(between(0.0, 5.0)),
        depth=tf.maximum(between(-0.15, 0.5), 0.0),
        hole=_if_large(between(-0.5, 0.6), least=0.2),
        textures=[texture(), texture()],
        colours=seeds.uniform([NUM_IMAGES, _COLOURS, 3], colour_seed),
    )


def _if_large(x: Any, least: float) -> Any:
    return tf.where(x < least, 0.0, x)


def paint(drawn: Sketch, size: int) -> Any:
    """Paints sketches, uint8 `[N, size, size, 3]`."""
    axis = (2.0 * tf.range(size, dtype=tf.float32) + 1.0) / size - 1.0
    x, y = axis[None, None, :], axis[None, :, None]  # [1, 1, size], [1, size, 1]
    soft = 2.0 / size  # edges are one pixel wide
    inside = _coverage(drawn, x, y, soft)[..., None]  # [N, size, size, 1]
    of_shape, of_ground = (
        _pattern(part, x, y, soft)[..., None] for part in drawn.textures
    )
    colours = tf.unstack(drawn.colours[:, :, None, None], axis=1)  # 4 of [N, 1, 1, 3]
    shape = colours[0] + (colours[1] - colours[0]) * of_shape
    ground = colours[2] + (colours[3] - colours[2]) * of_ground
    image = ground + (shape - ground) * inside
    return tf.cast(tf.round(255.0 * image), tf.uint8)


def _coverage(drawn: Sketch, x: Any, y: Any, soft: float) -> Any:
    """How much of each pixel the shape covers, `[N, size, size]` in [0, 1]."""
    x, y = x - drawn.centre[0], y - drawn.centre[1]
    cos, sin = tf.cos(drawn.turn), tf.sin(drawn.turn)
    x, y = (cos * x + sin * y) * drawn.stretch, cos * y - sin * x
    distance = tf.sqrt(x * x + y * y)
    lobe = tf.cos(drawn.lobes * tf.atan2(y, x))
    outline = drawn.radius * (1.0 + drawn.depth * lobe)
    # A hole of no size takes nothing away, not even at the middle.
    hole = tf.where(drawn.hole > 0.0, drawn.hole * drawn.radius, -soft)
    return _step(outline - distance, soft) * _step(distance - hole, soft)


def _pattern(texture: tuple[Any, ...], x: Any, y: Any, soft: float) -> Any:
    """The weight of a part's second colour, `[N, size, size]` in [0, 1]."""
    kind, frequency, direction, phase = texture
    along = tf.cos(direction) * x + tf.sin(direction) * y
    across = tf.cos(direction) * y - tf.sin(direction) * x
    wave, other = tf.sin(frequency * along + phase), tf.sin(frequency * across)
    edge = soft * frequency
    patterns = (
        tf.zeros_like(wave),
        _step(wave, edge),
        _step(wave * other, edge),
        _step(tf.sin(frequency * tf.sqrt(x * x + y * y) + phase), edge),
        tf.clip_by_value(0.5 + 0.5 * along, 0.0, 1.0),
    )
    return tf.add_n(
        [
            tf.where(tf.equal(kind, float(n)), pattern, 0.0)
            for n, pattern in enumerate(patterns)
        ]
    )


def _step(x: Any, width: float) -> Any:
    """0 where x is below 0, 1 above, linear over a `width` about 0."""
    return tf.clip_by_value(0.5 + x / width, 0.0, 1.0)
