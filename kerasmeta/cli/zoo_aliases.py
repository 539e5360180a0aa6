"""`kerasmeta zoo alias ...`: names for versions, which may move."""

from __future__ import annotations

from typing import Annotated

import typer

from kerasmeta.cli import console
from kerasmeta.cli.completion import agent_ids

app = typer.Typer(help="Names for versions, such as stable.")

Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="Such as stable.")]


@app.command("set")
def set_alias(
    id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="family/agent@version, or family/agent: the latest.",
            autocompletion=agent_ids,
        ),
    ],
    alias: Alias,
    registry: console.Registry = None,
    json: console.Json = False,
) -> None:
    """Let an alias name a version of an agent, from now on."""
    from zoo.opening import open_folder

    name, version = open_folder(registry).set_alias(id, alias)
    if json:
        console.print_json({"id": name, "alias": alias, "version": version})
        return
    console.say(f"{name}@{alias} is {name}@{version}")


def remove_alias(
    id: Annotated[
        str,
        typer.Argument(metavar="ID", help="family/agent.", autocompletion=agent_ids),
    ],
    alias: Alias,
    registry: console.Registry = None,
    json: console.Json = False,
) -> None:
    """Remove an alias of an agent; the version stays."""
    from zoo.opening import open_folder

    open_folder(registry).remove_alias(id, alias)
    if json:
        console.print_json({"id": id, "alias": alias})
        return
    console.say(f"removed {id}@{alias}")
