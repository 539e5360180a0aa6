"""`kerasmeta export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasmeta.cli import console


def export(
    agent: console.Agent,
    out: Annotated[Path, typer.Option(help="The model's base path.")],
    version: Annotated[int, typer.Option(min=1, help="Its version number.")] = 1,
    registry: console.Registry = None,
    offline: console.Offline = False,
    json: console.Json = False,
) -> None:
    """Write an agent as a SavedModel in TensorFlow Serving's layout, OUT/VERSION."""
    from kerasmeta.cli.agents import load_agent
    from kerasmeta.cli.options import named

    loaded = load_agent(agent, registry, offline)
    from export import export_agent

    with named(directory="--out", version="--version"):
        path = export_agent(loaded.agent, out, version)
    if json:
        console.print_json({"agent": agent, "path": str(path), "version": version})
        return
    console.say(f"exported {agent} to {path}")
