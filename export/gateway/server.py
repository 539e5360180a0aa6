"""Runs a gateway: both protocols, in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.errors import UserError

from .gateway import Gateway
from .serving import Serving
from .stores import open_store
from .stores.base import MEMORY

GRACE = 5.0  # seconds for requests under way, when the gateway is stopped
HEALTH_SECONDS = 2.0  # between looks at the server and the store


class Options(NamedTuple):
    """How to run a gateway.

    Attributes:
        serving: The server's address, `grpc://host:8500`.
        host: The address to listen at.
        port: For gRPC; 0: any that is free.
        rest_port: For HTTP; 0: any that is free.
        store: See `open_store`.
        seconds: A session's time to live after its last step.
        memory: Bytes for sessions in this process.
        message: Bytes that a request may have.
        timeout: Seconds for the server to answer.
        token: The bearer token; None: nobody needs one.
        certificate: A file with the certificate chain (PEM), for TLS.
        key: The file with its private key (PEM).
    """

    serving: str
    host: str = "127.0.0.1"
    port: int = 8600
    rest_port: int = 8601
    store: str = MEMORY
    seconds: float = 600.0
    memory: int = 2**29
    message: int = 2**22
    timeout: float = 10.0
    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None


class Listening(NamedTuple):
    """Where a gateway answers."""

    grpc: str
    rest: str


def run(options: Options, started: Callable[[Listening], None]) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        options: See `Options`.
        started: Called once requests are answered.

    Raises:
        UserError: Something in the options cannot be used.
    """
    for package in ("aiohttp", "grpc_health", "prometheus_client"):
        try:
            __import__(package)
        except ImportError:
            raise UserError(
                "gateway",
                package,
                "is not installed",
                "pip install 'kerasmeta[gateway]'",
            ) from None
    asyncio.run(_serve(options, started))


async def _serve(options: Options, started: Callable[[Listening], None]) -> None:
    from aiohttp import web

    from . import rest, rpc
    from .metrics import Metrics

    credentials, context = _credentials(options)
    store = open_store(options.store, options.seconds, options.memory)
    gateway = Gateway(Serving(options.serving, options.timeout), store)
    metrics = Metrics(store)
    service = rpc.Service(gateway, options.seconds)
    server, health = rpc.make_server(service, metrics, options.token, options.message)
    pages = rest.Pages(gateway, options.seconds)
    app = rest.make_app(pages, metrics, options.token, options.message)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        port = _add_port(server, options, credentials)
        await _listen(web, runner, options, context)
        await server.start()
        watching = asyncio.create_task(_watch(gateway, health))
        started(_addresses(options, port, runner.addresses[0][1]))
        await _told_to_stop()
        watching.cancel()
    finally:
        await server.stop(GRACE)
        await runner.cleanup()
        await gateway.close()


def _credentials(options: Options) -> tuple[Any, ssl.SSLContext | None]:
    """TLS for gRPC and for HTTP; None and None without a certificate."""
    import grpc

    if options.certificate is None or options.key is None:
        if options.certificate or options.key:
            raise UserError(
                "certificate",
                str(options.certificate or options.key),
                "is given without the other half of a pair",
                "give a certificate and its key, or neither",
            )
        return None, None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(options.certificate, options.key)
        chain, key = options.certificate.read_bytes(), options.key.read_bytes()
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            "certificate",
            str(options.certificate),
            f"cannot be used with that key ({error})",
            "give PEM files that belong together",
        ) from None
    return grpc.ssl_server_credentials([(key, chain)]), context


def _add_port(server: Any, options: Options, credentials: Any) -> int:
    address = f"{options.host}:{options.port}"
    try:
        if credentials:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError:
        raise _taken("port", address) from None


async def _listen(web: Any, runner: Any, options: Options, context: Any) -> None:
    site = web.TCPSite(runner, options.host, options.rest_port, ssl_context=context)
    try:
        await site.start()
    except OSError:
        address = f"{options.host}:{options.rest_port}"
        raise _taken("REST port", address) from None


def _addresses(options: Options, port: int, rest_port: int) -> Listening:
    secure = "s" if options.certificate else ""
    host = f"[{options.host}]" if ":" in options.host else options.host
    return Listening(
        f"grpc{secure}://{host}:{port}", f"http{secure}://{host}:{rest_port}"
    )


def _taken(what: str, address: str) -> UserError:
    return UserError(
        what, address, "cannot be listened at", "give one that is free, or 0 for any"
    )


async def _watch(gateway: Gateway, health: Any) -> None:
    """Tells the health service whether the server and the store can be reached."""
    from grpc_health.v1.health_pb2 import HealthCheckResponse as Response

    while True:
        state = Response.SERVING
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await gateway.check()
        except Exception:
            state = Response.NOT_SERVING
        await health.set("", state)
        await asyncio.sleep(HEALTH_SECONDS)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):  # not in the main thread
            loop.add_signal_handler(number, stop.set)
    await stop.wait()
