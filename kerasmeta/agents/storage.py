"""An agent as files: a description (JSON) and weights (safetensors), no code.

The description holds the specs of observations and actions and the `AgentConfig`; the
networks are rebuilt from it, so loading runs no code from an artifact.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tf_agents.specs import tensor_spec

from kerasmeta._keras import tf
from kerasmeta.agents.episodic_agent import EpisodicAgent
from kerasmeta.errors import UserError
from kerasmeta.networks import AgentConfig


def describe(agent: EpisodicAgent) -> dict[str, Any]:
    """The description of an agent, as plain JSON data."""
    return {
        "observation": {
            key: _describe_spec(spec) for key, spec in agent.observation_spec.items()
        },
        "action": _describe_spec(agent.action_spec),
        "agent": agent.config.model_dump(mode="json"),
    }


def build(description: dict[str, Any], source: str = "config.json") -> EpisodicAgent:
    """A fresh agent from its description. `source` names it in errors."""
    try:
        observation_spec = {
            key: _build_spec(spec, key)
            for key, spec in description["observation"].items()
        }
        action_spec = _build_spec(description["action"], "action")
        config = AgentConfig.model_validate(description["agent"])
        return EpisodicAgent(observation_spec, action_spec, config)
    except (KeyError, TypeError, AttributeError, ValueError, ValidationError) as error:
        problem = str(error).splitlines()[0]
        raise UserError(
            source,
            f"{type(error).__name__}: {problem}",
            "does not describe an agent",
            "restore the file or load the agent anew",
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


def _build_spec(described: dict[str, Any], name: str) -> Any:
    shape, dtype = described["shape"], tf.as_dtype(described["dtype"])
    if "minimum" not in described:
        return tf.TensorSpec(shape, dtype, name)
    return tensor_spec.BoundedTensorSpec(
        shape, dtype, described["minimum"], described["maximum"], name
    )
