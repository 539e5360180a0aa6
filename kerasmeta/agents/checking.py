"""Checks of what users hand to an agent, with errors that name the key and the fix."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasmeta._keras import tf, tf_agents
from kerasmeta.errors import UserError


def check_specs(observation_spec: dict[str, Any], action_spec: Any) -> None:
    """Refuses the specs of an environment that an agent cannot live in."""
    stimulus: Any = observation_spec.get("stimulus")
    is_image = stimulus is not None and stimulus.shape.rank == 3
    wanted = {
        "stimulus": (tf.uint8, 3) if is_image else (tf.float32, 1),
        "context": (tf.float32, 1),
        "episode_start": (tf.bool, 0),
        "store": (tf.bool, 0),
        "previous_action": (action_spec.dtype, action_spec.shape.rank),
        "previous_reward": (tf.float32, 0),
    }
    for key, (dtype, rank) in wanted.items():
        spec: Any = observation_spec.get(key)
        fits = spec is not None and spec.dtype == dtype and spec.shape.rank == rank
        if not fits or not spec.shape.is_fully_defined():
            raise UserError(
                f"observation_spec[{key!r}]",
                "missing" if spec is None else f"{spec.dtype.name} {spec.shape}",
                "is not what an agent sees",
                f"give {dtype.name} of rank {rank} and known size",
            )


def check_state(state: Any, state_class: Any, has_memory: bool) -> None:
    """Refuses what is not a state of this agent."""
    fits = isinstance(state, state_class) and (state.memory != ()) == has_memory
    if not fits:
        raise UserError(
            "state",
            type(state).__name__,
            "is not a state of this agent",
            "give agent.initial_state(batch_size) or the state the last step returned",
        )


def check_observation(
    observation: Any, spec: dict[str, Any], batch_size: int | None
) -> dict[str, Any]:
    """The observation as tensors of the right types, or a `UserError`.

    Symbolic tensors (inside a `tf.function`) are only checked for type and shape, and
    their rows not even for that where `batch_size` is None.
    """
    if not isinstance(observation, dict):
        raise UserError(
            "observation",
            type(observation).__name__,
            "is not a dict",
            f"give a dict with {', '.join(spec)}",
        )
    missing = [key for key in spec if key not in observation]
    if missing:
        raise UserError(
            "observation",
            ", ".join(sorted(map(str, observation))),
            f"lacks {', '.join(missing)}",
            f"give a dict with {', '.join(spec)}",
        )
    if len(observation) > len(spec):
        raise UserError(
            "observation",
            ", ".join(sorted(map(str, set(observation) - set(spec)))),
            "holds keys this agent does not know",
            f"give a dict with {', '.join(spec)}",
        )
    return {
        key: _check_leaf(key, observation[key], leaf, batch_size)
        for key, leaf in spec.items()
    }


def _check_leaf(key: str, value: Any, spec: Any, batch_size: int | None) -> Any:
    name = f"observation[{key!r}]"
    if not tf.is_tensor(value):
        value = _as_array(name, value, spec.dtype.as_numpy_dtype)
    elif value.dtype != spec.dtype:
        raise UserError(
            name, value.dtype.name, "is the wrong type", f"give {spec.dtype.name}"
        )
    expected = (batch_size, *spec.shape)
    if not _fits(value.shape, expected):
        raise UserError(
            name,
            str(tuple(value.shape)),
            f"is the wrong shape for a batch of {batch_size}",
            f"give {expected}",
        )
    if isinstance(value, np.ndarray):
        _check_values(name, value, spec)
        return tf.constant(value)
    if tf.executing_eagerly():
        _check_values(name, value.numpy(), spec)
    return value


def _fits(shape: Any, expected: tuple[int | None, ...]) -> bool:
    """Whether a shape can be the expected one, where None is any size."""
    if isinstance(shape, tuple):
        return shape == expected or (
            None in expected and _fits(tf.TensorShape(shape), expected)
        )
    return bool(shape.is_compatible_with(expected))


def _as_array(name: str, value: Any, dtype: Any) -> np.ndarray:
    """The value as an array of a type, if nothing is lost but precision."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.empty([], object)
    if array.dtype.kind not in "bifu":
        raise UserError(name, str(array.dtype), "is not numeric", "give numbers")
    with np.errstate(all="ignore"):
        converted = array.astype(dtype)
    changed = converted != array
    if converted.dtype.kind != "f" and changed.any():
        odd = array[changed].flat[0]
        raise UserError(
            name, f"{odd}", f"is no {converted.dtype.name}", "give whole values"
        )
    return converted


def _check_values(name: str, array: np.ndarray, spec: Any) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(
            name,
            f"{array[~np.isfinite(array)].flat[0]}",
            "is not finite",
            "give finite numbers (previous_reward is 0 at a lifetime's first step)",
        )
    if array.dtype.kind == "i" and isinstance(spec, tf_agents.specs.BoundedTensorSpec):
        outside = (array < spec.minimum) | (array > spec.maximum)
        if outside.any():
            raise UserError(
                name,
                f"{array[outside].flat[0]}",
                "is out of range",
                f"give {spec.minimum} to {spec.maximum}",
            )
