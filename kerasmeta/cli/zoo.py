"""`kerasmeta zoo ...`: the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta.cli import console, zoo_aliases, zoo_cache
from kerasmeta.cli.completion import agent_ids
from kerasmeta.cli.progress import working
from kerasmeta.cli.quiet import start_tensorflow

app = typer.Typer(help="The registry of trained agents.")
app.add_typer(zoo_aliases.app, name="alias")
app.add_typer(zoo_cache.app, name="cache")
app.command("remove-alias")(zoo_aliases.remove_alias)

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="family/agent, family/agent@version or family/agent@alias.",
        autocompletion=agent_ids,
    ),
]


@app.command("list")
def list_agents(
    registry: console.Registry = None,
    offline: console.Offline = False,
    json: console.Json = False,
) -> None:
    """List the agents."""
    opened = console.open_registry(registry, offline)
    manifests, aliases = opened.list(), opened.index().aliases
    if json:
        agents = [_summary(one, aliases.get(one.id, {})) for one in manifests]
        console.print_json({"agents": agents})
        return
    rows = []
    for manifest in manifests:
        estimates = manifest.evaluation.metrics
        figures = ", ".join(
            f"{name} {console.number(estimates[name].mean)}"
            for name in manifest.headline
        )
        named = aliases.get(manifest.id, {}).items()
        names = ", ".join(f"{alias} {version}" for alias, version in named)
        version, task = str(manifest.version), manifest.task.name
        rows.append([manifest.id, version, names, task, figures])
    columns = ["agent", "version", "aliases", "task", "headline metrics"]
    console.print_table("zoo", columns, rows)


@app.command()
def show(
    id: Id,
    registry: console.Registry = None,
    offline: console.Offline = False,
    json: console.Json = False,
) -> None:
    """Show an agent's card."""
    manifest = console.open_registry(registry, offline).show(id)
    if json:
        console.print_json(manifest.model_dump(mode="json"))
        return
    from zoo import Card

    console.say(Card(manifest)._repr_markdown_())


@app.command()
def pull(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID...", autocompletion=agent_ids)
    ],
    registry: console.Registry = None,
    offline: console.Offline = False,
    require_signature: console.RequiredKey = None,
    json: console.Json = False,
) -> None:
    """Bring agents from a registry elsewhere into the cache, and say where they are."""
    from zoo.loading import checked

    with working("pulling") as report:
        opened = console.open_registry(registry, offline, report)
        found = [checked(id, opened, None, require_signature) for id in ids]
    if json:
        pulled = [
            {"id": manifest.id, "version": manifest.version, "path": str(path)}
            for manifest, path in found
        ]
        console.print_json({"pulled": pulled})
        return
    for manifest, path in found:
        console.say(f"{manifest.id}@{manifest.version}: {path}")


@app.command()
def verify(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID", help="Every version by default.", autocompletion=agent_ids
        ),
    ] = None,
    registry: console.Registry = None,
    offline: console.Offline = False,
    require_signature: console.RequiredKey = None,
    json: console.Json = False,
) -> None:
    """Check every file of an agent against the registry's sizes and SHA-256."""
    from zoo.loading import verified

    opened = console.open_registry(registry, offline)
    checked = [
        verified(id, opened, require_signature)
        for id in ids or [str(reference) for reference in opened.references()]
    ]
    if json:
        console.print_json(
            {"verified": [{"id": m.id, "version": m.version} for m in checked]}
        )
        return
    for manifest in checked:
        console.say(
            f"{manifest.id}@{manifest.version}: {len(manifest.files)} files match"
        )


@app.command()
def publish(
    id: Annotated[
        str,
        typer.Argument(metavar="ID", help="family/agent.", autocompletion=agent_ids),
    ],
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Finished runs, one for each seed."),
    ],
    registry: console.Registry = None,
    lifetimes: Annotated[
        int, typer.Option(min=2, help="Fresh lifetimes of each evaluation.")
    ] = 1000,
    version: Annotated[
        int | None, typer.Option(min=1, help="Its number; the next one by default.")
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help="Sign with this private key (PEM)."),
    ] = None,
    json: console.Json = False,
) -> None:
    """Evaluate runs of several seeds afresh and publish the median one."""
    from kerasmeta.cli.options import check_agent_id
    from zoo.opening import open_folder
    from zoo.runs import publish_runs

    check_agent_id(id)
    folder = open_folder(registry)
    start_tensorflow()
    with working("publishing") as report:
        published = publish_runs(
            id, runs, folder, lifetimes, report=report, version=version, sign=sign
        )
    if json:
        console.print_json({"id": published.id, "version": published.version})
        return
    console.say(f"published {published.id}@{published.version}")


def _summary(manifest: Any, aliases: dict[str, int]) -> dict[str, Any]:
    family, agent = manifest.id.split("/")
    data = manifest.model_dump(mode="json")
    return {
        "id": manifest.id,
        "version": manifest.version,
        "aliases": aliases,
        "family": family,
        "agent": agent,
        "task": manifest.task.name,
        "metrics": data["evaluation"]["metrics"],
    }
