"""What commands share: options, consoles, tables, the progress bar.

Results go to standard output; progress, tables of a `--json` call and errors to
standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

Agent = Annotated[
    str,
    typer.Argument(
        metavar="AGENT",
        help="A zoo id (family/agent or family/agent@version) or a run directory.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**30 - 1, help="Of all randomness.")]
Registry = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        envvar="KERASMETA_REGISTRY",
        help="Another registry than the one the package carries.",
    ),
]
RunDirectoryOption = Annotated[Path | None, typer.Option(help="The run directory.")]

# Where there is no terminal to ask (a pipe, a log), tables get the room they need.
out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True)


def print_json(data: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(data, allow_nan=False))


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


def table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """A table whose first column is text and whose others are figures."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        text = index == 0
        made.add_column(column, justify="left" if text else "right", no_wrap=text)
    for row in rows:
        made.add_row(*row)
    return made


@contextmanager
def training_progress(total_steps: int, done_steps: int = 0) -> Iterator[Any]:
    """A bar with reward, KL, steps/s and time left; yields the reporter of `train`."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task("", total=total_steps, completed=done_steps, figures="")

        def report(row: dict[str, Any]) -> None:
            figures = (
                f"reward/trial {row['reward_per_trial']:.3f}  KL {row['kl']:.4f}  "
                f"{row['steps_per_second']:,.0f} steps/s"
            )
            progress.update(bar, completed=row["steps"], figures=figures)

        yield report
