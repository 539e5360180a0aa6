"""Learning curves: what every training seed earned while it learnt, kept in a version.

A run's log has a row an iteration with everything the optimizer measured. Kept of it is
what people draw: steps, return, reward per trial, and the family's metrics, of some
hundred rows a seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .files import CURVES

Rows = Sequence[Mapping[str, Any]]  # of one run's metrics.jsonl

KEPT = ("steps", "return", "reward_per_trial", "metrics")
MOST_ROWS = 250  # of one seed
DIGITS = 5  # after the point


def write(directory: Path, curves: Mapping[int, Rows]) -> None:
    """Writes the curves of all seeds into a version's directory, if there are any."""
    if curves:
        kept = {str(seed): thinned(curves[seed]) for seed in sorted(curves)}
        text = json.dumps({"seeds": kept}, separators=(",", ":"), allow_nan=False)
        (directory / CURVES).write_text(text + "\n", encoding="utf-8")


def read(directory: Path) -> dict[int, list[dict[str, Any]]]:
    """The rows by seed; none where a version was published without curves."""
    path = directory / CURVES
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))["seeds"]
    return {int(seed): rows for seed, rows in kept.items()}


def thinned(rows: Rows) -> list[dict[str, Any]]:
    """Evenly spaced rows, those with metrics and the last one, in short numbers."""
    stride = -(-len(rows) // MOST_ROWS)  # rounded up
    last = len(rows) - 1
    return [
        {key: _short(row[key]) for key in KEPT if key in row}
        for n, row in enumerate(rows)
        if n % stride == 0 or n == last or "metrics" in row
    ]


def _short(value: Any) -> Any:
    """Numbers to `DIGITS` digits after the point, inside dicts too."""
    if isinstance(value, Mapping):
        return {key: _short(inner) for key, inner in value.items()}
    return round(value, DIGITS) if isinstance(value, float) else value
