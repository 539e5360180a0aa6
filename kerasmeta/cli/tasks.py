"""`kerasmeta tasks`."""

from __future__ import annotations

from kerasmeta import tasks as families
from kerasmeta.cli import console


def tasks(json: console.Json = False) -> None:
    """List the task families."""
    entries = [families.entry(name) for name in families.names()]
    if json:
        console.print_json(
            {
                "tasks": [
                    {"name": e.name, "summary": e.summary, "paper": e.paper}
                    for e in entries
                ]
            }
        )
        return
    for entry in entries:
        console.say(f"{entry.name}: {entry.summary}")
        console.say(f"  {entry.paper}")
