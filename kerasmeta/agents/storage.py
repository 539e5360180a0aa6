"""An agent as files: a description (JSON) and weights (safetensors), no code.

The description holds the specs of observations and actions and the `AgentConfig`; the
networks are rebuilt from it, so loading runs no code from an artifact.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import (
    BaseModel,
    NonNegativeInt,
    ValidationError,
    field_validator,
    model_validator,
)
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tf_agents.specs import tensor_spec

from kerasmeta._keras import tf
from kerasmeta.agents.episodic_agent import EpisodicAgent
from kerasmeta.errors import UserError
from kerasmeta.networks import AgentConfig
from kerasmeta.refusals import refusal

MOST_NUMBERS = 2**22  # of one observation: an image of 1182 x 1182 x 3


class _Spec(BaseModel):
    """A tensor without its batch; bounded on both sides, or not at all."""

    shape: tuple[NonNegativeInt, ...]
    dtype: Literal["bool", "uint8", "int32", "int64", "float32"]
    minimum: Any = None
    maximum: Any = None

    @field_validator("shape")
    @classmethod
    def _check_size(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
        if math.prod(shape) > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS:,} numbers")
        return shape

    @field_validator("minimum", "maximum")
    @classmethod
    def _check_bound(cls, bound: Any) -> Any:
        if bound is not None and np.asarray(bound).dtype.kind not in "if":
            raise ValueError("not a number or a list of numbers")
        return bound

    @model_validator(mode="after")
    def _check_both(self) -> _Spec:
        if (self.minimum is None) != (self.maximum is None):
            raise ValueError("one of minimum and maximum is missing")
        return self


class _Description(BaseModel):
    """What config.json says of an agent, among other things."""

    observation: dict[str, _Spec]
    action: _Spec
    agent: AgentConfig


def describe(agent: EpisodicAgent) -> dict[str, Any]:
    """The description of an agent, as plain JSON data."""
    return {
        "observation": {
            key: _describe_spec(spec) for key, spec in agent.observation_spec.items()
        },
        "action": _describe_spec(agent.action_spec),
        "agent": agent.config.model_dump(mode="json"),
    }


def build(
    description: dict[str, Any],
    source: str = "config.json",
    limit: float = math.inf,
) -> EpisodicAgent:
    """A fresh agent from its description.

    Args:
        description: What `describe` gave.
        source: What errors call it.
        limit: Bytes that its weights may take; it is refused before they are made.

    Raises:
        UserError: It does not describe an agent; says which part does not, and why.
    """
    try:
        parts = _Description.model_validate(description)
        observation_spec = {
            key: _build_spec(spec, key) for key, spec in parts.observation.items()
        }
        action_spec = _build_spec(parts.action, "action")
        with _weights_within(limit):
            return EpisodicAgent(observation_spec, action_spec, parts.agent)
    except ValidationError as error:
        key, value, problem, fix = refusal(error)
    except UserError as error:  # the parts do not make an agent
        key, value, problem, fix = (
            error.argument,
            error.value,
            error.problem,
            error.fix,
        )
    raise UserError(
        f"{source} {key}".strip(), value, problem, f"{fix}, or restore the file"
    )


class _TooLargeError(Exception):
    """Raised within networks; Keras words others anew on their way out."""


@contextlib.contextmanager
def _weights_within(limit: float) -> Iterator[None]:
    """Refuses variables of more bytes than these, before there is memory for them.

    A description of some bytes could ask for more than a machine has.
    """
    taken = 0

    def create(following: Any, **options: Any) -> Any:
        nonlocal taken
        shape, dtype = options.get("shape"), options.get("dtype")
        if shape is not None and dtype is not None:  # else of a value that is there
            taken += math.prod(shape) * tf.as_dtype(dtype).size
        if taken > limit:
            raise _TooLargeError
        return following(**options)

    try:
        with tf.variable_creator_scope(create):
            yield
    except _TooLargeError:
        raise UserError(
            "agent",
            f"{taken:,} bytes",
            f"are more than its weights have, which are {limit:,}",
            "describe the agent that has these weights",
        ) from None


def save_weights(agent: EpisodicAgent, path: Path) -> None:
    """Writes every weight under its own name, float32."""
    arrays = {name: v.numpy() for name, v in agent.named_weights().items()}
    save_file(arrays, path)


def load_weights(agent: EpisodicAgent, path: Path) -> None:
    """Reads weights into an agent; every one must be there, finite and of its shape."""
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        problem = str(error).splitlines()[0]
        raise UserError(
            "weights",
            str(path),
            f"cannot be read ({problem})",
            "restore the file or load the agent anew",
        ) from None
    variables = agent.named_weights()
    _check_weights(variables, arrays, path)
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _check_weights(
    variables: dict[str, Any], arrays: dict[str, Any], path: Path
) -> None:
    fix = "restore the file or load the agent anew"
    if odd := sorted(set(variables) ^ set(arrays)):
        what = "lacks" if odd[0] in variables else "holds an unknown"
        raise UserError("weights", str(path), f"{what} {odd[0]}", fix)
    for name, variable in variables.items():
        array = arrays[name]
        if tuple(array.shape) != tuple(variable.shape) or array.dtype != np.float32:
            problem = f"{name} is {array.dtype} {tuple(array.shape)}"
            wanted = f"float32 {tuple(variable.shape)} is needed"
            raise UserError("weights", str(path), f"{problem}, {wanted}", fix)
        if not np.isfinite(array).all():
            raise UserError("weights", str(path), f"{name} is not finite", fix)


def _describe_spec(spec: Any) -> dict[str, Any]:
    described = {"shape": spec.shape.as_list(), "dtype": spec.dtype.name}
    if isinstance(spec, tensor_spec.BoundedTensorSpec):
        described["minimum"] = np.asarray(spec.minimum).tolist()
        described["maximum"] = np.asarray(spec.maximum).tolist()
    return described


def _build_spec(described: _Spec, name: str) -> Any:
    shape, dtype = described.shape, tf.as_dtype(described.dtype)
    low, high = described.minimum, described.maximum
    if low is None or high is None:
        return tf.TensorSpec(shape, dtype, name)
    try:
        np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    except ValueError:
        raise UserError(
            name,
            f"{low} to {high}",
            f"are no bounds of {described.dtype} {tuple(shape)}",
            "give one for all, or one for each component",
        ) from None
    return tensor_spec.BoundedTensorSpec(shape, dtype, low, high, name)
