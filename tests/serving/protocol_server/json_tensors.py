"""Tensors as JSON, row by row or by columns (json_tensor.cc)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from .refusals import RefusedError, invalid

LONGEST = 256  # characters of JSON in an error
# JsonTypeString() and DataTypeString()
KINDS = {type(None): "Null", dict: "Object", list: "Array", str: "String"}
KINDS |= {int: "Number", float: "Number"}


def read_request(body: bytes, info: Callable[[str], Any]) -> tuple[Any, str]:
    """A `PredictRequest` without its model, and the format of the answer.

    Args:
        body: The JSON.
        info: From a signature's name to its map of `TensorInfo`s.

    Raises:
        RefusedError: The body is not what TensorFlow Serving takes.
    """
    data = _parse(body)
    name = data.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {_shown(data)} not formatted correctly. 'signature_name' key "
            "must be a string value."
        )
    tensors = info(name)
    if not tensors:
        signature = name or "DEFAULT"
        raise invalid(f"Failed to get input map for signature: {signature}")
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = name
    rows, columns = "instances" in data, "inputs" in data
    if rows and columns:
        raise invalid(
            f"JSON Value: {_shown(data)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if not rows and not columns:
        raise invalid("Missing 'inputs' or 'instances' key")
    found = (
        _from_rows(data, tensors) if rows else _from_columns(data["inputs"], tensors)
    )
    for key, array in found.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
    return request, "rows" if rows else "columns"


def _parse(body: bytes) -> dict[str, Any]:
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid("JSON Parse error: Invalid value. at offset: 0") from None
    if not isinstance(data, dict):
        raise invalid(f"JSON Value: {_shown(data)} Is not object")
    return data


def _from_rows(data: dict[str, Any], tensors: Any) -> dict[str, np.ndarray]:
    rows = data["instances"]
    if not isinstance(rows, list):
        raise invalid(
            f"JSON Value: {_shown(data)} Expecting 'instances' to be an list/array"
        )
    if not rows:
        raise invalid(f"JSON Value: {_shown(data)} No values in 'instances' array")
    if not isinstance(rows[0], dict):
        if len(tensors) > 1:
            raise invalid(
                "instances is a plain list, but expecting list of objects as multiple "
                "input tensors required as per tensorinfo_map"
            )
        rows = [{next(iter(tensors)): row} for row in rows]
    columns: dict[str, list[np.ndarray]] = {key: [] for key in tensors}
    for place, row in enumerate(rows):
        _add_row(place, row, tensors, columns)
    return {key: np.stack(arrays) for key, arrays in columns.items()}


def _add_row(place: int, row: Any, tensors: Any, columns: dict[str, Any]) -> None:
    if not isinstance(row, dict):
        raise invalid(f"Expecting object but got list at item {place} of input list")
    for key, value in row.items():
        try:
            if key not in tensors:
                raise invalid(f"JSON object: does not have named input: {key}")
            array = _array(value, tensors[key].dtype)
            first = columns[key][0] if columns[key] else array
            if array.size != first.size:
                raise invalid(
                    f"Expecting tensor size: {first.size} but got: {array.size}"
                )
        except RefusedError as error:
            raise invalid(
                f"Failed to process element: {place} key: {key} of 'instances' list. "
                f"Error: INVALID_ARGUMENT: {error.text}"
            ) from None
        columns[key].append(array)
    if set(row) != set(tensors):
        raise invalid(
            f"Failed to process element: {place} of 'instances' list. JSON object: "
            f"{_shown(row)} keys must be equal to: {','.join(sorted(tensors))}"
        )


def _from_columns(inputs: Any, tensors: Any) -> dict[str, np.ndarray]:
    if not isinstance(inputs, dict):
        if len(tensors) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        inputs = {next(iter(tensors)): inputs}
    for key in sorted(tensors):
        if key not in inputs:
            raise invalid(f"Missing named input: {key} in 'inputs' object.")
    return {key: _array(inputs[key], info.dtype) for key, info in tensors.items()}


def _array(value: Any, dtype: int) -> np.ndarray:
    """A dense tensor: lists of one length at each level, values of one type."""
    kind = tf.as_dtype(dtype)
    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    values: list[Any] = []
    _fill(value, 0, shape, kind, values)
    return np.array(values, kind.as_numpy_dtype).reshape(shape)


def _fill(value: Any, level: int, shape: list[int], kind: Any, values: list) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {_shown(value)} found at incorrect level: {level + 1} in "
                f"the JSON DOM. Expected at level: {len(shape)}"
            )
        if not _fits(value, kind):
            named = (
                {True: "True", False: "False"}.get(value, "")
                if isinstance(value, bool)
                else KINDS[type(value)]
            )
            raise invalid(
                f"JSON Value: {_shown(value)} Type: {named} is not of expected type: "
                f"{_type_name(kind)}"
            )
        values.append(value)
        return
    if level >= len(shape):
        raise invalid(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for one in value:
        _fill(one, level + 1, shape, kind, values)


def _fits(value: Any, kind: Any) -> bool:
    if kind.is_bool or isinstance(value, bool):
        return kind.is_bool and isinstance(value, bool)
    if kind.is_floating:
        return isinstance(value, int | float)
    return isinstance(value, int) and kind.min <= value <= kind.max


def _type_name(kind: Any) -> str:
    return {"float32": "float", "float64": "double"}.get(kind.name, kind.name)


def write_response(response: Any, layout: str) -> str:
    """The answer: `predictions`, one a row, or `outputs`, one a tensor."""
    arrays = {key: tf.make_ndarray(proto) for key, proto in response.outputs.items()}
    if not arrays:
        raise invalid("Cannot convert empty tensor map to JSON")
    if layout == "columns":
        lists: Any = {key: _plain(array) for key, array in arrays.items()}
        outputs = lists if len(lists) > 1 else next(iter(lists.values()))
        return json.dumps({"outputs": outputs}, indent=4)
    rows = {len(array) if array.ndim else -1 for array in arrays.values()}
    if len(rows) != 1 or -1 in rows:
        raise invalid("Tensor name: has inconsistent batch size")
    if len(arrays) == 1:
        predictions: Any = _plain(next(iter(arrays.values())))
    else:
        predictions = [
            {key: _plain(array[row]) for key, array in arrays.items()}
            for row in range(rows.pop())
        ]
    return json.dumps({"predictions": predictions}, indent=4)


def _plain(array: np.ndarray) -> Any:
    """Lists of numbers, each float as the shortest text that reads back as itself."""
    if array.dtype != np.float32:
        return array.tolist()
    if array.ndim == 0:
        return float(str(array))
    return [_plain(np.asarray(one)) for one in array]


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))[:LONGEST]
