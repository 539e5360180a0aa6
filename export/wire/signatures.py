"""What a server says of a model's signatures, as a `Contract`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contracts import Contract, Signature, TensorContract
from ..errors import WrongSchemaError
from .tensors import NAMES

# What an exported agent offers; `serving_default` is `step` once more.
SIGNATURES = ("initial_state", "step", "deterministic")
NEEDED = ("initial_state", "step")
RESULTS = ("action", "greedy_action", "value")  # beside what they were drawn from


def contract_of(signatures: Mapping[str, Signature], agent: str) -> Contract:
    """The contract of the signatures that a server has.

    Raises:
        WrongSchemaError: They are not those of an exported agent.
    """
    ours = {name: signatures[name] for name in SIGNATURES if name in signatures}
    for name in NEEDED:
        if name not in ours:
            raise _not_ours(agent, f"is served without the signature {name}")
    state, step = ours["initial_state"].outputs, ours["step"]
    for name in RESULTS:
        if name not in step.outputs:
            raise _not_ours(agent, f"is served with a step that gives no {name}")
    if not (state.items() <= step.inputs.items() & step.outputs.items()):
        raise _not_ours(agent, "is served with a step that does not carry its state")
    return Contract.of(ours, state)


def _not_ours(agent: str, problem: str) -> WrongSchemaError:
    fix = "serve what `kerasmeta export` or the zoo wrote"
    return WrongSchemaError("agent", agent, problem, fix)


def from_messages(definitions: Mapping[str, Any]) -> dict[str, Signature]:
    """Signatures from a map of `SignatureDef` messages."""

    def tensors(side: Mapping[str, Any]) -> dict[str, TensorContract]:
        return {
            key: _tensor(
                NAMES.get(info.dtype, f"type {info.dtype}"),
                [dim.size for dim in info.tensor_shape.dim],
            )
            for key, info in side.items()
        }

    return {
        name: Signature(inputs=tensors(d.inputs), outputs=tensors(d.outputs))
        for name, d in definitions.items()
    }


def from_json(definitions: Mapping[str, Any]) -> dict[str, Signature]:
    """Signatures from the JSON that REST gives: sizes are texts, types DT_ names."""

    def tensors(side: Mapping[str, Any]) -> dict[str, TensorContract]:
        return {
            key: _tensor(
                _python_name(info["dtype"]),
                [int(dim["size"]) for dim in info["tensor_shape"].get("dim", [])],
            )
            for key, info in side.items()
        }

    return {
        name: Signature(
            inputs=tensors(d.get("inputs", {})), outputs=tensors(d.get("outputs", {}))
        )
        for name, d in definitions.items()
    }


def _tensor(dtype: str, sizes: list[int]) -> TensorContract:
    shape = tuple(None if size == -1 else size for size in sizes)
    return TensorContract(dtype=dtype, shape=shape)


def _python_name(dtype: str) -> str:
    """`DT_FLOAT` -> `float32`; `DT_INT32` -> `int32`."""
    name = dtype.removeprefix("DT_").lower()
    return {"float": "float32", "double": "float64"}.get(name, name)
