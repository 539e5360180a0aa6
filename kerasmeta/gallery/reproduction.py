"""The reproduction table: what was published, what our agents do, how to see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kerasmeta.analysis import published
from zoo import Manifest


class Row(NamedTuple):
    """One published number beside ours."""

    family: str
    metric: str
    label: str  # who published it
    source: str  # which figure, how read
    value: float  # published
    agent: str  # family/agent of ours
    mean: float
    ci95: tuple[float, float]
    command: str  # what shows our number


def rows(manifests: Sequence[Manifest]) -> list[Row]:
    """Every published number that agents here have a metric for, by family."""
    return [row for manifest in manifests for row in _rows_of(manifest)]


def _rows_of(manifest: Manifest) -> Iterator[Row]:
    family = manifest.task.name
    for entry_id, entry in published(family).items():
        if not _compares(family, entry_id, manifest.kind):
            continue
        for metric, value in entry.values.items():
            found = manifest.evaluation.metrics.get(metric)
            if found is not None:
                yield Row(
                    family,
                    metric,
                    entry.label,
                    entry.source,
                    value,
                    manifest.id,
                    found.mean,
                    found.ci95,
                    f"kerasmeta evaluate {manifest.id}",
                )


def _compares(family: str, entry_id: str, kind: str) -> bool:
    """Whether a source is of such agents.

    One that ends in `_lstm` tells of agents without memory; one that has such a twin
    tells of those with memory only.
    """
    if entry_id.endswith("_lstm"):
        return kind == "lstm"
    return kind == "ep_lstm" or f"{entry_id}_lstm" not in published(family)
