"""`kerasmeta train`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta import tasks
from kerasmeta.cli import console
from kerasmeta.cli.progress import training_progress
from kerasmeta.cli.quiet import start_tensorflow


def train(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="A task family or a Gymnasium id.")
    ],
    agent: Annotated[
        str | None,
        typer.Option(
            help="ep_lstm, with episodic memory, or lstm, without; by default ep_lstm, "
            "and lstm for a Gymnasium id, which shows no contexts."
        ),
    ] = None,
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
    """Train an agent on a task family or a Gymnasium environment, by its recipe."""
    from kerasmeta.cli.options import check_agent, check_settings, check_task

    tasks.check(task)
    agent = agent or ("lstm" if tasks.is_gymnasium(task) else "ep_lstm")
    check_agent(agent)
    check_settings(settings or [])
    start_tensorflow()
    from kerasmeta.training.recipes import recipe
    from kerasmeta.training.run_directory import RunDirectory

    changes = [*(settings or []), f"seed={seed}"]
    if steps is not None:
        changes.append(f"steps={steps}")
    config = recipe(task, agent).with_overrides(changes)
    check_task(config)
    directory = RunDirectory(out or default_run(task, agent, seed))
    result = run(config, directory, resume, settings or [])
    _report(result, directory, task, agent, seed, json)


def default_run(task: str, agent: str, seed: int) -> Path:
    """Where a run goes: `runs/two_step-lstm-0`; an id's / and : become -."""
    return Path("runs") / f"{re.sub('[/:]', '-', task)}-{agent}-{seed}"


def run(
    config: Any, directory: Any, resume: bool = False, settings: list[str] | None = None
) -> Any:
    """Trains with a progress report; Ctrl-C says how to go on.

    Args:
        config: A `RunConfig`.
        directory: A `RunDirectory`.
        resume: Go on with the run in the directory.
        settings: The `--set` options that made the configuration.
    """
    from kerasmeta.training.loop import train as run_training

    try:
        with training_progress(config.steps) as report:
            return run_training(config, directory, resume=resume, report=report)
    except KeyboardInterrupt:
        line = "interrupted before the run began; nothing was written"
        if directory.exists():
            command = resume_command(config, directory.path, settings or [])
            line = f"interrupted; go on with: {command}"
        raise console.InterruptedRunError(line) from None


def resume_command(config: Any, path: Path, settings: list[str]) -> str:
    """The command line that goes on with a run."""
    words = ["kerasmeta", "train", config.task.name]
    words += ["--agent", config.agent.kind, "--seed", str(config.seed)]
    words += ["--steps", str(config.steps)]
    for setting in settings:
        words += ["--set", setting]
    return shlex.join([*words, "--out", str(path), "--resume"])


def _report(
    result: Any, directory: Any, task: str, agent: str, seed: int, json: bool
) -> None:
    measured = [row["metrics"] for row in result.rows if "metrics" in row]
    last = measured[-1] if measured else {}
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
    console.print_table(title, ["metric", "value"], rows)
    console.say(
        f"{result.steps:,} steps in {result.wall_seconds:.0f} s: {directory.path}"
    )
    console.say(f"next: kerasmeta evaluate {shlex.quote(str(directory.path))}")
