"""`kerasmeta doctor`."""

from __future__ import annotations

import typer

from kerasmeta.cli import console
from kerasmeta.cli.checkups import WRONG, checkups


def doctor(
    registry: console.Registry = None,
    offline: console.Offline = False,
    json: console.Json = False,
) -> None:
    """Say what is wrong with this installation, and how to mend it.

    The exit status is 1 where something is wrong, and 0 where nothing is.
    """
    found = checkups(registry, offline)
    well = all(one.status != WRONG for one in found)
    if json:
        console.print_json(
            {"well": well, "checks": [checkup._asdict() for checkup in found]}
        )
    else:
        rows = [[one.name, one.status, one.found] for one in found]
        console.print_table("kerasmeta doctor", ["", "status", "found"], rows)
        for one in found:
            if one.fix:
                console.say(f"{one.name}: {one.fix}")
        console.say("all is well" if well else "something is wrong; see above")
    if not well:
        raise typer.Exit(1)
