"""What the client sends is what TensorFlow Serving's official messages say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from harness import toy_server
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

from export.client.grpc_transport import predict_request
from export.contracts import Contract
from export.errors import ServerRefusedError, WrongSchemaError
from export.wire import messages, signatures, tensors
from kerasmeta._keras import tf

OFFICIAL = {
    message.DESCRIPTOR.name: message.DESCRIPTOR
    for message in (
        predict_pb2.PredictRequest,
        predict_pb2.PredictResponse,
        prediction_log_pb2.PredictionLog,
        prediction_log_pb2.PredictLog,
        get_model_metadata_pb2.GetModelMetadataRequest,
        get_model_metadata_pb2.GetModelMetadataResponse,
        get_model_metadata_pb2.SignatureDefMap,
    )
}


def reached(descriptor: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The official messages inside a message, by their full name."""
    if descriptor.full_name not in found:
        found[descriptor.full_name] = descriptor
        for field in descriptor.fields:
            if field.message_type:
                reached(field.message_type, found)
    return found


def kind(field: Any) -> tuple[Any, ...]:
    """What a field looks like on the wire; an enumeration is a number."""
    number = FieldDescriptor.TYPE_INT32
    found = number if field.type == FieldDescriptor.TYPE_ENUM else field.type
    inner = field.message_type
    entries = inner.name.endswith("Entry") if inner else False
    parts = tuple(kind(part) for part in inner.fields) if entries else ()
    return field.number, found, field.label, inner.name if inner else None, parts


def test_every_field_is_the_official_one() -> None:
    official: dict[str, Any] = {}
    for descriptor in OFFICIAL.values():
        reached(descriptor, official)
    named = {found.name: found for found in official.values()}
    for name in messages.MESSAGES:
        for field in messages.message(name).DESCRIPTOR.fields:
            theirs = named[name].fields_by_name[field.name]
            assert kind(field) == kind(theirs), f"{name}.{field.name}"


def test_the_methods_are_the_official_ones() -> None:
    paths = []

    class Channel:
        """What the official stub asks for its methods."""

        def unary_unary(self, path: str, **serializers: Any) -> None:
            paths.append(path)

    prediction_service_pb2_grpc.PredictionServiceStub(Channel())
    assert {messages.PREDICT, messages.GET_MODEL_METADATA} < set(paths)


def test_the_types_are_tensorflows() -> None:
    for name, found in tensors.KINDS.items():
        assert tf.as_dtype(name).as_datatype_enum == found.number
        one = tf.make_tensor_proto(np.ones([1], name))
        proto = tensors.filled_proto(name, (1,), 1)
        assert len(getattr(proto, found.field)) == 1
        official = type(one).FromString(proto.SerializeToString())
        np.testing.assert_array_equal(tf.make_ndarray(official), np.ones([1], name))


@given(
    st.sampled_from(sorted(tensors.KINDS)).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))
    )
)
def test_arrays_survive(array: np.ndarray) -> None:
    """As TensorFlow reads ours, and as we read the two forms that it writes."""
    official = type(tf.make_tensor_proto(0))
    sent = official.FromString(tensors.to_proto(array).SerializeToString())
    np.testing.assert_array_equal(tf.make_ndarray(sent), array)
    ours = messages.message("TensorProto")
    listed = official()
    listed.CopyFrom(sent)
    listed.ClearField("tensor_content")
    field = tensors.KINDS[array.dtype.name].field
    getattr(listed, field).extend(array.ravel().tolist())
    for proto in (sent, listed):
        received = ours.FromString(proto.SerializeToString())
        found = tensors.from_proto(received, "x")
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_broken_tensors_are_refused() -> None:
    whole = tensors.to_proto(np.ones([2, 2], np.float32))
    whole.tensor_content = whole.tensor_content[:-1]
    many = tensors.empty_proto("int32", (1,))
    many.int_val.extend([1, 2])
    text = tensors.empty_proto("int32", (1,))
    text.dtype = 7
    nowhere = tensors.empty_proto("int32", (-1,))
    for proto in (whole, many, text, nowhere):
        with pytest.raises(ServerRefusedError):
            tensors.from_proto(proto, "x")


def test_a_request_is_read_by_the_official_message() -> None:
    inputs = {"stimulus": np.eye(2, dtype=np.float32), "store": np.array([True, False])}
    ours = predict_request("toy", 3, "step", inputs)
    read = predict_pb2.PredictRequest.FromString(ours.SerializeToString())
    spec = read.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("toy", 3, "step")
    assert spec.WhichOneof("version_choice") == "version"
    for name, array in inputs.items():
        np.testing.assert_array_equal(tf.make_ndarray(read.inputs[name]), array)


def test_contracts_are_the_same_over_both_protocols() -> None:
    toy = toy_server.ToyServer()
    ours = toy.definitions(1)
    official = get_model_metadata_pb2.SignatureDefMap.FromString(
        ours.SerializeToString()
    )
    data = json_format.MessageToDict(official, preserving_proto_field_name=True)
    shown = toy.described(1)["signature_def"]["step"]["inputs"]["stimulus"]
    assert data["signature_def"]["step"]["inputs"]["stimulus"] == shown
    expected = toy_server.signatures()
    contract = Contract.of(expected, expected["initial_state"].outputs)
    for found in (
        signatures.from_messages(ours.signature_def),
        signatures.from_json(data["signature_def"]),
    ):
        assert found == expected
        assert signatures.contract_of(found, "toy") == contract


@pytest.mark.parametrize("lost", ["action", "state_count"])
def test_what_is_no_agent_has_no_contract(lost: str) -> None:
    known = toy_server.signatures()
    outputs = {k: v for k, v in known["step"].outputs.items() if k != lost}
    known["step"] = known["step"].model_copy(update={"outputs": outputs})
    with pytest.raises(WrongSchemaError):
        signatures.contract_of(known, "toy")
