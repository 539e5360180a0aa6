"""What a shell offers for TASK, AGENT and analyses. Nothing here imports TensorFlow."""

from __future__ import annotations

from kerasmeta import tasks


def task_names(incomplete: str) -> list[str]:
    """The families that begin so."""
    return [name for name in tasks.names() if name.startswith(incomplete)]


def agent_ids(incomplete: str) -> list[str]:
    """The published agents that begin so; none where the registry cannot be read."""
    import zoo

    try:
        names = zoo.open_registry(None, offline=True).index().agents
    except Exception:  # a shell that completes must not be disturbed
        return []
    return sorted(name for name in names if name.startswith(incomplete))


def analysis_names(incomplete: str) -> list[str]:
    """The analyses that begin so."""
    from kerasmeta.analysis import analyses

    return [one.name for one in analyses() if one.name.startswith(incomplete)]
