"""A Predict, from its messages to its messages (predict_util.cc)."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from .batching import Batcher
from .models import Models
from .refusals import Code, RefusedError, invalid

# Of TensorProto, the field in which TensorFlow Serving returns values of each type.
FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int32": "int_val",
    "int64": "int64_val",
    "bool": "bool_val",
}


async def predict(models: Models, batcher: Batcher, request: Any) -> Any:
    """The answer to a `PredictRequest`.

    Raises:
        RefusedError: There is none.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    servable = models.find(request.model_spec)
    name = request.model_spec.signature_name or "serving_default"
    if name not in servable.signatures:
        raise RefusedError(
            Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
        )
    signature = servable.signatures[name]
    _check_inputs(set(request.inputs), set(signature.inputs))
    keys = tuple(sorted(signature.inputs))
    arrays = [_array(key, request.inputs[key]) for key in keys]
    _check_types(arrays, [signature.inputs[key] for key in keys])
    wanted = _wanted(list(request.output_filter), signature)
    try:
        outputs = await batcher.run(
            servable,
            tuple(signature.inputs[key].name for key in keys),
            tuple(signature.outputs[key].name for key in wanted),
            arrays,
        )
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise RefusedError.of(error) from None
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = name
    for key, output in zip(wanted, outputs, strict=True):
        response.outputs[key].CopyFrom(_as_field(np.asarray(output)))
    return response


def _check_inputs(sent: set[str], needed: set[str]) -> None:
    if len(sent) == len(needed):  # other names are found when they are read
        return
    raise invalid(
        f"input size does not match signature: {len(sent)}!={len(needed)} "
        f"len({{{_listed(sent)}}}) != len({{{_listed(needed)}}}). "
        f"Sent extra: {{{_listed(sent - needed)}}}. "
        f"Missing but required: {{{_listed(needed - sent)}}}."
    )


def _listed(names: set[str]) -> str:
    return ",".join(sorted(names))


def _array(key: str, proto: Any) -> np.ndarray:
    if not proto.dtype:
        raise invalid(f"tensor parsing error: {key}")
    try:
        return np.asarray(tf.make_ndarray(proto))
    except (ValueError, TypeError, IndexError):
        raise invalid(f"tensor parsing error: {key}") from None


def _check_types(arrays: list[np.ndarray], infos: list[Any]) -> None:
    """The runtime's refusal; Python would convert the array instead."""
    for place, (array, info) in enumerate(zip(arrays, infos, strict=True)):
        given, wanted = tf.as_dtype(array.dtype), tf.as_dtype(info.dtype)
        if given != wanted:
            names = {"float32": "float", "float64": "double"}
            raise invalid(
                f"Expects arg[{place}] to be {names.get(wanted.name, wanted.name)} but "
                f"{names.get(given.name, given.name)} is provided"
            )


def _wanted(asked: list[str], signature: Any) -> list[str]:
    """The outputs to fetch: those asked for, or all."""
    for place, key in enumerate(asked):
        if key not in signature.outputs:
            known = _listed(set(signature.outputs))
            raise invalid(
                f"output tensor alias not found in signature: {key} Outputs expected to"
                f" be in the set {{{known}}}."
            )
        if key in asked[:place]:
            raise invalid(f"duplicate output tensor alias: {key}")
    return asked or sorted(signature.outputs)


def _as_field(array: np.ndarray) -> Any:
    """`Tensor::AsProtoField`: every value in the field of its type."""
    dtype = tf.as_dtype(array.dtype)
    proto = tf.make_tensor_proto(array) if dtype.name not in FIELDS else None
    if proto is not None:
        return proto
    shape = tf.TensorShape(array.shape).as_proto()
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=shape)
    if dtype.name == "float32":  # as it is on the wire: a list would take far longer
        proto.MergeFromString(_packed(proto.FLOAT_VAL_FIELD_NUMBER, array))
    else:
        getattr(proto, FIELDS[dtype.name]).extend(array.ravel().tolist())
    return proto


def _packed(number: int, array: np.ndarray) -> bytes:
    """A repeated field of fixed size: its tag, its length and its values."""
    values = np.asarray(array, "<f4", order="C").tobytes()
    length, rest = b"", len(values)
    while rest >= 128:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    return bytes([number << 3 | 2]) + length + bytes([rest]) + values
