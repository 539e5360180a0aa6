"""`kerasmeta serve-config`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.cli.completion import agent_ids
from kerasmeta.errors import UserError

if TYPE_CHECKING:
    from export.configuration import ServedModel

Agents = Annotated[
    list[str],
    typer.Argument(
        metavar="AGENT...",
        help="Zoo ids (family/agent: its two newest versions, also those to come; "
        "family/agent@version: that one and the one before), or folders that "
        "`kerasmeta export` wrote.",
        autocompletion=agent_ids,
    ),
]


def serve_config(
    agents: Agents,
    out: Annotated[Path, typer.Option(help="A new folder for the files.")],
    image: Annotated[
        str | None, typer.Option(help="The container image of TensorFlow Serving.")
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=1024, help="Batches worked on at a time; CPUs.")
    ] = 2,
    registry: console.Registry = None,
    offline: console.Offline = False,
    require_signature: console.RequiredKey = None,
    json: console.Json = False,
) -> None:
    """Write what TensorFlow Serving needs to serve agents: configuration, manifests."""
    from export.configuration import server_files
    from export.configuration.server_files import IMAGE
    from export.directories import appearing

    opened = console.open_registry(registry, offline)
    models = [_served(agent, opened, require_signature) for agent in agents]
    files = server_files(models, image or IMAGE, threads)
    target = out.expanduser().absolute()
    with appearing(target, "--out") as directory:
        for name, text in {**files.config, **files.manifests}.items():
            (directory / name).write_text(text, encoding="utf-8")
    if json:
        rows = [_row(agent, m) for agent, m in zip(agents, models, strict=True)]
        console.print_json({"out": str(target), "agents": rows})
        return
    for agent, model in zip(agents, models, strict=True):
        console.say(f"{agent} is served as {model.name}")
    console.say(f"start the server with: docker compose --project-directory {out} up")


def _served(agent: str, registry: Any, key: Path | None) -> ServedModel:
    """What to serve for AGENT: a published one, or one that was exported."""
    path = Path(agent).expanduser()
    if path.is_dir() or agent.startswith((".", "/", "~")):
        if key:
            raise UserError(
                "AGENT",
                agent,
                "is a folder, which nobody has signed",
                "publish it with --sign and name its id, or ask for no signature",
            )
        return _exported(agent, path.absolute())
    return _published(agent, registry, key)


def _exported(agent: str, path: Path) -> ServedModel:
    from export.configuration import ServedModel

    numbered = [p for p in path.glob("*/saved_model.pb") if p.parent.name.isdecimal()]
    if not numbered:
        raise UserError(
            "AGENT",
            agent,
            "holds no exported version",
            f"write one: kerasmeta export RUN --out {agent}",
        )
    if not all(c.isalnum() or c in "_.-" for c in path.name):
        raise UserError(
            "AGENT",
            agent,
            "has a name that no URL can have",
            "rename the folder: letters, digits, - and _",
        )
    return ServedModel(path.name, path)


def _published(agent: str, registry: Any, key: Path | None) -> ServedModel:
    """Every version that is served now must be whole, and do nothing harmful."""
    from export.configuration import ServedModel, served_name
    from zoo.identifiers import parse
    from zoo.loading import verified

    source = registry.where(agent)
    reference, asked = source.resolve(agent), parse(agent).version
    versions = [v for v in source.versions(agent) if v <= reference.version][-2:]
    for version in versions:
        verified(f"{reference.name}@{version}", source, key)
    directory = source.directory(reference).parent
    pinned = tuple(versions) if asked is not None else ()
    return ServedModel(served_name(reference.name), directory, pinned)


def _row(agent: str, model: ServedModel) -> dict[str, Any]:
    return {
        "agent": agent,
        "name": model.name,
        "versions": list(model.versions),
        "directory": str(model.directory),
    }
