"""The user's own images: a folder, half of it for training, half held out."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.errors import UserError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
# Where in TensorFlow an operation failed, which its messages begin and end with.
_PLACE = re.compile(r"^\{\{.*?\}\} | \[Op:.*")


def read_images(folder: str, size: int) -> np.ndarray:
    """Reads the images of a folder, uint8 `[N, size, size, 3]`.

    Its files that end in .bmp, .gif, .jpeg, .jpg or .png, in the order of their names,
    are dealt out in turn: the first is for training, the second is held out, and so on;
    an odd one at the end is left out. The middle square of each is scaled down to
    `size` (of an animation, its first picture). What comes back are the images for
    training, then as many held out.

    Raises:
        UserError: There is no such folder, it holds fewer than 4 images, or an image
            cannot be read, is smaller than `size`, or looks the same as another.
    """
    paths = _listed(folder)
    stamps = tuple((str(path), path.stat().st_mtime_ns) for path in paths)
    return _read(stamps, size)


def check_number(folder: str | None, found: int, needed: int) -> None:
    """Refuses a catalogue whose halves hold fewer than the images of a lifetime."""
    if found // 2 < needed:
        files = f"({found} images)" if folder is None else f"{folder} ({found} images)"
        raise UserError(
            "images",
            files,
            f"a lifetime needs {needed} distinct ones, for training and held out each",
            f"give {2 * needed} or more, or ask for fewer pairs",
        )


def _listed(folder: str) -> list[Path]:
    directory = Path(folder).expanduser()
    if not directory.is_dir():
        problem = "is not a directory" if directory.exists() else "does not exist"
        raise UserError("images", folder, problem, "give a folder of images")
    try:
        paths = sorted(
            path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES
        )
    except OSError as error:
        raise UserError(
            "images", folder, f"cannot be read ({error.strerror})", "make it readable"
        ) from None
    if len(paths) < 4:
        raise UserError(
            "images",
            folder,
            f"holds {len(paths)} images ({', '.join(SUFFIXES)})",
            "give 4 or more: two for training and two held out",
        )
    return paths


@functools.lru_cache(maxsize=4)
def _read(stamps: tuple[tuple[str, int], ...], size: int) -> np.ndarray:
    """The images of files; the times tell changed files from known ones."""
    names = [name for name, _ in stamps]
    images = np.stack([_image(name, size) for name in names])
    _, first = np.unique(images, axis=0, return_index=True)
    if len(first) < len(images):
        twin = names[min(set(range(len(names))) - set(first.tolist()))]
        raise UserError(
            "images", twin, "looks the same as another", "leave one of them out"
        )
    half = len(images) // 2
    return np.concatenate([images[: 2 * half : 2], images[1 : 2 * half : 2]])


def _image(name: str, size: int) -> np.ndarray:
    """A file's middle square, uint8 `[size, size, 3]`."""
    pixels = _decoded(name)
    height, width = pixels.shape[:2]
    side = min(height, width)
    if side < size:
        raise UserError(
            "images",
            name,
            f"is {width} x {height} pixels, smaller than image_size {size}",
            "leave it out, or lower image_size",
        )
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    scaled = tf.image.resize(square, [size, size], method="area")
    return tf.cast(tf.round(scaled), tf.uint8).numpy()


def _decoded(name: str) -> Any:
    """A file's pixels, uint8 `[height, width, 3]`."""
    try:
        with tf.init_scope(), tf.device("CPU:0"):
            content = tf.io.read_file(name)
            return tf.io.decode_image(
                content, channels=3, expand_animations=False
            ).numpy()
    except tf.errors.OpError as error:
        reason = _PLACE.sub("", error.message.splitlines()[0]).rstrip(".")
        raise UserError(
            "images",
            name,
            f"cannot be read as an image ({reason})",
            "repair it or leave it out",
        ) from None
