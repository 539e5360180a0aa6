"""The gateway over gRPC: the service of gateway.proto, and the usual health service."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2_grpc

from . import gateway_pb2 as messages
from . import tensors
from .access import check_token
from .errors import INTERNAL, RequestError, reason
from .gateway import Described, Gateway, Wish
from .metrics import Metrics

SERVICE = "kerasmeta.gateway.v1.Gateway"
REASON = "kerasmeta-reason"  # in the trailing metadata of an error
LOG = logging.getLogger("kerasmeta.gateway")

Method = Callable[[Any], Awaitable[Any]]


class Service:
    """The methods of gateway.proto; each takes a message and gives one."""

    def __init__(self, gateway: Gateway, seconds: float) -> None:
        self.gateway, self.seconds = gateway, seconds

    async def begin(self, request: messages.BeginRequest) -> messages.Session:
        """Begins a session."""
        wish = Wish(
            request.agent, *(_optional(request, field) for field in Wish._fields[1:])
        )
        return self._session(await self.gateway.begin(wish))

    async def step(self, request: messages.StepRequest) -> messages.StepResponse:
        """Takes a step."""
        shown = tensors.read(request.observation)
        step = _optional(request, "step")
        number, outputs = await self.gateway.step(request.session, step, shown)
        response = messages.StepResponse(step=number)
        tensors.fill(response.outputs, outputs)
        return response

    async def describe(self, request: messages.SessionRequest) -> messages.Session:
        """Describes a session."""
        return self._session(await self.gateway.describe(request.session))

    async def end(self, request: messages.SessionRequest) -> messages.EndResponse:
        """Ends a session."""
        await self.gateway.end(request.session)
        return messages.EndResponse()

    def methods(self) -> dict[str, tuple[type, Method]]:
        """By its name in gateway.proto, a method's request and what answers it."""
        return {
            "Begin": (messages.BeginRequest, self.begin),
            "Step": (messages.StepRequest, self.step),
            "Describe": (messages.SessionRequest, self.describe),
            "End": (messages.SessionRequest, self.end),
        }

    def _session(self, described: Described) -> messages.Session:
        state, session = described.session.state, described.session
        answer = messages.Session(
            session=described.name,
            agent=state.agent,
            version=state.version,
            schema=state.schema,
            lifetimes=state.batch_size,
            seed=session.seed,
            step=session.step,
            seconds=self.seconds,
        )
        for name, tensor in described.observation.items():
            answer.observation[name].dtype = tensor.dtype
            answer.observation[name].shape.extend(
                size for size in tensor.shape[1:] if size is not None
            )
        return answer


def make_server(
    service: Service, metrics: Metrics, token: str | None, limit: int
) -> tuple[Any, Any]:
    """A server without a port yet, and its health service.

    Args:
        service: What answers.
        metrics: What counts.
        token: The bearer token; None: nobody needs one.
        limit: Bytes that a request may have.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
    )
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _handler(name, kind, method, metrics, token),
            response_serializer=lambda message: message.SerializeToString(),
        )
        for name, (kind, method) in service.methods().items()
    }
    generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
    server.add_generic_rpc_handlers((generic,))
    healthy = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    return server, healthy


def _handler(
    name: str, kind: Any, method: Method, metrics: Metrics, token: str | None
) -> Callable[[bytes, Any], Awaitable[Any]]:
    """A method of gRPC; requests come as bytes, so that errors in them are ours."""

    async def handle(data: bytes, context: Any) -> Any:
        try:
            with metrics.measured(name.lower(), "grpc"):
                check_token(token, _header(context, "authorization"))
                return await method(_parsed(kind, data))
        except Exception as error:
            why = reason(error)
            if why is INTERNAL:
                LOG.exception("%s failed", name)
            text = "a defect of the gateway" if why is INTERNAL else str(error)
            trailing = ((REASON, why.name),)
            code = grpc.StatusCode[why.grpc]
        return await context.abort(code, text, trailing)

    return handle


def _parsed(kind: Any, data: bytes) -> Any:
    try:
        return kind.FromString(data)
    except DecodeError:
        what = f"{len(data)} bytes"
        problem = f"are no {kind.DESCRIPTOR.name}"
        raise RequestError("request", what, problem, "see gateway.proto") from None


def _header(context: Any, name: str) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == name:
            return value if isinstance(value, str) else None
    return None


def _optional(request: Any, field: str) -> Any:
    return getattr(request, field) if request.HasField(field) else None
