"""`kerasmeta zoo cache ...`: what has been pulled to this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from kerasmeta.cli import console
from kerasmeta.cli.completion import agent_ids

app = typer.Typer(help="What has been pulled to this machine (KERASMETA_CACHE).")


@app.command("list")
def list_cache(json: console.Json = False) -> None:
    """List the versions in the cache."""
    from zoo.cache import Cache

    cache = Cache()
    found = cache.list()
    if json:
        agents = [
            {"id": one.id, "version": one.version, "path": str(one.path)}
            | {"bytes": one.size}
            for one in found
        ]
        console.print_json({"cache": str(cache.root), "agents": agents})
        return
    rows = [[one.id, str(one.version), f"{one.size:,}", str(one.path)] for one in found]
    console.print_table(str(cache.root), ["agent", "version", "bytes", "path"], rows)


@app.command("prune")
def prune_cache(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Remove these too: family/agent (every version) or "
            "family/agent@version.",
            autocompletion=agent_ids,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Remove everything.")
    ] = False,
    json: console.Json = False,
) -> None:
    """Remove damaged versions and what killed pulls left."""
    from zoo.cache import Cache
    from zoo.pruning import prune

    pruned = prune(Cache(), ids or [], everything)
    if json:
        removed = [{"id": one.id, "version": one.version} for one in pruned.versions]
        console.print_json({"removed": removed, "bytes": pruned.bytes})
        return
    for one in pruned.versions:
        console.say(f"removed {one.id}@{one.version}")
    console.say(f"{pruned.bytes:,} bytes freed")
