"""AGENT: a zoo id or a run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.cli import console
from kerasmeta.cli.quiet import start_tensorflow


class Loaded(NamedTuple):
    """An agent, what it is called, and the task it was trained on."""

    name: str
    agent: Any  # EpisodicAgent
    task: Any  # Task
    run: Path | None  # its run directory, if it came from one


def load_agent(
    name: str, registry: list[str] | None = None, offline: bool = False
) -> Loaded:
    """Loads AGENT.

    A name that is a directory, or can only be a path (it begins with `.`, `/` or `~`,
    or has no or more than one `/`), is a run directory; anything else a zoo id.
    """
    import zoo

    if _is_run(name):
        return _load_run(name)
    opened = console.open_registry(registry, offline)
    opened.show(name)  # an unknown agent is refused before TensorFlow is imported
    start_tensorflow()
    return _published(name, zoo.load(name, registry=opened))


def load_seeds(
    name: str, registry: list[str] | None = None, offline: bool = False
) -> list[Loaded]:
    """Loads AGENT with the weights of every seed that is published of it."""
    import zoo

    if _is_run(name):
        return [_load_run(name)]
    opened = console.open_registry(registry, offline)
    seeds = opened.show(name).weights()
    start_tensorflow()
    return [
        _published(f"{name} seed {seed}", zoo.load(name, registry=opened, seed=seed))
        for seed in seeds
    ]


def _is_run(name: str) -> bool:
    path = Path(name).expanduser()
    return path.is_dir() or name.startswith((".", "/", "~")) or name.count("/") != 1


def _load_run(name: str) -> Loaded:
    path = Path(name).expanduser()
    start_tensorflow()
    from kerasmeta.training.runs import load_run

    return Loaded(name, *load_run(path), path)


def _published(name: str, agent: Any) -> Loaded:
    from kerasmeta import tasks

    described = agent.card.manifest.task
    return Loaded(name, agent, tasks.make(described.name, **described.parameters), None)
