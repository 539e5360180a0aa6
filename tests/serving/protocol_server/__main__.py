"""Starts the server; prints `{"grpc": port, "rest": port}` once it answers."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from aiohttp import web

from .batching import Batcher, Parameters
from .models import Models
from .rest import make_app
from .rpc import make_server


def arguments() -> argparse.Namespace:
    """The options, named as TensorFlow Serving's where it has them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model_config_file", type=Path, required=True)
    parser.add_argument("--batching_parameters_file", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rest_api_port", type=int, default=0)
    parser.add_argument("--file_system_poll_wait_seconds", type=float, default=1.0)
    return parser.parse_args()


async def poll(models: Models, seconds: float) -> None:
    """Looks for new versions for ever."""
    while True:
        await asyncio.sleep(seconds)
        models.poll()


async def main(options: argparse.Namespace) -> None:
    """Serves until the process is ended."""
    models = Models(options.model_config_file.read_text())
    batching = options.batching_parameters_file
    batcher = Batcher(Parameters.parse(batching.read_text()) if batching else None)
    server = make_server(models, batcher)
    port = server.add_insecure_port(f"127.0.0.1:{options.port}")
    await server.start()
    runner = web.AppRunner(make_app(models, batcher), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.rest_api_port).start()
    print(json.dumps({"grpc": port, "rest": runner.addresses[0][1]}), flush=True)
    await poll(models, options.file_system_poll_wait_seconds)


if __name__ == "__main__":
    asyncio.run(main(arguments()))
