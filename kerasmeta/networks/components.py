"""Principal components of rows of numbers."""

from __future__ import annotations

import numpy as np

from kerasmeta.errors import UserError


def principal_components(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The affine map to the first `count` principal components of rows.

    Components are in units of the first one's deviation, and have the sign that makes
    the largest of their weights positive.

    Args:
        x: `[N, F]`.
        count: `C`.

    Returns:
        kernel `[F, C]` and bias `[C]`: x @ kernel + bias has mean 0.

    Raises:
        UserError: `x` has not so many.
    """
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    _, spread, rows = np.linalg.svd(centred, full_matrices=False)
    available = int((spread > 1e-6 * spread[0]).sum()) if spread[0] > 0 else 0
    if count > available:
        raise UserError(
            "agent.image_features",
            count,
            f"is more than the {available} components of {len(x)} different images",
            "give fewer, or set agent.image_encoder=trained",
        )
    kernel = rows[:count].T * np.sqrt(len(x)) / spread[0]
    largest = np.abs(kernel).argmax(axis=0)
    kernel = kernel * np.sign(kernel[largest, np.arange(count)])
    return kernel, -x.mean(axis=0, dtype=np.float64) @ kernel
