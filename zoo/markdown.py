"""Markdown tables and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, without a newline at its end."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_safe(c) for c in line) + " |" for line in lines)


def number(x: float) -> str:
    """Three decimals; one where the number is large."""
    return f"{x:.3f}" if abs(x) < 100 else f"{x:.1f}"


def interval(mean: float, ends: tuple[float, float]) -> str:
    """A mean and its interval: `0.733 [0.720, 0.746]`."""
    return f"{number(mean)} [{number(ends[0])}, {number(ends[1])}]"


def _safe(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")
