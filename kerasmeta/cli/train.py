"""`kerasmeta train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasmeta import tasks
from kerasmeta.cli import console


def train(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task family.")],
    agent: Annotated[
        str, typer.Option(help="ep_lstm, with episodic memory, or lstm, without.")
    ] = "ep_lstm",
    seed: console.Seed = 0,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Environment steps, summed over parallel lifetimes."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory; runs/TASK-AGENT-SEED by default."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --out.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change the recipe: trpo.delta=0.02, agent.units=64, task.common=0.7.",
        ),
    ] = None,
    json: console.Json = False,
) -> None:
    """Train an agent on a task family, by its recipe unless told otherwise."""
    tasks.entry(task)
    from kerasmeta.cli.options import check_agent
    from kerasmeta.training.loop import train as run_training
    from kerasmeta.training.recipes import recipe
    from kerasmeta.training.run_directory import RunDirectory

    check_agent(agent)
    changes = [*(settings or []), f"seed={seed}"]
    if steps is not None:
        changes.append(f"steps={steps}")
    config = recipe(task, agent).with_overrides(changes)
    directory = RunDirectory(out or Path("runs") / f"{task}-{agent}-{seed}")
    with console.training_progress(config.steps) as report:
        result = run_training(config, directory, resume=resume, report=report)
    last = next((r["metrics"] for r in reversed(result.rows) if "metrics" in r), {})
    if json:
        console.print_json(
            {
                "run": str(directory.path),
                "task": task,
                "agent": agent,
                "seed": seed,
                "steps": result.steps,
                "steps_per_second": result.steps_per_second,
                "wall_seconds": result.wall_seconds,
                "metrics": last,
            }
        )
        return
    rows = [[name, console.number(value)] for name, value in last.items()]
    title = f"{task}/{agent}, seed {seed}: last training iteration"
    console.out.print(console.table(title, ["metric", "value"], rows))
    console.out.print(
        f"{result.steps:,} steps in {result.wall_seconds:.0f} s: {directory.path}"
    )
    console.out.print(f"next: kerasmeta evaluate {directory.path}")
