"""What `kerasmeta tune` tells: a line a trial, and at the end a table and a figure."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

import typer

from kerasmeta.cli import console
from kerasmeta.errors import UserError

SHOWN = 10  # rows of the table


def tell(trial: Any) -> None:
    """A line about a trial that was finished, on standard error."""
    values = [f"{k}={_short(v)}" for k, v in trial.values.items() if "/" not in k]
    score = "diverged" if trial.score is None else f"{trial.score:.4f}"
    typer.echo(f"trial {trial.id}  {score}  {' '.join(values)}", err=True)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def report(config: Any, found: list[Any], path: Path, json: bool) -> None:
    """Writes the table, the figure and the best configuration, and says so."""
    from kerasmeta.analysis.figures import files, search_figure
    from kerasmeta.training import tuning
    from kerasmeta.training.run_directory import to_json, write_atomically
    from kerasmeta.training.tuning.results import table, write_table

    if not found:
        fix = "see trials/ in the directory, or search smaller values"
        raise UserError("kerasmeta tune", str(path), "has no finished trial", fix)
    rows = table(config, found)
    write_table(path / "results.csv", rows)
    scores = [math.nan if trial.score is None else trial.score for trial in found]
    keys = [dimension.key for dimension in config.dimensions]
    values = {key: [trial.values[key] for trial in found] for key in keys}
    ranges = [d.key for d in config.dimensions if not d.choices]
    drawn = files.save(
        search_figure.search_figure(scores, values, ranges), path / "search"
    )
    best = tuning.best_config(config, found)
    if best is not None:
        file = path / "best.json"
        write_atomically(file, to_json(best.model_dump(mode="json")))
    if json:
        console.print_json(_summary(config, found, path, best, drawn))
        return
    shown = [[_cell(value) for value in row] for row in rows[1 : SHOWN + 1]]
    title = f"{config.run.task.name}/{config.run.agent.kind}: {len(found)} trials"
    console.print_table(title, [name.rpartition(".")[2] for name in rows[0]], shown)
    if best is not None:
        quoted = shlex.quote(str(path / "best.json"))
        console.say(f"next: kerasmeta train --config {quoted}")


def _cell(value: Any) -> str:
    return "–" if value is None else _short(value)


def _summary(
    config: Any, found: list[Any], path: Path, best: Any, drawn: tuple[Path, Path]
) -> dict[str, Any]:
    listed = [
        {
            "trial": trial.id,
            "values": {k: v for k, v in trial.values.items() if "/" not in k},
            "reward_per_trial": trial.score,
            "seeds": [result.score for result in trial.seeds],
            "steps": trial.steps,
        }
        for trial in found
    ]
    return {
        "search": str(path),
        "task": config.run.task.name,
        "agent": config.run.agent.kind,
        "algorithm": config.algorithm,
        "trials": listed,
        "best": str(path / "best.json") if best is not None else None,
        "files": [str(file) for file in (path / "results.csv", *drawn)],
    }
