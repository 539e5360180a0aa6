"""The messages of TensorFlow Serving that a client needs, without TensorFlow.

The official ones (the package tensorflow-serving-api) import all of TensorFlow. On the
wire a message is its field numbers and types, and those are listed here; a test holds
every one of them to the official messages.
"""

from __future__ import annotations

from functools import cache
from typing import Any

PREDICT = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"

# By message, its fields: (name, number, type). `*` repeats, `map ` is by a string.
# Enumerations are numbers here; a oneof is two fields of which one is set.
MESSAGES: dict[str, list[tuple[str, int, str]]] = {
    "Int64Value": [("value", 1, "int64")],
    "Any": [("type_url", 1, "string"), ("value", 2, "bytes")],
    "Dim": [("size", 1, "int64")],
    "TensorShapeProto": [("dim", 2, "*Dim"), ("unknown_rank", 3, "bool")],
    "TensorProto": [
        ("dtype", 1, "int32"),
        ("tensor_shape", 2, "TensorShapeProto"),
        ("tensor_content", 4, "bytes"),
        ("float_val", 5, "*float"),
        ("double_val", 6, "*double"),
        ("int_val", 7, "*int32"),
        ("int64_val", 10, "*int64"),
        ("bool_val", 11, "*bool"),
        ("uint32_val", 16, "*uint32"),
        ("uint64_val", 17, "*uint64"),
    ],
    "ModelSpec": [
        ("name", 1, "string"),
        ("version", 2, "Int64Value"),
        ("version_label", 4, "string"),
        ("signature_name", 3, "string"),
    ],
    "PredictRequest": [
        ("model_spec", 1, "ModelSpec"),
        ("inputs", 2, "map TensorProto"),
        ("output_filter", 3, "*string"),
    ],
    "PredictResponse": [
        ("outputs", 1, "map TensorProto"),
        ("model_spec", 2, "ModelSpec"),
    ],
    "PredictLog": [("request", 1, "PredictRequest")],
    "PredictionLog": [("predict_log", 6, "PredictLog")],
    "TensorInfo": [
        ("name", 1, "string"),
        ("dtype", 2, "int32"),
        ("tensor_shape", 3, "TensorShapeProto"),
    ],
    "SignatureDef": [("inputs", 1, "map TensorInfo"), ("outputs", 2, "map TensorInfo")],
    "SignatureDefMap": [("signature_def", 1, "map SignatureDef")],
    "GetModelMetadataRequest": [
        ("model_spec", 1, "ModelSpec"),
        ("metadata_field", 2, "*string"),
    ],
    "GetModelMetadataResponse": [
        ("model_spec", 1, "ModelSpec"),
        ("metadata", 2, "map Any"),
    ],
}
_PACKAGE = "kerasmeta.wire"


def message(name: str) -> Any:
    """The class of a message, by its name in `MESSAGES`."""
    return _classes()[name]


@cache
def _classes() -> dict[str, Any]:
    """The classes, in a pool of their own beside the official ones."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="wire.proto", package=_PACKAGE)
    file.syntax = "proto3"
    for name, fields in MESSAGES.items():
        described = file.message_type.add(name=name)
        for field, number, kind in fields:
            _add_field(described, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
        )
        for name in MESSAGES
    }


def _add_field(described: Any, name: str, number: int, kind: str) -> None:
    """Describes one field; a map is a repeated message of a key and a value."""
    field = described.field.add(name=name, number=number)
    repeated = kind.startswith(("*", "map "))
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if not kind.startswith("map "):
        _set_type(field, kind.removeprefix("*"))
        return
    entry = described.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    _add_field(entry, "key", 1, "string")
    _add_field(entry, "value", 2, kind.removeprefix("map "))
    field.type = field.TYPE_MESSAGE
    field.type_name = f".{_PACKAGE}.{described.name}.{entry.name}"


def _set_type(field: Any, kind: str) -> None:
    if kind in MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
