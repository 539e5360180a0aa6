"""`kerasmeta train`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta import tasks
from kerasmeta.cli import console
from kerasmeta.cli.completion import task_names
from kerasmeta.cli.progress import training_progress
from kerasmeta.cli.quiet import start_tensorflow
from kerasmeta.cli.workers import (
    LOST,
    Worker,
    Workers,
    join_workers,
    together,
    worker_words,
)
from kerasmeta.errors import UserError


def train(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="TASK",
            help="A task family or a Gymnasium id; not needed with --config.",
            autocompletion=task_names,
        ),
    ] = None,
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
    file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Begin with this configuration instead of the recipe: what "
            "kerasmeta tune found (best.json), or another run's config.json.",
        ),
    ] = None,
    workers: Workers = None,
    worker: Worker = None,
    json: console.Json = False,
) -> None:
    """Train an agent on a task family or a Gymnasium environment, by its recipe."""
    from kerasmeta.cli.options import check_settings, check_task

    check_settings(settings or [])
    config = _configuration(task, agent, file, alone=not together(workers))
    task, agent = config.task.name, config.agent.kind
    from kerasmeta.training.run_directory import RunDirectory

    changes = [*(settings or []), f"seed={seed}"]
    if steps is not None:
        changes.append(f"steps={steps}")
    config = config.with_overrides(changes)
    check_task(config)
    directory = RunDirectory(out or default_run(task, agent, seed))
    command = ["train", task, "--agent", agent, *setting_words(settings, seed)]
    command += ["--config", str(file)] if file else []
    if worker is None and not together(workers):
        result = run(config, directory, resume, command)
    else:
        command += worker_words(workers, worker)
        joined = join_workers(config, workers, worker)
        result = run(config, directory, resume, command, workers=joined)
        if not (joined.is_chief or json):
            console.say(f"worker {joined.index} is done; worker 0 keeps the run")
            return
    report(result, directory, config, json)


def _configuration(
    task: str | None, agent: str | None, file: Path | None, alone: bool
) -> Any:
    """The recipe, or what a file has instead of it."""
    from kerasmeta.cli.options import check_agent

    if task is not None:
        tasks.check(task)
    if agent is not None:
        check_agent(agent)
    if file is None and task is None:
        fix = "name one, or give --config (see kerasmeta train --help)"
        raise UserError("TASK", "", "is missing", fix)
    start_tensorflow(compiles=alone)
    from kerasmeta.training.config_file import read_config
    from kerasmeta.training.recipes import recipe

    if file is not None:
        return read_config(file, task, agent)
    assert task is not None  # refused above
    return recipe(task, agent or ("ep_lstm" if tasks.shows_contexts(task) else "lstm"))


def default_run(task: str, agent: str, seed: int) -> Path:
    """Where a run goes: `runs/two_step-lstm-0`; an id's / and : become -."""
    return Path("runs") / f"{re.sub('[/:]', '-', task)}-{agent}-{seed}"


def run(
    config: Any,
    directory: Any,
    resume: bool = False,
    command: list[str] | None = None,
    parent: Any = None,
    workers: Any = None,
) -> Any:
    """Trains with a progress report; Ctrl-C and a lost worker say how to go on.

    Args:
        config: A `RunConfig`.
        directory: A `RunDirectory`.
        resume: Go on with the run in the directory.
        command: The words of the command that made the configuration, without the
            number of steps and the directory; `train TASK` by default.
        parent: The `EpisodicAgent` that is fine-tuned, if one is.
        workers: Those that train together; the chief reports. By default this process
            trains alone.
    """
    from kerasmeta.training.loop import ALONE
    from kerasmeta.training.loop import train as run_training
    from kerasmeta.training.workers import LostWorkerError

    words = command or ["train", config.task.name, "--agent", config.agent.kind]
    again = resume_command(words, config.steps, directory.path)
    workers = workers or ALONE
    options = {"resume": resume, "parent": parent, "workers": workers}
    try:
        if not workers.is_chief:
            return run_training(config, directory, **options)
        with training_progress(config.steps) as report:
            return run_training(config, directory, report=report, **options)
    except KeyboardInterrupt:
        line = "interrupted before the run began; nothing was written"
        if directory.exists():
            line = f"interrupted; go on with: {again}"
        raise console.InterruptedRunError(line) from None
    except LostWorkerError as error:
        line = f"{error}; go on, with as many workers or others, with: {again}"
        raise console.InterruptedRunError(line, LOST) from None


def setting_words(settings: list[str] | None, seed: int) -> list[str]:
    """Seed and settings, as they are typed."""
    words = ["--seed", str(seed)]
    for setting in settings or []:
        words += ["--set", setting]
    return words


def resume_command(words: list[str], steps: int, path: Path) -> str:
    """The command line that goes on with a run."""
    end = ["--steps", str(steps), "--out", str(path), "--resume"]
    return shlex.join(["kerasmeta", *words, *end])


def report(result: Any, directory: Any, config: Any, json: bool) -> None:
    """Says how training ended; what was fine-tuned is said to be so."""
    measured = [row["metrics"] for row in result.rows if "metrics" in row]
    last = measured[-1] if measured else {}
    task, agent, seed = config.task.name, config.agent.kind, config.seed
    if json:
        console.print_json(
            {
                "run": str(directory.path),
                "task": task,
                "agent": agent,
                **({"parent": config.start.agent} if config.start else {}),
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
