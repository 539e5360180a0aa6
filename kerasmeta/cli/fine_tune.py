"""`kerasmeta fine-tune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.cli.completion import task_names
from kerasmeta.cli.train import default_run, report, run, setting_words
from kerasmeta.errors import UserError

Parts = list[str] | None


def fine_tune(
    agent: console.Agent,
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="[TASK]",
            help="A task family or a Gymnasium id; by default the agent's own.",
            autocompletion=task_names,
        ),
    ] = None,
    task_option: Annotated[
        str | None, typer.Option("--task", help="The same as TASK.")
    ] = None,
    freeze: Annotated[
        Parts,
        typer.Option(
            metavar="PART",
            help="Leave a part as it is: actor/cell, actor/encoder, critic/encoder, "
            "actor/cell/kernel.",
        ),
    ] = None,
    fresh: Annotated[
        Parts,
        typer.Option(
            metavar="PART",
            help="Begin a part with new weights: actor/head (another set of actions "
            "needs it), critic/head, critic.",
        ),
    ] = None,
    seed: console.Seed = 0,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Environment steps; a fifth of the recipe's."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory; runs/TASK-AGENT-fine-tuned-SEED by default."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --out.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change task or recipe: task.common=0.7, trpo.delta=0.005.",
        ),
    ] = None,
    registry: console.Registry = None,
    offline: console.Offline = False,
    json: console.Json = False,
) -> None:
    """Go on training an agent of the zoo, or of a run, on a changed or another task."""
    from kerasmeta import tasks
    from kerasmeta.cli.options import check_settings, check_task, named

    task = _one(task, task_option)
    if task is not None:
        tasks.check(task)
    check_settings(settings or [])
    parent = _parent(agent, registry, offline)
    from kerasmeta.training.fine_tuning import configuration
    from kerasmeta.training.run_directory import RunDirectory

    changes = [*(settings or []), f"seed={seed}"]
    if steps is not None:
        changes.append(f"steps={steps}")
    with named(fresh="--fresh", freeze="--freeze"):
        config = configuration(parent, task, changes, fresh or (), freeze or ())
        check_task(config)
        kind = f"{config.agent.kind}-fine-tuned"
        directory = RunDirectory(out or default_run(config.task.name, kind, seed))
        command = ["fine-tune", agent, config.task.name]
        for option, parts in (("--freeze", freeze), ("--fresh", fresh)):
            command += [word for part in parts or () for word in (option, part)]
        command += setting_words(settings, seed)
        result = run(config, directory, resume, command, parent.agent)
    report(result, directory, config, json)


def _one(task: str | None, option: str | None) -> str | None:
    """TASK, in whichever way it was given."""
    if task is not None and option not in (None, task):
        raise UserError("--task", option, f"is not TASK, {task}", "leave one out")
    return task or option


def _parent(name: str, registry: list[str] | None, offline: bool) -> Any:
    from kerasmeta.cli.agents import load_agent

    loaded = load_agent(name, registry, offline)
    from kerasmeta.training import fine_tuning

    if loaded.run is not None:
        return fine_tuning.trained(loaded.run)
    return fine_tuning.published(loaded.agent)
