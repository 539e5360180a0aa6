"""Gymnasium's spaces as what an agent sees and does: pure functions of NumPy arrays.

Observations become one `stimulus`: a vector of everything in them, or an image where
the space is one. Actions of a bounded `Box` are -1 to 1 for the agent, whatever the
box: an agent's Gaussian knows no bounds, so what it draws is clipped and brought to
scale here, at the environment's edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from kerasmeta.errors import UserError

# An action of a Box without bounds goes through as it is.
LARGEST = float(np.finfo(np.float32).max)


def is_image(space: spaces.Space[Any]) -> bool:
    """Whether observations are images: uint8 `[height, width, channels]`."""
    return (
        isinstance(space, spaces.Box)
        and len(space.shape) == 3
        and space.dtype == np.uint8
    )


def stimulus_size(space: spaces.Space[Any], name: str) -> int:
    """How many numbers `stimulus` makes of an observation.

    Args:
        space: `Box`, `Discrete`, or a `Dict` of them, of any depth.
        name: The environment's, for errors.

    Raises:
        UserError: The space is another one, or empty.
    """
    if isinstance(space, spaces.Dict) and space.spaces:
        return sum(stimulus_size(part, name) for part in space.spaces.values())
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.Box) and np.prod(space.shape) > 0:
        return int(np.prod(space.shape))
    raise UserError(
        "task",
        name,
        f"its observations are {_described(space)}",
        "choose an environment with Box, Discrete or Dict observations, or wrap it",
    )


def stimulus(space: spaces.Space[Any], observation: Any) -> np.ndarray:
    """Observations of `B` environments as float32 `[B, S]`; images stay what they are.

    A `Dict` is concatenated in the order of its keys, a `Discrete` is one-hot, a `Box`
    is flattened.

    Args:
        space: The space of one environment's observations.
        observation: What a vector environment returned.
    """
    if isinstance(space, spaces.Dict):
        parts = [stimulus(part, observation[k]) for k, part in space.spaces.items()]
        rows = [part.reshape(len(part), -1).astype(np.float32) for part in parts]
        return np.concatenate(rows, axis=1)
    if isinstance(space, spaces.Discrete):
        return np.eye(int(space.n), dtype=np.float32)[observation - space.start]
    if is_image(space):
        return np.asarray(observation)
    observation = np.asarray(observation, np.float32)
    return observation.reshape(len(observation), -1)


def check_actions(space: spaces.Space[Any], name: str) -> None:
    """Refuses actions that are neither a choice nor real numbers.

    Raises:
        UserError: With the environment's name.
    """
    real = isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating)
    if not isinstance(space, spaces.Discrete) and not (real and np.prod(space.shape)):
        raise UserError(
            "task",
            name,
            f"its actions are {_described(space)}",
            "choose an environment with Discrete or real Box actions, or wrap it",
        )


def agent_bounds(space: spaces.Box) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and largest actions an agent need take, each float32 `[A]`.

    -1 and 1 where the box is bounded on both sides.
    """
    low, high = (np.ravel(side).astype(np.float64) for side in (space.low, space.high))
    both = np.isfinite(low) & np.isfinite(high)
    lowest = np.where(both, -1.0, np.maximum(low, -LARGEST))
    highest = np.where(both, 1.0, np.minimum(high, LARGEST))
    return lowest.astype(np.float32), highest.astype(np.float32)


def environment_actions(space: spaces.Space[Any], actions: np.ndarray) -> np.ndarray:
    """An agent's actions as members of a vector environment's action space.

    Args:
        space: The space of one environment's actions.
        actions: int32 `[B]`, or float32 `[B, A]`, which need not keep to any bounds.
    """
    if isinstance(space, spaces.Discrete):
        return actions.astype(np.int64) + space.start
    assert isinstance(space, spaces.Box)
    lowest, highest = agent_bounds(space)
    clipped = np.clip(actions.astype(np.float64), lowest, highest)
    low, high = (np.ravel(side).astype(np.float64) for side in (space.low, space.high))
    both = np.isfinite(low) & np.isfinite(high)
    middle, half = _centre(low, high, both)
    scaled = np.where(both, middle + half * clipped, clipped)
    rows = scaled.reshape(len(actions), *space.shape).astype(space.dtype)
    return np.clip(rows, space.low, space.high)  # the cast may round across a bound


def _centre(low: Any, high: Any, both: Any) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half width of bounded sides; 0 elsewhere."""
    low, high = np.where(both, low, 0.0), np.where(both, high, 0.0)
    return (low + high) / 2, (high - low) / 2


def _described(space: Any) -> str:
    text = " ".join(str(space).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
