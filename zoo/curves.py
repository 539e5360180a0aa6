"""Learning curves: what every training seed earned while it learnt, kept in a version.

A run's log has a row an iteration with everything the optimizer measured. Kept of it is
what people draw: steps, return, reward per trial, and the family's metrics, of some
hundred rows a seed, written as columns: names once, a fifth of the size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .files import CURVES

Rows = Sequence[Mapping[str, Any]]  # of one run's metrics.jsonl

KEPT = ("steps", "return", "reward_per_trial", "metrics")
MOST_ROWS = 150  # of one seed
MOST_WITH_METRICS = 40  # a family has up to thirty metrics
DIGITS = 5  # after the point


def write(directory: Path, curves: Mapping[int, Rows]) -> None:
    """Writes the curves of all seeds into a version's directory, if there are any."""
    if curves:
        kept = {str(seed): _columns(thinned(curves[seed])) for seed in sorted(curves)}
        text = json.dumps({"seeds": kept}, separators=(",", ":"), allow_nan=False)
        (directory / CURVES).write_text(text + "\n", encoding="utf-8")


def read(directory: Path) -> dict[int, list[dict[str, Any]]]:
    """The rows by seed; none where a version was published without curves."""
    path = directory / CURVES
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))["seeds"]
    return {
        int(seed): found if isinstance(found, list) else _rows(found)  # once, rows
        for seed, found in kept.items()
    }


def thinned(rows: Rows) -> list[dict[str, Any]]:
    """Evenly spaced rows and the last one, in short numbers.

    Metrics are kept of evenly spaced rows among those that have them, and of the last.
    """
    measured = [n for n, row in enumerate(rows) if "metrics" in row]
    shown = set(_spaced(measured, MOST_WITH_METRICS))
    numbers = shown | set(_spaced(range(len(rows)), MOST_ROWS))
    return [_kept(rows[n], with_metrics=n in shown) for n in sorted(numbers)]


def _spaced(numbers: Sequence[int], most: int) -> list[int]:
    """About `most` of some numbers, evenly spaced, and the last one."""
    stride = max(1, -(-len(numbers) // most))  # rounded up
    return [*numbers[::stride], *numbers[-1:]]


def _kept(row: Mapping[str, Any], with_metrics: bool) -> dict[str, Any]:
    """A row without what nobody draws."""
    names = [key for key in KEPT if with_metrics or key != "metrics"]
    return {key: _short(row[key]) for key in names if key in row}


def _columns(rows: Rows) -> dict[str, Any]:
    """Rows as columns; the metrics, which few rows have, with those rows' numbers."""
    names = [key for key in KEPT if key != "metrics"]
    columns: dict[str, Any] = {
        name: [row.get(name) for row in rows]
        for name in names
        if any(name in row for row in rows)
    }
    at = [n for n, row in enumerate(rows) if "metrics" in row]
    if at:
        found = [rows[n]["metrics"] for n in at]
        values = {name: [row.get(name) for row in found] for name in found[0]}
        columns["metrics"] = {"rows": at, "values": values}
    return columns


def _rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The inverse of `_columns`."""
    plain = {key: values for key, values in columns.items() if key != "metrics"}
    rows: list[dict[str, Any]] = [
        {key: value for key, value in zip(plain, row, strict=True) if value is not None}
        for row in zip(*plain.values(), strict=True)
    ]
    metrics = columns.get("metrics", {"rows": [], "values": {}})
    for n, at in enumerate(metrics["rows"]):
        rows[at]["metrics"] = {k: v[n] for k, v in metrics["values"].items()}
    return rows


def _short(value: Any) -> Any:
    """Numbers to `DIGITS` digits after the point, inside dicts too."""
    if isinstance(value, Mapping):
        return {key: _short(inner) for key, inner in value.items()}
    return round(value, DIGITS) if isinstance(value, float) else value
