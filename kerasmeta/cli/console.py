"""What commands share: options, consoles, tables.

Results go to standard output; progress and errors to standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from kerasmeta.cli.completion import agent_ids

INTERRUPTED = 130  # 128 + SIGINT, as shells have it

Agent = Annotated[
    str,
    typer.Argument(
        metavar="AGENT",
        help="A zoo id (family/agent or family/agent@version) or a run directory.",
        autocompletion=agent_ids,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**30 - 1, help="Of all randomness.")]
Registry = Annotated[
    list[str] | None,
    typer.Option(
        "--registry",
        metavar="ADDRESS",
        help="Another registry than the one the package carries: a folder, a zip file, "
        "https://, s3://, gs:// or hf://owner/name; several are searched in order "
        "(KERASMETA_REGISTRY).",
    ),
]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline", help="Use what the cache holds, no network (KERASMETA_OFFLINE)."
    ),
]
RequiredKey = Annotated[
    Path | None,
    typer.Option(
        metavar="KEY",
        envvar="KERASMETA_REQUIRE_SIGNATURE",
        help="Refuse what the holder of this public key (PEM) has not signed.",
    ),
]

# Where there is no terminal to ask (a pipe, a log), tables get the room they need.
out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True)


def open_registry(
    registry: list[str] | None,
    offline: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> Any:
    """The registry, or the several, that `--registry` and `--offline` ask for."""
    import zoo

    return zoo.open_registry(registry, offline or None, report)


class InterruptedRunError(Exception):
    """Ctrl-C, or a lost worker, where there is something to say about it.

    Args:
        line: What is said.
        status: The exit status.
    """

    def __init__(self, line: str, status: int = INTERRUPTED) -> None:
        super().__init__(line)
        self.status = status


def say(line: str) -> None:
    """A line of the result on standard output, never wrapped."""
    typer.echo(line)


def print_json(data: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(data, allow_nan=False))


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A title and a table; figures go to the right, text to the left."""
    made = Table()
    for index, column in enumerate(columns):
        figures = all(row[index][:1] in "0123456789-–" for row in rows)
        justify: Literal["left", "right"] = "right" if figures else "left"
        made.add_column(column, justify=justify, no_wrap=index == 0)
    for row in rows:
        made.add_row(*row)
    out.print(title, style="bold", markup=False, highlight=False, soft_wrap=True)
    out.print(made)


def number(value: Any) -> str:
    """A figure for a table: three decimals, or a dash where there is none."""
    if value is None or value != value:
        return "–"
    return f"{value:.3f}"


def interval(estimate: Mapping[str, Any]) -> str:
    """`mean [lo, hi]`."""
    low, high = estimate["ci95"]
    if low is None or low != low:
        return number(estimate["mean"])
    return f"{number(estimate['mean'])} [{number(low)}, {number(high)}]"
