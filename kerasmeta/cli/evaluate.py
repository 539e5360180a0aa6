"""`kerasmeta evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.cli.progress import working

# What a reference player is measured in at least: their columns show no intervals.
FEWEST_PLAYED = 1000

Lifetimes = Annotated[int, typer.Option(min=1, help="How many fresh lifetimes.")]
Lesion = Annotated[
    str | None,
    typer.Option(
        metavar="PART",
        help="Switch a part off first: memory, gate (reinstatement), units:3,7,12, or "
        "gate_open:0.9, the units whose mean gate is at least that open.",
    ),
]


def evaluate(
    agent: console.Agent,
    lifetimes: Lifetimes = 1000,
    seed: console.Seed = 0,
    lesion: Lesion = None,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out/--as-trained",
            help="Show objects that training never showed, where the family has them.",
        ),
    ] = True,
    greedy: Annotated[
        bool, typer.Option(help="Take the most probable action, do not draw one.")
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--references/--no-references",
            help="Let the family's reference players live through as many lifetimes "
            "(1,000 at least), too.",
        ),
    ] = True,
    render: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of a Meta-World agent, also write a video (GIF) of two episodes.",
        ),
    ] = None,
    registry: console.Registry = None,
    offline: console.Offline = False,
    json: console.Json = False,
) -> None:
    """Measure an agent's behaviour: frozen weights, fresh lifetimes."""
    from kerasmeta.cli.options import named
    from kerasmeta.lesions import Lesion as Lesioned

    with named(lesion="--lesion"):
        off = Lesioned.of(lesion)
    from kerasmeta.cli.agents import load_agent

    loaded = load_agent(agent, registry, offline)
    from kerasmeta.training.evaluation import evaluate as run_evaluation
    from kerasmeta.training.evaluation import (
        held_out_parameters,
        measured_lifetimes,
        references,
    )
    from kerasmeta.training.lesions import resolve

    with named(lesion="--lesion"):
        measured = resolve(off, loaded.agent, loaded.task)
        subject = loaded.agent.lesioned(measured)
    units = list(measured.units) if measured != off else []
    lifetimes = measured_lifetimes(loaded.task, lifetimes)
    if render:
        write_video(subject, loaded.task, render, seed)
    with working(f"{lifetimes:,} lifetimes of {loaded.task.name}"):
        found = run_evaluation(
            subject, loaded.task, lifetimes, seed, greedy, held_out
        ).as_dict()
        played = max(lifetimes, FEWEST_PLAYED), seed
        compared = references(loaded.task, held_out, *played) if compare else {}
    differing = held_out_parameters(loaded.task) if held_out else {}
    if json:
        console.print_json(
            {
                "agent": agent,
                "task": loaded.task.name,
                "lifetimes": lifetimes,
                "seed": seed,
                "lesion": lesion,
                **({"lesioned_units": units} if units else {}),
                **({"held_out": differing} if differing else {}),
                "metrics": found,
                "references": without_nan(compared),
            }
        )
        return
    title = f"{agent} on {described(loaded.task.name, differing)}, "
    title += f"{lifetimes:,} lifetimes"
    title += f", {lesion} lesioned" if lesion else ""
    title += f" ({len(units)} units)" if units else ""
    print_comparison(title, {"agent": found}, compared)


def write_video(agent: Any, task: Any, path: Path, seed: int) -> None:
    """Writes `--render`'s file; where nothing can be drawn, says why and goes on."""
    from kerasmeta.errors import UserError
    from kerasmeta.tasks.metaworld.task import MetaWorld
    from kerasmeta.training.metaworld_video import write_video as write

    if not isinstance(task, MetaWorld):
        problem = f"{task.name} has nothing to draw"
        raise UserError("--render", str(path), problem, "leave it out")
    try:
        with working(f"two episodes of {task.name} as pictures"):
            count = write(agent, task.held_out(), path, seed)
    except UserError as error:
        console.err.print(f"no video: {error}", markup=False, soft_wrap=True)
    else:
        console.err.print(f"{count} pictures: {path}", markup=False, soft_wrap=True)


def described(family: str, differing: dict[str, Any]) -> str:
    """The family, and how the task of an evaluation differs from that of training."""
    held_out = [f"{name}={value}" for name, value in differing.items()]
    return f"{family} ({', '.join(held_out)})" if held_out else family


def print_comparison(
    title: str, agents: dict[str, dict[str, Any]], compared: dict[str, dict[str, Any]]
) -> None:
    """Prints a table of metrics: agents with intervals beside the references."""
    columns = [name for name in compared if name != "sources"]
    first = next(iter(agents.values()))
    rows = [
        [
            metric,
            *(console.interval(found[metric]) for found in agents.values()),
            *(console.number(compared[name].get(metric)) for name in columns),
        ]
        for metric in first
    ]
    console.print_table(title, ["metric", *agents, *columns], rows)


def without_nan(data: Any) -> Any:
    """The same data with None for NaN, as JSON wants it."""
    if isinstance(data, dict):
        return {key: without_nan(value) for key, value in data.items()}
    return None if isinstance(data, float) and data != data else data
