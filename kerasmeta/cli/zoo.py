"""`kerasmeta zoo ...`: the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.cli.progress import working
from kerasmeta.cli.quiet import start_tensorflow

app = typer.Typer(help="The registry of trained agents.")

Id = Annotated[
    str, typer.Argument(metavar="ID", help="family/agent or family/agent@version.")
]


@app.command("list")
def list_agents(registry: console.Registry = None, json: console.Json = False) -> None:
    """List the agents."""
    manifests = _open(registry).list()
    if json:
        agents = [_summary(manifest) for manifest in manifests]
        console.print_json({"agents": agents})
        return
    rows = []
    for manifest in manifests:
        estimates = manifest.evaluation.metrics
        figures = ", ".join(
            f"{name} {console.number(estimates[name].mean)}"
            for name in manifest.headline
        )
        rows.append([manifest.id, str(manifest.version), manifest.task.name, figures])
    columns = ["agent", "version", "task", "headline metrics"]
    console.print_table("zoo", columns, rows)


@app.command()
def show(id: Id, registry: console.Registry = None, json: console.Json = False) -> None:
    """Show an agent's card."""
    opened = _open(registry)
    if json:
        console.print_json(opened.show(id).model_dump(mode="json"))
        return
    from zoo import Card

    console.say(Card(opened.show(id))._repr_markdown_())


@app.command()
def verify(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="All agents by default.")
    ] = None,
    registry: console.Registry = None,
    json: console.Json = False,
) -> None:
    """Check every file of an agent against the registry's sizes and SHA-256."""
    opened = _open(registry)
    checked = [
        opened.verify(id)
        for id in ids or [f"{m.id}@{m.version}" for m in opened.list()]
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
    id: Annotated[str, typer.Argument(metavar="ID", help="family/agent.")],
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Finished runs, one for each seed."),
    ],
    registry: console.Registry = None,
    lifetimes: Annotated[
        int, typer.Option(min=2, help="Fresh lifetimes of each evaluation.")
    ] = 1000,
    json: console.Json = False,
) -> None:
    """Evaluate runs of several seeds afresh and publish the median one."""
    from kerasmeta.cli.options import check_agent_id
    from zoo.runs import publish_runs

    check_agent_id(id)
    start_tensorflow()
    with working("publishing") as report:
        published = publish_runs(id, runs, _open(registry), lifetimes, report=report)
    if json:
        console.print_json({"id": published.id, "version": published.version})
        return
    console.say(f"published {published.id}@{published.version}")


def _open(registry: Path | None) -> Any:
    import zoo

    return zoo.default_registry() if registry is None else zoo.Registry(registry)


def _summary(manifest: Any) -> dict[str, Any]:
    family, agent = manifest.id.split("/")
    data = manifest.model_dump(mode="json")
    return {
        "id": manifest.id,
        "version": manifest.version,
        "family": family,
        "agent": agent,
        "task": manifest.task.name,
        "metrics": data["evaluation"]["metrics"],
    }
