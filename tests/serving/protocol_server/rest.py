"""The same over HTTP (http_rest_api_handler.cc)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from . import rpc
from .batching import Batcher
from .json_tensors import read_request, write_response
from .models import Models
from .predicting import predict
from .refusals import HTTP, RefusedError, invalid

VERSION = r"(?:/versions/(\d+)|/labels/([^/:]+))?"
PREDICT = re.compile(rf"(?i)/v1/models/([^/:]+){VERSION}:(classify|regress|predict)")
STATUS = re.compile(rf"(?i)/v1/models(?:/([^/:]+))?{VERSION}(?:/(metadata))?")


def make_app(models: Models, batcher: Batcher) -> web.Application:
    """The application; errors are `{"error": text}`."""

    async def handle(request: web.Request) -> web.Response:
        try:
            text, code = await _answer(models, batcher, request), 200
        except RefusedError as error:
            text, code = web.json_response({"error": error.text}).text, HTTP[error.code]
        return web.Response(text=text, status=code, content_type="application/json")

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _answer(models: Models, batcher: Batcher, request: web.Request) -> Any:
    path = request.raw_path
    if request.method == "POST" and (match := PREDICT.fullmatch(path)):
        if match[4].lower() == "predict":
            return await _predict(models, batcher, match, await request.read())
    elif request.method == "GET" and (match := STATUS.fullmatch(path)):
        return _describe(models, match)
    raise invalid(f"Malformed request: {request.method} {path}")


async def _predict(models: Models, batcher: Batcher, match: Any, body: bytes) -> str:
    holder = get_model_status_pb2.GetModelStatusRequest()
    _fill(holder.model_spec, match)

    def info(name: str) -> Any:
        name = name or "serving_default"
        signatures = models.find(holder.model_spec).signatures
        if name not in signatures:
            raise invalid(
                f'Serving signature name: "{name}" not found in signature def'
            )
        return signatures[name].inputs

    request, layout = read_request(body, info)
    signature = request.model_spec.signature_name
    request.model_spec.CopyFrom(holder.model_spec)
    request.model_spec.signature_name = signature
    return write_response(await predict(models, batcher, request), layout)


def _describe(models: Models, match: Any) -> str:
    if not match[1]:
        raise invalid("Missing model name in request.")
    if not match[4]:
        asked = get_model_status_pb2.GetModelStatusRequest()
        _fill(asked.model_spec, match)
        return _printed(rpc.status(models, asked))
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.metadata_field.append("signature_def")
    _fill(request.model_spec, match)
    return _printed(rpc.metadata(models, request))


def _fill(spec: Any, match: Any) -> None:
    spec.name = unquote(match[1])
    if match[2]:
        spec.version.value = int(match[2])
    if match[3]:
        spec.version_label = unquote(match[3])


def _printed(message: Any) -> str:
    return json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
