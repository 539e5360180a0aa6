"""The services of gRPC: Predict, metadata, status and a new configuration."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from .batching import Batcher
from .models import Models
from .predicting import predict
from .refusals import RefusedError, invalid

Method = Callable[[Any, Any, Any], Awaitable[Any]]


def refusing(method: Method) -> Method:
    """A method that ends a call with the status of a `RefusedError`."""

    @functools.wraps(method)
    async def wrapped(self: Any, request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except RefusedError as error:
            await context.abort(error.code, error.text)

    return wrapped


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """`tensorflow.serving.PredictionService`."""

    def __init__(self, models: Models, batcher: Batcher) -> None:
        self.models, self.batcher = models, batcher

    @refusing
    async def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        return await predict(self.models, self.batcher, request)

    @refusing
    async def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        return metadata(self.models, request)


class ModelState(model_service_pb2_grpc.ModelServiceServicer):
    """`tensorflow.serving.ModelService`."""

    def __init__(self, models: Models) -> None:
        self.models = models

    @refusing
    async def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        return status(self.models, request)

    @refusing
    async def HandleReloadConfigRequest(  # noqa: N802
        self, request: Any, context: Any
    ) -> Any:
        self.models.reload(request.config)
        return model_management_pb2.ReloadConfigResponse()


def metadata(models: Models, request: Any) -> Any:
    """The signatures of a model's version (get_model_metadata_impl.cc)."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid(
            "GetModelMetadataRequest must specify at least one metadata_field"
        )
    for field in request.metadata_field:
        if field != "signature_def":
            raise invalid(f"Metadata field {field} is not supported")
    servable = models.find(request.model_spec)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    described = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.signatures.items():
        described.signature_def[name].CopyFrom(signature)
    response.metadata["signature_def"].Pack(described)
    return response


def status(models: Models, request: Any) -> Any:
    """The states of a model's versions (get_model_status_impl.cc)."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    response = get_model_status_pb2.GetModelStatusResponse()
    for version, state in models.states(request.model_spec):
        one = response.model_version_status.add(version=version, state=state)
        one.status.error_code = 0
    return response


def make_server(models: Models, batcher: Batcher) -> Any:
    """A server of both services, without a port yet, for messages of any size."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        Prediction(models, batcher), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelState(models), server
    )
    return server
