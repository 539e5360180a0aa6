"""`kerasmeta demo`: the main job, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.cli.quiet import start_tensorflow
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
    start_tensorflow()
    from kerasmeta.cli.options import make_directory
    from kerasmeta.training.run_directory import RunDirectory

    directory = RunDirectory(out or _free(DEFAULT_OUT))
    _check_free(directory)
    make_directory(directory.path)
    trained = _train(directory, seed, steps)
    _say("2/6 evaluating 1,000 fresh lifetimes, with and without memory")
    found = _evaluate(trained)
    exported = _export(trained.agent, directory)
    _act(_publish(directory), trained.task)
    figures = _draw(directory, trained.task, found)
    metrics = {name: evaluation.as_dict() for name, evaluation in found.items()}
    _report(directory, trained, metrics, exported, figures, json)


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


def _train(directory: Any, seed: int, steps: int) -> Any:
    from kerasmeta.cli.train import run
    from kerasmeta.training.recipes import recipe

    config = recipe(FAMILY, KIND).with_overrides([f"seed={seed}", f"steps={steps}"])
    _say(f"1/6 training {FAMILY}/{KIND} for {steps:,} steps in {directory.path}")
    trained = run(config, directory)
    _say(f"    trained in {trained.wall_seconds:.0f} s")
    return trained


def _evaluate(trained: Any) -> dict[str, Any]:
    from kerasmeta.training.evaluation import evaluate

    lesioned = trained.agent.lesioned("memory")
    return {
        "agent": evaluate(trained.agent, trained.task),
        "memory lesioned": evaluate(lesioned, trained.task),
    }


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


def _act(agent: Any, task: Any) -> None:
    """Lets the loaded copy live through 200 lifetimes."""
    from kerasmeta.training.evaluation import record

    lifetimes = record(agent, task, lifetimes=200, seed=1)
    reward = float(lifetimes.reward.sum() / (200 * task.trials_per_lifetime))
    _say(f"5/6 the loaded copy earned {reward:.3f} a trial in 200 lifetimes")


def _draw(directory: Any, task: Any, found: dict[str, Any]) -> list[Path]:
    from kerasmeta.cli.figures import behaviour_figures

    path = directory.path
    files = behaviour_figures(path, f"{FAMILY}/{KIND}", task, found, path)
    _say(f"6/6 drew {', '.join(str(path) for path in files if path.suffix == '.png')}")
    return files


def _report(
    directory: Any,
    trained: Any,
    metrics: dict[str, Any],
    exported: Path,
    figures: list[Path],
    json: bool,
) -> None:
    from kerasmeta.cli.evaluate import print_comparison, without_nan
    from kerasmeta.training.evaluation import references

    compared = references(trained.task)
    if json:
        console.print_json(
            {
                "run": str(directory.path),
                "train_seconds": trained.wall_seconds,
                "metrics": metrics,
                "references": without_nan(compared),
                "export": str(exported),
                "figures": [str(path) for path in figures],
            }
        )
        return
    columns = {name: compared[name] for name in ("optimal", "published")}
    print_comparison(f"{FAMILY}/{KIND}", metrics, columns)
