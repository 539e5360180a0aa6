"""`kerasmeta demo`: the main job, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.errors import UserError

FAMILY, KIND = "episodic_two_step", "ep_lstm"
DEFAULT_OUT = Path("runs/demo")


def demo(
    out: Annotated[
        Path | None, typer.Option(help="Run directory; runs/demo by default.")
    ] = None,
    seed: console.Seed = 0,
    steps: Annotated[
        int, typer.Option(min=1, help="Environment steps of training.")
    ] = 3_000_000,
    json: console.Json = False,
) -> None:
    """Train an episodic agent from nothing and show that its memory matters.

    Trains, evaluates with and without memory, exports, publishes to a registry in the
    run directory, loads the agent back from there and lets the copy act.
    """
    from kerasmeta.cli.evaluate import print_comparison, without_nan
    from kerasmeta.cli.figures import behaviour_figures
    from kerasmeta.cli.options import make_directory
    from kerasmeta.cli.train import run
    from kerasmeta.training.evaluation import evaluate, references
    from kerasmeta.training.recipes import recipe
    from kerasmeta.training.run_directory import RunDirectory

    directory = RunDirectory(out or _free(DEFAULT_OUT))
    config = recipe(FAMILY, KIND).with_overrides([f"seed={seed}", f"steps={steps}"])
    _check_free(directory)
    make_directory(directory.path)
    _say(f"1/6 training {FAMILY}/{KIND} for {steps:,} steps in {directory.path}")
    trained = run(config, directory)
    _say(f"    trained in {trained.wall_seconds:.0f} s")
    _say(
        "2/6 evaluating 1,000 fresh lifetimes, frozen weights, with and without memory"
    )
    found = {
        "agent": evaluate(trained.agent, trained.task),
        "memory lesioned": evaluate(trained.agent.lesioned("memory"), trained.task),
    }
    exported = _export(trained.agent, directory)
    agent = _publish(directory)
    reward = _act(agent, trained.task)
    _say(f"5/6 the loaded copy earned {reward:.3f} a trial in 200 lifetimes")
    files = behaviour_figures(
        directory.path, f"{FAMILY}/{KIND}", trained.task, found, directory.path
    )
    _say(f"6/6 drew {', '.join(str(path) for path in files if path.suffix == '.png')}")
    metrics = {name: evaluation.as_dict() for name, evaluation in found.items()}
    compared = references(trained.task)
    if json:
        console.print_json(
            {
                "run": str(directory.path),
                "train_seconds": trained.wall_seconds,
                "metrics": metrics,
                "references": without_nan(compared),
                "export": str(exported),
                "figures": [str(path) for path in files],
            }
        )
        return
    columns = {name: compared[name] for name in ("optimal", "published")}
    print_comparison(f"{FAMILY}/{KIND}", metrics, columns)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _check_free(directory: Any) -> None:
    """Refuses a directory that holds something; a demonstration is not resumed."""
    try:
        directory.check_free()
    except UserError as error:
        fix = "choose another directory"
        raise UserError(error.argument, error.value, error.problem, fix) from None


def _free(path: Path) -> Path:
    """`path`, or the first of `path-2`, `path-3`, ... that is not taken."""
    taken, number = path, 1
    while taken.exists():
        number += 1
        taken = path.with_name(f"{path.name}-{number}")
    return taken


def _export(agent: Any, directory: Any) -> Path:
    from export import export_agent

    path = export_agent(agent, directory.path / "export")
    _say(f"3/6 exported a SavedModel to {path}")
    return path


def _publish(directory: Any) -> Any:
    """Publishes the run to a registry of its own and loads the agent from there."""
    import zoo
    from zoo.runs import publish_runs

    registry = zoo.Registry(directory.path / "registry")
    published = publish_runs(f"{FAMILY}/{KIND}", [directory.path], registry)
    _say(
        f"4/6 published {published.id}@{published.version}, verified and loaded it back"
    )
    return zoo.load(f"{FAMILY}/{KIND}", registry=registry)


def _act(agent: Any, task: Any) -> float:
    """Mean reward per trial of an agent over 200 lifetimes."""
    from kerasmeta.training.evaluation import record

    lifetimes = record(agent, task, lifetimes=200, seed=1)
    return float(lifetimes.reward.sum() / (200 * task.trials_per_lifetime))
