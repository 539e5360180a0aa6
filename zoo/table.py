"""The table of the registry's agents, for the project's README."""

from __future__ import annotations

from collections.abc import Iterable

from kerasmeta.errors import UserError

from .manifest import Estimate, Manifest
from .markdown import interval, table

MARKER = "<!-- zoo-table -->"
HEAD = ("agent", "task", "paper", "metrics (95% interval)", "lesioned", "seeds")


def agents_table(manifests: Iterable[Manifest]) -> str:
    """One row per agent, in markdown."""
    return table(HEAD, [_row(manifest) for manifest in manifests])


def replace_table(text: str, manifests: Iterable[Manifest]) -> str:
    """A README with the table between its two markers rendered anew.

    Raises:
        UserError: The text does not hold the marker twice.
    """
    parts = text.split(MARKER)
    if len(parts) != 3:
        raise UserError(
            "README",
            MARKER,
            f"is there {len(parts) - 1} times",
            "put it once before and once after the table",
        )
    middle = f"\n{agents_table(manifests)}\n"
    return MARKER.join([parts[0], middle, parts[2]])


def _row(manifest: Manifest) -> list[str]:
    evaluation = manifest.evaluation
    lesions = [
        f"{lesion}: {_metrics(manifest, values)}"
        for lesion, values in sorted(evaluation.lesions.items())
    ]
    return [
        f"`{manifest.id}`",
        f"`{manifest.task.name}`",
        manifest.papers[0],
        _metrics(manifest, evaluation.metrics),
        "; ".join(lesions) or "–",
        str(len(evaluation.seeds)),
    ]


def _metrics(manifest: Manifest, metrics: dict[str, Estimate]) -> str:
    shown = [name for name in manifest.headline if name in metrics]
    return ", ".join(
        f"`{name}` {interval(metrics[name].mean, metrics[name].ci95)}" for name in shown
    )
