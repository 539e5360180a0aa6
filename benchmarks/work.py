"""How much arithmetic and how many bytes a row's work takes at least.

Matrix products count 2 operations per multiplication; activation functions and other
elementwise work are not counted, so a limit by FLOPs is one that no program reaches.
Bytes are those of arrays too large for a processor's own cache: what is logged, and
what the scans of the update stream through for each product.
"""

from __future__ import annotations

from typing import NamedTuple

FLOAT = 4  # bytes


class Sizes(NamedTuple):
    """An agent's sizes. The defaults are those of episodic two-step."""

    features: int = 7  # F
    units: int = 48  # H
    actions: int = 2
    slots: int = 64  # N
    context: int = 20  # K

    @property
    def width(self) -> int:
        """Columns of the kernels: five gates."""
        return 5 * self.units

    @property
    def step_flops(self) -> float:
        """Of one step of the actor, forwards."""
        cell = 2 * (self.features + self.units) * self.width
        return cell + 2 * self.units * self.actions


class Work(NamedTuple):
    """Of one call."""

    flops: float
    bytes: float


def rollout(sizes: Sizes, steps: int, cued: float) -> Work:
    """Of `steps` environment steps, of which a share `cued` reads the memory."""
    read = sizes.slots * sizes.context
    logged = sizes.features + sizes.context + sizes.units + sizes.actions + 3
    moved = logged + cued * (read + sizes.units)
    return Work(steps * (sizes.step_flops + cued * 2 * read), steps * FLOAT * moved)


def update(sizes: Sizes, steps: int, products: int, fraction: float) -> Work:
    """Of the policy's update on `steps` steps.

    `products` Fisher products over a `fraction` of the steps; besides them the forward
    and backward pass of the gradient (1 + 2) and one trial of the line search.
    """
    # A tangent scan multiplies by both kernels and their tangents, an adjoint scan by
    # the transposed kernel and, for the kernels' gradients, by the inputs.
    once = 2 * (2 * sizes.units + sizes.features) * sizes.width
    product = 2 * once * fraction
    # Stored per step: five gates, tanh of the cell, both states, tanh of the memory.
    stored = 9 * sizes.units + sizes.features
    streamed = 2 * (stored + 2 * sizes.width) * fraction  # slopes written and read
    flops = 4 * sizes.step_flops + products * product
    moved = 3 * stored + products * streamed
    return Work(steps * flops, steps * FLOAT * moved)
