"""What analyses found: as files, as JSON, as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kerasmeta.analysis import Finding, save
from kerasmeta.analysis.tables import write_netcdf, write_parquet
from kerasmeta.cli import console

# Entries of a statistic that are columns of their own, each a value by source.
_COMPARED = ("players", "published")


def write_findings(out: Path, found: Mapping[str, Finding]) -> list[Path]:
    """Writes figures (PNG, SVG), tables (Parquet) and datasets (NetCDF)."""
    files: list[Path] = []
    for finding in found.values():
        for name, draw in finding.figures.items():
            files += save(draw(), out / name)
        for name, table in finding.tables.items():
            files.append(write_parquet(table(), out / f"{name}.parquet"))
        for name, dataset in finding.datasets.items():
            files.append(write_netcdf(dataset(), out / f"{name}.nc"))
    return files


def as_json(data: Any) -> Any:
    """The same data as JSON has it: plain numbers and lists, None for NaN."""
    if isinstance(data, Mapping):
        return {str(key): as_json(value) for key, value in data.items()}
    if isinstance(data, (list, tuple, np.ndarray)):
        return [as_json(value) for value in data]
    if isinstance(data, np.generic):
        data = data.item()
    finite = not isinstance(data, float) or abs(data) < float("inf")  # False for NaN
    return data if finite else None


def print_report(report: Mapping[str, Any]) -> None:
    """A table for every analysis: its statistics beside what they compare with."""
    seeds = len(report["subjects"])
    many = f"{seeds} seeds, " if seeds > 1 else ""
    title = f"{report['agent']} on {report['task']}, {many}"
    console.say(f"{title}{report['lifetimes']:,} lifetimes")
    for name, statistics in report["analyses"].items():
        if rows := list(_statistics(statistics)):
            _print_table(name.replace("_", " "), rows)


def _print_table(title: str, rows: list[tuple[str, Mapping[str, Any]]]) -> None:
    sources = {
        key: kind
        for _, entry in rows
        for kind in _COMPARED
        for key in entry.get(kind, {})
    }
    tested = any("p_value" in entry for _, entry in rows)
    columns = ["statistic", "mean [95% interval]", *(["p"] if tested else []), *sources]
    table = [
        [
            name,
            console.interval(entry),
            *([_p(entry)] if tested else []),
            *(console.number(entry.get(k, {}).get(key)) for key, k in sources.items()),
        ]
        for name, entry in rows
    ]
    console.print_table(title, columns, table)


def _statistics(data: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Everything with a mean and an interval, by its path."""
    if not isinstance(data, Mapping):
        return
    if "mean" in data and "ci95" in data:
        yield path or "mean", data
        return
    for key, value in data.items():
        # "agent" goes without saying; its lesioned twins are named.
        inner = f"{path} {key}".strip() if key != "agent" else path
        yield from _statistics(value, inner)


def _p(entry: Mapping[str, Any]) -> str:
    value = entry.get("p_value")
    if value is None:
        return console.number(value)
    return "< .001" if value < 0.001 else f"{value:.3f}"
