"""Arrays in the gateway's own messages, and in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import TensorError
from ..wire.tensors import KINDS
from . import gateway_pb2 as messages


def fill(into: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays into a message's map of tensors."""
    for name, array in arrays.items():
        tensor = into[name]
        tensor.dtype = array.dtype.name
        tensor.shape.extend(array.shape)
        little = array.dtype.newbyteorder("<")
        tensor.content = np.asarray(array, dtype=little, order="C").tobytes()


def read(tensors: Mapping[str, messages.Tensor]) -> dict[str, np.ndarray]:
    """The arrays of a message's map of tensors.

    Raises:
        TensorError: One has an unknown type, or content that is not of its shape.
    """
    return {name: _array(name, tensor) for name, tensor in tensors.items()}


def _array(name: str, tensor: messages.Tensor) -> np.ndarray:
    shape, what = tuple(tensor.shape), f"observation {name}"
    if tensor.dtype not in KINDS:
        fix = f"give one of {', '.join(KINDS)}"
        raise TensorError(what, tensor.dtype, "is no type of a tensor", fix)
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or len(shape) > 32 or size != len(tensor.content):
        found = f"{tensor.dtype} {shape} in {len(tensor.content)} bytes"
        raise TensorError(what, found, "does not fit together", "mend it")
    return np.frombuffer(tensor.content, dtype).reshape(shape)


def as_json(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Arrays as nested lists; each float in the fewest digits that give it back."""
    return {name: _lists(array) for name, array in arrays.items()}


def _lists(array: np.ndarray) -> Any:
    if array.dtype != np.float32:
        return array.tolist()
    shortest = [float(str(value)) for value in array.ravel()]
    return np.reshape(shortest, array.shape).tolist()
