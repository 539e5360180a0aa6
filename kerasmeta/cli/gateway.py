"""`kerasmeta gateway`."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from kerasmeta.cli import console
from kerasmeta.errors import UserError

MIB = 2**20


def gateway(
    serving: Annotated[
        str, typer.Option(help="TensorFlow Serving: grpc://host:8500, or grpcs://.")
    ],
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="For gRPC; 0: any free one.")
    ] = 8600,
    rest_port: Annotated[
        int, typer.Option(min=0, max=65535, help="For HTTP; 0: any free one.")
    ] = 8601,
    store: Annotated[
        str, typer.Option(help="Where sessions are: memory, or redis://host:port/0.")
    ] = "memory",
    ttl: Annotated[
        float, typer.Option(min=1, help="Seconds a session lives after its last step.")
    ] = 600.0,
    memory: Annotated[
        int, typer.Option(min=1, help="MiB that sessions in this process may take.")
    ] = 512,
    largest: Annotated[
        int, typer.Option(min=1, max=1024, help="MiB that a request may have.")
    ] = 4,
    timeout: Annotated[
        float, typer.Option(min=0.01, help="Seconds for TensorFlow Serving to answer.")
    ] = 10.0,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the bearer token clients need.")
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Serve other machines without a token.")
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate chain for TLS (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    json: console.Json = False,
) -> None:
    """Keep the states of served agents, so that clients send observations only."""
    from export.gateway import access, server
    from kerasmeta.cli.options import named

    if token_file is None and not no_token:
        _check_loopback(host)
    with named(
        **{"url": "--serving", "token file": "--token-file", "store": "--store"},
        **{
            "port": "--port",
            "REST port": "--rest-port",
            "certificate": "--certificate",
        },
    ):
        token = access.read_token(token_file) if token_file else None
        options = server.Options(
            serving=serving,
            host=host,
            port=port,
            rest_port=rest_port,
            store=store,
            seconds=ttl,
            memory=memory * MIB,
            message=largest * MIB,
            timeout=timeout,
            token=token,
            certificate=certificate,
            key=key,
        )
        server.run(options, lambda at: _tell(at.grpc, at.rest, serving, json))


def _check_loopback(host: str) -> None:
    """Only this machine is served without a token, unless it is wished."""
    try:
        own = ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = host == "localhost"
    if not own:
        raise UserError(
            "--host",
            host,
            "can be reached by others, and there is no token",
            "give --token-file, or --no-token if everyone may use it",
        )


def _tell(grpc: str, rest: str, serving: str, json: bool) -> None:
    """Says where the gateway is, as soon as it answers."""
    if json:
        console.print_json({"grpc": grpc, "rest": rest, "serving": serving})
    else:
        console.say(f"the gateway answers at {grpc} and {rest}; Ctrl-C ends it")
