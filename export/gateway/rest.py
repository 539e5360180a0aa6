"""The gateway over HTTP: JSON for clients, and pages for those who watch it.

POST   /v1/sessions                 {"agent": ..., "version"?, "label"?,
                                     "lifetimes"?, "seed"?, "schema"?}
POST   /v1/sessions/SESSION/step    {"observation": {...}, "step"?}
GET    /v1/sessions/SESSION
DELETE /v1/sessions/SESSION
GET    /healthz /readyz /metrics
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from . import tensors
from .access import check_token
from .errors import INTERNAL, Reason, RequestError, TooLargeError, reason
from .gateway import Described, Gateway, Wish
from .metrics import Metrics

READY_SECONDS = 2.0
LOG = logging.getLogger("kerasmeta.gateway")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[[web.Request], Awaitable[tuple[int, Any]]]


class Pages:
    """What answers each path; every method gives a status and what JSON says."""

    def __init__(self, gateway: Gateway, seconds: float) -> None:
        self.gateway, self.seconds = gateway, seconds

    async def begin(self, request: web.Request) -> tuple[int, Any]:
        """Begins a session."""
        body = await _body(request, "agent", *Wish._fields[1:])
        wish = Wish(**{"agent": None, **body})
        return 201, self._session(await self.gateway.begin(wish))

    async def step(self, request: web.Request) -> tuple[int, Any]:
        """Takes a step."""
        body = await _body(request, "step", "observation")
        shown = body.get("observation", {})
        name = request.match_info["session"]
        number, outputs = await self.gateway.step(name, body.get("step"), shown)
        return 200, {"step": number, "outputs": tensors.as_json(outputs)}

    async def describe(self, request: web.Request) -> tuple[int, Any]:
        """Describes a session."""
        name = request.match_info["session"]
        return 200, self._session(await self.gateway.describe(name))

    async def end(self, request: web.Request) -> tuple[int, Any]:
        """Ends a session."""
        await self.gateway.end(request.match_info["session"])
        return 200, {}

    def _session(self, described: Described) -> dict[str, Any]:
        session, state = described.session, described.session.state
        return {
            "session": described.name,
            "agent": state.agent,
            "version": state.version,
            "schema": state.schema,
            "lifetimes": state.batch_size,
            "seed": session.seed,
            "step": session.step,
            "seconds": self.seconds,
            "observation": {
                name: {"dtype": tensor.dtype, "shape": list(tensor.shape[1:])}
                for name, tensor in described.observation.items()
            },
        }


def make_app(
    pages: Pages, metrics: Metrics, token: str | None, limit: int
) -> web.Application:
    """The application; see `rpc.make_server` for the arguments."""

    async def alive(request: web.Request) -> web.Response:
        return web.json_response({})

    async def ready(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await pages.gateway.check()
        except Exception as error:
            return web.json_response({"error": str(error) or "timeout"}, status=503)
        return web.json_response({})

    async def watched(request: web.Request) -> web.Response:
        check_token(token, request.headers.get("authorization"))
        kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=metrics.page(), headers=kind)

    def counted(name: str, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            with metrics.measured(name, "rest"):
                check_token(token, request.headers.get("authorization"))
                status, data = await answer(request)
            return web.json_response(data, status=status)

        return handle

    app = web.Application(client_max_size=limit, middlewares=[_errors_as_json])
    app.router.add_post("/v1/sessions", counted("begin", pages.begin))
    one = "/v1/sessions/{session}"
    app.router.add_post(f"{one}/step", counted("step", pages.step))
    app.router.add_get(one, counted("describe", pages.describe))
    app.router.add_delete(one, counted("end", pages.end))
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", watched)
    return app


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> Any:
    """Every error as `{"error": {"reason": ..., "message": ...}}`."""
    try:
        return await handler(request)
    except web.HTTPException as error:  # no such path, or not with this method
        text = f"{request.method} {request.path}: {error.reason}"
        why = Reason("bad_path", "UNIMPLEMENTED", error.status)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        why, text = reason(error), str(error)
        if why is INTERNAL:
            LOG.exception("%s failed", request.path)
            text = "a defect of the gateway"
    data = {"error": {"reason": why.name, "message": text}}
    return web.json_response(data, status=why.http)


async def _body(request: web.Request, *known: str) -> dict[str, Any]:
    """The JSON object of a request, with known keys only."""
    try:
        text = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLargeError(
            "request", f"{error.text}", "is too large", "send less at once"
        ) from None
    except web.RequestPayloadError:
        fix = "send it whole, compressed as Content-Encoding says or not at all"
        raise RequestError("request", "body", "cannot be read", fix) from None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"is no JSON ({type(error).__name__})"
        raise RequestError(
            "request", f"{len(text)} bytes", problem, "send an object"
        ) from None
    if not isinstance(data, dict):
        raise RequestError("request", data, "is no JSON object", "send an object")
    if unknown := sorted(set(data) - set(known)):
        fix = f"give only {', '.join(known)}"
        raise RequestError("request", unknown[0], "is no key of it", fix)
    return data
