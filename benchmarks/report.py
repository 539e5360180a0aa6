"""Figures as a table, as one JSON object, and as RESULTS.md.

`results.json` keeps the latest figures of each row with the machine and the versions
they were measured with; RESULTS.md is written from it, so that measuring one row anew
leaves the others as they were.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE / "RESULTS.md"
COLUMNS = ("what", "ours", "peer", "ratio (range)", "goal", "of the limit", "note")


def number(value: float | None, unit: str = "") -> str:
    """A figure with three significant digits, or a dash where there is none."""
    if value is None:
        return "–"
    digits = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{digits} {unit}".strip()


def cells(figure: dict[str, Any]) -> tuple[str, ...]:
    """A line of the table, from `Figure.as_dict`."""
    peer, ratio, limit = "", "", ""
    if figure["peer"]:
        peer = f"{figure['peer']}: {number(figure['peer_value'], figure['unit'])}"
    if found := figure["ratio"]:
        median, low, high = (number(found[k]) for k in ("median", "low", "high"))
        ratio = f"{median} ({low} to {high})"
    if figure["limit"]:
        kind, share = figure["limit"]["kind"], figure["limit"]["share"]
        limit = f"{100 * share:.1f} % ({kind})"
    goal = figure["goal"] or ""
    if figure["met"] is not None:
        goal += ", met" if figure["met"] else ", NOT MET"
    ours = number(figure["value"], figure["unit"])
    return figure["what"], ours, peer, ratio, goal, limit, figure["note"]


def print_table(figures: Sequence[dict[str, Any]]) -> None:
    """The table on standard output."""
    table = Table(title="benchmarks")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for figure in figures:
        table.add_row(*cells(figure), end_section=figure is figures[-1])
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def record(rows: dict[str, dict[str, Any]], results: Path = RESULTS) -> None:
    """Puts rows into results.json and writes RESULTS.md anew beside it.

    Args:
        rows: Row name to `{"figures", "machine", "ceilings", "date", "load"}`.
        results: The file; RESULTS.md lies beside it.
    """
    kept = json.loads(results.read_text()) if results.exists() else {}
    kept.update(rows)
    results.write_text(json.dumps(kept, indent=1, allow_nan=False) + "\n")
    (results.parent / PAGE.name).write_text(page(kept))


def page(rows: dict[str, dict[str, Any]]) -> str:
    """RESULTS.md."""
    parts = [_INTRODUCTION]
    for name, row in rows.items():
        parts.append(f"## {name}\n\n{_conditions(row)}\n\n{_table(row['figures'])}")
    if extra := _notes():
        parts.append(extra)
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """# Results

Written by `make bench ARGS=--record`. Each subject runs in a process of its own with
all processors at its disposal; subjects are measured in turn, and a ratio is that of
two measurements next to each other in time: the median of the rounds and their range.
A ratio above 1 means that this project is faster. "Of the limit" is the share of the
nearest ceiling that was reached: matrix products alone at the machine's peak for
FLOPs, or the least traffic at its copying speed for bytes; `work.py` counts both."""


def _conditions(row: dict[str, Any]) -> str:
    machine, ceilings = row["machine"], row["ceilings"]
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items() if v)
    accelerator = machine["accelerator"] or "no accelerator"
    return (
        f"{row['date']}; {machine['processors']} x {machine['processor']}, "
        f"{machine['memory_gib']} GiB, {accelerator}; {machine['system']}, "
        f"Python {machine['python']}, {versions}. Ceilings: "
        f"{ceilings['flops'] / 1e9:.0f} GFLOP/s, {ceilings['bytes'] / 1e9:.1f} GB/s. "
        f"Load average before: {row['load']:.1f}."
    )


def _table(figures: Sequence[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(cells(figure)) + " |" for figure in figures]
    return "\n".join(lines)


def _notes() -> str:
    """What was written by hand and belongs on the page: NOTES.md."""
    notes = HERE / "NOTES.md"
    return notes.read_text().strip() if notes.exists() else ""
