"""NumPy arrays as the tensors of a gRPC request, and back."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import ServerRefusedError
from .messages import message


class _Kind(NamedTuple):
    """How a type of TensorFlow is written."""

    number: int  # in TensorFlow's DataType
    field: str  # of TensorProto, for single values


KINDS = {
    "float32": _Kind(1, "float_val"),
    "float64": _Kind(2, "double_val"),
    "int32": _Kind(3, "int_val"),
    "uint8": _Kind(4, "int_val"),
    "int16": _Kind(5, "int_val"),
    "int8": _Kind(6, "int_val"),
    "int64": _Kind(9, "int64_val"),
    "bool": _Kind(10, "bool_val"),
    "uint32": _Kind(22, "uint32_val"),
    "uint64": _Kind(23, "uint64_val"),
}
NAMES = {kind.number: name for name, kind in KINDS.items()}


def to_proto(array: np.ndarray) -> Any:
    """An array as a `TensorProto`, its content as bytes."""
    proto = empty_proto(array.dtype.name, array.shape)
    little = array.dtype.newbyteorder("<")
    proto.tensor_content = np.asarray(array, dtype=little, order="C").tobytes()
    return proto


def filled_proto(dtype: str, shape: tuple[int, ...], value: float) -> Any:
    """A `TensorProto` that is the same everywhere, in a few bytes.

    TensorFlow repeats the last value until the shape is full.
    """
    proto = empty_proto(dtype, shape)
    getattr(proto, KINDS[dtype].field).append(np.dtype(dtype).type(value).item())
    return proto


def empty_proto(dtype: str, shape: tuple[int, ...]) -> Any:
    """A `TensorProto` of a type and a shape, without values."""
    proto = message("TensorProto")(dtype=KINDS[dtype].number)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def from_proto(proto: Any, name: str) -> np.ndarray:
    """The array of a `TensorProto`; `name` is what errors call it.

    Raises:
        ServerRefusedError: Its type is none of ours, or its content is not of its size.
    """
    if proto.dtype not in NAMES:
        raise _broken(name, f"type {proto.dtype}", "has a type that no agent gives")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    kind = NAMES[proto.dtype]
    dtype, size = np.dtype(kind).newbyteorder("<"), math.prod(shape)
    if min(shape, default=0) < 0:
        raise _broken(name, str(shape), "has no size")
    if proto.tensor_content:
        if len(proto.tensor_content) != size * dtype.itemsize:
            raise _broken(name, str(shape), "does not hold as much as its shape says")
        values = np.frombuffer(proto.tensor_content, dtype)
    else:
        values = _repeated(getattr(proto, KINDS[kind].field), dtype, size)
        if values.size > size:
            raise _broken(name, str(shape), "holds more than its shape says")
    return values.astype(np.dtype(kind)).reshape(shape)


def _repeated(listed: Any, dtype: np.dtype, size: int) -> np.ndarray:
    """Listed values, of which the last stands for all that are missing."""
    values = np.asarray(listed, dtype=dtype)
    if values.size >= size:
        return values
    last = values[-1] if values.size else dtype.type(0)
    return np.concatenate([values, np.full(size - values.size, last, dtype)])


def _broken(name: str, value: str, problem: str) -> ServerRefusedError:
    return ServerRefusedError(name, value, problem, "look at the server: it is broken")
