"""AGENT: a zoo id or a run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.cli.quiet import start_tensorflow


class Loaded(NamedTuple):
    """An agent, what it is called, and the task it was trained on."""

    name: str
    agent: Any  # EpisodicAgent
    task: Any  # Task
    run: Path | None  # its run directory, if it came from one


def load_agent(name: str, registry: Path | None = None) -> Loaded:
    """Loads AGENT.

    A name that is a directory, or can only be a path (it begins with `.`, `/` or `~`,
    or has no or more than one `/`), is a run directory; anything else a zoo id.
    """
    import zoo
    from kerasmeta import tasks

    path = Path(name).expanduser()
    if path.is_dir() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        start_tensorflow()
        from kerasmeta.training.runs import load_run

        agent, task = load_run(path)
        return Loaded(name, agent, task, path)
    opened = zoo.default_registry() if registry is None else zoo.Registry(registry)
    opened.show(name)  # an unknown agent is refused before TensorFlow is imported
    start_tensorflow()
    agent = zoo.load(name, registry=opened)
    described = agent.card.manifest.task
    task = tasks.make(described.name, **described.parameters)
    return Loaded(name, agent, task, None)
