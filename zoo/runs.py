"""From finished training runs to a published agent: evaluate, choose, publish."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasmeta.errors import UserError

from . import signing
from .opening import open_folder
from .publishing import publish
from .registry import Registry
from .run_checks import check_alike, check_defined, check_family
from .writing import Published

if TYPE_CHECKING:
    from kerasmeta.agents import EpisodicAgent
    from kerasmeta.tasks.base import Task
    from kerasmeta.training.config import RunConfig

# Evaluation lifetimes of published agents; training never sees this seed's stream.
LIFETIMES = 1000
SEED = 0

DESCRIPTIONS = {
    "lstm": "An LSTM agent that learnt to learn (L2RL): slow learning by TRPO.",
    "ep_lstm": "An epLSTM agent with episodic memory (epL2RL): slow learning by TRPO, "
    "working memory reinstated from a differentiable neural dictionary.",
}


class _Run(NamedTuple):
    config: RunConfig
    provenance: dict[str, Any]
    agent: EpisodicAgent
    task: Task
    wall_seconds: float
    steps: int
    rows: list[dict[str, Any]]


def publish_runs(
    id: str,
    runs: Sequence[str | Path],
    registry: Registry | str | Path,
    lifetimes: int = LIFETIMES,
    report: Callable[[str], None] = lambda line: None,
    version: int | None = None,
    sign: str | Path | None = None,
) -> Published:
    """Evaluates the runs of several seeds afresh and publishes the median one.

    Args:
        id: `family/agent`.
        runs: Run directories that differ in their seed only.
        registry: Where to publish.
        lifetimes: Fresh lifetimes of each evaluation.
        report: Told what is being done, a line at a time.
        version: By default the next one.
        sign: The file of a private key to sign the version with.

    Raises:
        UserError: The version exists, the runs do not belong together or are of another
            family, a metric is not defined, or `publish` refuses.
    """
    from kerasmeta.analysis.headline import headline
    from kerasmeta.training.evaluation import measured_lifetimes

    folder = open_folder(registry)
    folder.check_free(id, version)
    signing.private_key(sign)
    opened = [_open(run) for run in runs]
    check_alike([run.config for run in opened], runs)
    task = opened[0].task
    check_family(id, task.name)
    lifetimes = measured_lifetimes(task, lifetimes)
    seeds = []
    for run, path in zip(opened, runs, strict=True):
        report(f"evaluating seed {run.config.seed}")
        found = _measure(run.agent, run, path, lifetimes)
        seeds.append({"seed": run.config.seed, "metrics": found})
    chosen = _median(seeds, headline(task.name)[0])
    run = opened[chosen]
    lesions = {}
    if run.agent.config.has_memory:
        report("evaluating with the memory lesioned")
        lesioned = run.agent.lesioned("memory")
        lesions["memory"] = _measure(lesioned, run, runs[chosen], lifetimes, "memory")
    report("exporting and publishing")
    return publish(
        run.agent,
        id,
        folder,
        task={"name": task.name, "parameters": run.config.task.parameters},
        evaluation=_evaluation(task, seeds, chosen, lesions, lifetimes),
        provenance=_provenance(run, opened),
        description=_description(run.config),
        papers=[task.paper],
        headline=headline(task.name),
        others={o.config.seed: o.agent for o in opened if o is not run},
        curves={o.config.seed: o.rows for o in opened},
        version=version,
        sign=sign,
    )


def _measure(
    agent: Any, run: _Run, path: str | Path, lifetimes: int, lesion: str = ""
) -> dict[str, Any]:
    """The metrics of a run's agent, or of that agent lesioned, all of them numbers."""
    from kerasmeta.training.evaluation import evaluate

    found = evaluate(agent, run.task, lifetimes, SEED).as_dict()
    what = f"seed {run.config.seed}"
    what += f" with its {lesion} lesioned" if lesion else ""
    check_defined(found, str(path), what, lifetimes)
    return found


def _median(seeds: list[dict[str, Any]], metric: str) -> int:
    """Which of the seeds is the median one by a metric; the lower of two."""
    means = [seed["metrics"][metric]["mean"] for seed in seeds]
    return sorted(range(len(seeds)), key=means.__getitem__)[(len(seeds) - 1) // 2]


def _evaluation(
    task: Task,
    seeds: list[dict[str, Any]],
    chosen: int,
    lesions: dict[str, Any],
    lifetimes: int,
) -> dict[str, Any]:
    """What the manifest says of the evaluation."""
    from kerasmeta.training.evaluation import held_out_parameters, references

    return {
        "lifetimes": lifetimes,
        "seed": SEED,
        "held_out": held_out_parameters(task),
        "metrics": seeds[chosen]["metrics"],
        "lesions": lesions,
        "references": _defined(references(task)),
        "seeds": seeds,
        "chosen_seed": seeds[chosen]["seed"],
    }


def _open(path: str | Path) -> _Run:
    from kerasmeta.training.run_directory import RunDirectory
    from kerasmeta.training.runs import load_run

    agent, task = load_run(path)
    directory = RunDirectory(path)
    rows = directory.read_metrics()
    config = directory.read_config()
    if not rows or rows[-1]["steps"] < config.steps:
        done = rows[-1]["steps"] if rows else 0
        raise UserError(
            "run",
            str(path),
            f"is not finished ({done:,} of {config.steps:,} steps)",
            "let kerasmeta train --resume finish it",
        )
    last = rows[-1]
    return _Run(
        config,
        directory.read()["provenance"],
        agent,
        task,
        last["wall_seconds"],
        last["steps"],
        rows,
    )


def _provenance(run: _Run, opened: Sequence[_Run]) -> dict[str, Any]:
    """Where the weights of `run`, one of the runs `opened`, come from."""
    from kerasmeta.training.provenance import config_hash

    return {
        **run.provenance,
        "config_hash": config_hash(run.config),
        "config": run.config.model_dump(mode="json"),
        "command": _command(run.config),
        "seeds": [other.config.seed for other in opened],
        "steps": run.steps,
        "full_steps": _full_steps(run),
        "wall_seconds": run.wall_seconds,
        "parent": run.config.start.agent if run.config.start else "",
    }


def _full_steps(run: _Run) -> int | None:
    """The recipe's steps, where a run from the beginning had fewer."""
    from kerasmeta.training.recipes import recipe

    config = run.config
    full = recipe(config.task.name, config.agent.kind, config.task.parameters).steps
    return full if config.start is None and full > run.steps else None


def _defined(references: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without what a player never did, of which its share is nan."""
    return {
        column: {
            name: value
            for name, value in values.items()
            if not (isinstance(value, float) and math.isnan(value))
        }
        for column, values in references.items()
    }


def _description(config: RunConfig) -> str:
    plain = DESCRIPTIONS[config.agent.kind]
    return f"{plain} Fine-tuned from {config.start.agent}." if config.start else plain


def _command(config: RunConfig) -> str:
    from kerasmeta.training.recipes import recipe

    if config.start:
        words = f"kerasmeta fine-tune {config.start.agent} {config.task.name}"
        return f"{words} with the configuration below"
    plain = recipe(config.task.name, config.agent.kind)
    command = f"kerasmeta train {config.task.name} --agent {config.agent.kind}"
    if plain.model_copy(update={"seed": config.seed}) != config:
        return f"{command} with the configuration below"
    return f"{command} --seed {config.seed}"
