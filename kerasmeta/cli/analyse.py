"""`kerasmeta analyse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasmeta.cli import console
from kerasmeta.cli.evaluate import (
    Lifetimes,
    described,
    print_comparison,
    without_nan,
)
from kerasmeta.cli.progress import working


def analyse(
    agent: console.Agent,
    out: Annotated[Path, typer.Option(help="Where figures and statistics go.")],
    lifetimes: Lifetimes = 1000,
    seed: console.Seed = 0,
    registry: console.Registry = None,
    json: console.Json = False,
) -> None:
    """Draw an agent's behaviour (PNG, SVG) and write its statistics."""
    from kerasmeta.cli.agents import load_agent
    from kerasmeta.cli.options import make_directory

    loaded = load_agent(agent, registry)
    make_directory(out)
    from kerasmeta.cli.figures import behaviour_figures
    from kerasmeta.training.evaluation import (
        evaluate,
        held_out_parameters,
        references,
    )
    from kerasmeta.training.run_directory import to_json, write_atomically

    subjects = {"agent": loaded.agent}
    if loaded.agent.config.has_memory:
        subjects["memory lesioned"] = loaded.agent.lesioned("memory")
    with working(f"{lifetimes:,} lifetimes of {loaded.task.name}"):
        found = {
            name: evaluate(subject, loaded.task, lifetimes, seed)
            for name, subject in subjects.items()
        }
        compared = references(loaded.task)
        files = behaviour_figures(out, agent, loaded.task, found, loaded.run)
    differing = held_out_parameters(loaded.task)
    metrics = {name: evaluation.as_dict() for name, evaluation in found.items()}
    statistics = {
        "agent": agent,
        "task": loaded.task.name,
        "lifetimes": lifetimes,
        "seed": seed,
        **({"held_out": differing} if differing else {}),
        "metrics": metrics,
        "references": without_nan(compared),
    }
    write_atomically(out / "statistics.json", to_json(statistics))
    files.append(out / "statistics.json")
    if json:
        console.print_json({**statistics, "files": [str(path) for path in files]})
        return
    title = f"{agent} on {described(loaded.task.name, differing)}, "
    title += f"{lifetimes:,} lifetimes"
    print_comparison(title, metrics, compared)
    console.say(f"figures and statistics in {out}")
