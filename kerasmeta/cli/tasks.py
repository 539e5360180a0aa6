"""`kerasmeta tasks`."""

from __future__ import annotations

from kerasmeta import tasks as families
from kerasmeta.cli import console
from kerasmeta.tasks.metaworld import names as metaworld


def tasks(json: console.Json = False) -> None:
    """List the task families."""
    entries = [families.entry(name) for name in families.names()]
    if json:
        console.print_json(
            {
                "tasks": [
                    {"name": e.name, "summary": e.summary, "paper": e.paper}
                    for e in entries
                ],
                "metaworld": list(metaworld.families()),
            }
        )
        return
    for entry in entries:
        console.say(f"{entry.name}: {entry.summary}")
        console.say(f"  {entry.paper}")
    console.say("metaworld_ml1_TASK, metaworld_ml10, metaworld_ml45, ..._contextual:")
    console.say(
        f"  Meta-World (docs/meta_world.md); TASK: {', '.join(metaworld.TASKS)}"
    )
