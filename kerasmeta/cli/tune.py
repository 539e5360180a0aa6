"""`kerasmeta tune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kerasmeta import tasks
from kerasmeta.cli import console
from kerasmeta.cli.completion import task_names
from kerasmeta.cli.quiet import start_tensorflow, unheard
from kerasmeta.cli.tuned import report, tell
from kerasmeta.errors import UserError

# Of the recipe's steps, those of a trial: who learns fast is seen early.
PART_OF_STEPS = 0.25


def tune(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="A task family or a Gymnasium id.",
            autocompletion=task_names,
        ),
    ],
    trials: Annotated[
        int, typer.Option(min=1, help="How many sets of values are tried.")
    ] = 20,
    algorithm: Annotated[
        Literal["random", "bayesian", "hyperband"],
        typer.Option(help="Who chooses what is tried next."),
    ] = "bayesian",
    agent: Annotated[
        str | None,
        typer.Option(
            help="ep_lstm or lstm; by default ep_lstm, and lstm for a Gymnasium id."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Training seeds of a trial.")] = 3,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Environment steps of each seed; a quarter of the recipe's."
        ),
    ] = None,
    searched: Annotated[
        list[str] | None,
        typer.Option(
            "--search",
            metavar="KEY[=VALUES]",
            help="What is searched, instead of everything: trpo.delta, "
            "trpo.delta=0.001:0.1 or agent.units=32,64.",
        ),
    ] = None,
    seed: console.Seed = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change the recipe for all trials."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The search's directory; runs/TASK-AGENT-search by default."),
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="Go on with the search in --out.")
    ] = False,
    chief: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Be the chief of a shared search: choose, and let workers train.",
        ),
    ] = None,
    worker: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Train for the chief at this address; --out is its directory, and its "
            "other options count.",
        ),
    ] = None,
    json: console.Json = False,
) -> None:
    """Search for the settings with which a task is learnt best (keras-tuner)."""
    from kerasmeta.cli.options import check_agent, check_settings

    tasks.check(task)
    agent = agent or ("ep_lstm" if tasks.shows_contexts(task) else "lstm")
    check_agent(agent)
    check_settings(settings or [])
    address = _address(chief, worker)
    _check_installed()
    start_tensorflow()
    path = out or Path("runs") / f"{_plain(task)}-{agent}-search"
    with unheard():  # Keras 3, which keras-tuner imports beside Keras 2
        from kerasmeta.training import tuning
        from kerasmeta.training.tuning.searching import Role, read, search

    if worker:
        config = read(path)
    else:
        run = _run_config(task, agent, settings or [])
        config = tuning.SearchConfig(
            run=run,
            steps=steps or max(1, round(PART_OF_STEPS * run.steps)),
            dimensions=tuning.dimensions(agent, searched or ()),
            algorithm=algorithm,
            trials=trials,
            seeds=seeds,
            seed=seed,
        )
    role = Role("chief" if chief else "worker", address) if address else None
    try:
        found = search(config, path, resume, role, tell)
    except KeyboardInterrupt:
        line = f"interrupted; go on with the same command and --resume: {path}"
        raise console.InterruptedRunError(line) from None
    if worker is None:
        report(config, found, path, json)
    elif json:
        console.print_json({"search": str(path), "role": "worker"})


def _plain(task: str) -> str:
    return task.replace("/", "-").replace(":", "-")


def _address(chief: str | None, worker: str | None) -> str | None:
    if chief and worker:
        raise UserError("--worker", worker, "has a --chief beside it", "leave one out")
    option, address = ("--chief", chief) if chief else ("--worker", worker)
    if address is None:
        return None
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) < 2**16):
        raise UserError(
            option, address, "is no address", "give host:port, as in 127.0.0.1:7700"
        )
    return address


def _check_installed() -> None:
    import importlib.util

    if importlib.util.find_spec("keras_tuner") is None:
        raise UserError(
            "kerasmeta tune",
            "keras-tuner",
            "is not installed",
            "pip install 'kerasmeta[tune]'",
        )


def _run_config(task: str, agent: str, settings: list[str]) -> Any:
    """The recipe with the settings of all trials."""
    from kerasmeta.cli.options import check_task
    from kerasmeta.training.recipes import recipe

    config = recipe(task, agent).with_overrides(settings)
    check_task(config)
    return config
