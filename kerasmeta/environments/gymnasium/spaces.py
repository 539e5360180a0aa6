"""A task's specs as Gymnasium spaces, and its observations as members of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces


def observation_space(specs: dict[str, Any]) -> spaces.Dict:
    """The space of an observation dict: the same keys, in the same order.

    Numbers are a `Box`, flags a `Discrete(2)`, and a discrete previous action a
    `Discrete` that starts at -1, "none".

    Args:
        specs: `TensorSpec`s without the batch, as `full_observation_spec` gives them.
    """
    return spaces.Dict([(key, _space(spec)) for key, spec in specs.items()])


def action_space(spec: Any) -> spaces.Discrete | spaces.Box:
    """The space of a task's `BoundedTensorSpec` of actions."""
    space = _space(spec)
    assert isinstance(space, (spaces.Discrete, spaces.Box))
    return space


def _space(spec: Any) -> spaces.Space[Any]:
    shape, dtype = tuple(spec.shape), spec.dtype.as_numpy_dtype
    if spec.dtype.is_bool:
        return spaces.Discrete(2) if shape == () else spaces.MultiBinary(shape)
    # Where the spec names no bounds, those of the type: check_env objects to infinity.
    low = np.full(shape, getattr(spec, "minimum", spec.dtype.min), dtype)
    high = np.full(shape, getattr(spec, "maximum", spec.dtype.max), dtype)
    if spec.dtype.is_integer and shape == ():
        return spaces.Discrete(int(high) - int(low) + 1, start=int(low))
    return spaces.Box(low, high, shape, dtype)


def member(space: spaces.Dict, observation: dict[str, Any]) -> dict[str, Any]:
    """A lifetime's observation as a member of `observation_space`.

    Args:
        space: The space of one lifetime's observations.
        observation: Arrays `[1, ...]`.
    """
    return {key: _member(space[key], value[0]) for key, value in observation.items()}


def _member(space: spaces.Space[Any], value: np.ndarray) -> Any:
    """Gymnasium wants whole numbers as `int`, and every array to be a new one."""
    return int(value) if isinstance(space, spaces.Discrete) else np.array(value)


def batch(space: spaces.Dict, observation: dict[str, Any]) -> dict[str, np.ndarray]:
    """Observations `[B, ...]` as a member of the batched space."""
    return {
        key: np.array(observation[key], dtype=part.dtype) for key, part in space.items()
    }
