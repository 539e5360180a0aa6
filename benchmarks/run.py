"""The benchmarks: `python -m benchmarks.run [ROWS] [--json] [--quick] [--record]`.

Run from the repository's root by `make bench`, in an environment that has the peers.
"""

from __future__ import annotations

import datetime
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import machine, report
from benchmarks.rows.context import Context
from benchmarks.timing import SubjectError

ROWS = (
    "rollout",
    "update",
    "train",
    "act",
    "cold",
    "scale",
    "criterion",
    "metaworld",
)


def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help=f"{', '.join(ROWS)}; all by default.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
    quick: Annotated[
        bool, typer.Option(help="Tiny sizes: does everything run?")
    ] = False,
    record: Annotated[
        bool, typer.Option(help="Write results.json and RESULTS.md.")
    ] = False,
) -> None:
    """Measure this project beside its peers."""
    chosen = list(rows or ROWS)
    for name in chosen:
        if name not in ROWS:
            raise typer.BadParameter(f"'{name}' is no row; use {', '.join(ROWS)}")
    if record and quick:
        raise typer.BadParameter("figures of tiny sizes are not recorded")
    results, failures = measure(chosen, quick)
    if record and results:
        report.record(results)
    if as_json:
        typer.echo(json.dumps({"rows": results, "failures": failures}))
    else:
        report.print_table([f for row in results.values() for f in row["figures"]])
    for name, problem in failures.items():
        typer.echo(f"error: {name}: {problem}", err=True)
    raise typer.Exit(1 if failures else 0)


def measure(rows: list[str], quick: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Measures rows one after the other; one that fails does not stop the others."""
    start = time.monotonic()

    def say(line: str) -> None:
        elapsed = int(time.monotonic() - start)
        typer.echo(f"[{elapsed // 60:2d}:{elapsed % 60:02d}] {line}", err=True)

    load = machine.load_average()
    if load > 0.5:
        say(f"the machine is busy (load average {load:.1f}): ratios will be noisy")
    say("the machine's ceilings")
    ceilings = machine.measure_ceilings(*((256, 8) if quick else ()))
    results: dict[str, Any] = {}
    failures: dict[str, str] = {}
    for name in rows:
        with tempfile.TemporaryDirectory(prefix="kerasmeta-bench-") as scratch:
            context = Context(quick, say, ceilings, Path(scratch))
            try:
                figures = importlib.import_module(f"benchmarks.rows.{name}").measure(
                    context
                )
            except (SubjectError, OSError, RuntimeError, ValueError) as error:
                failures[name] = f"{error}".splitlines()[0]
                continue
            results[name] = {
                "figures": [figure.as_dict() for figure in figures],
                "machine": machine.describe(),
                "ceilings": ceilings._asdict(),
                "date": datetime.date.today().isoformat(),
                "load": load,
            }
    say("done")
    return results, failures


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    typer.run(main)
