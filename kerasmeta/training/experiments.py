"""Experiments: an agent under changed conditions, beside its undisturbed self.

An analysis that `needs` or `uses` an experiment finds what it gave in each subject's
`experiments`. Weights are frozen throughout.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kerasmeta.agents import EpisodicAgent
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks.bandits.risky_safe import PERTURBATIONS
from kerasmeta.tasks.base import Task
from kerasmeta.training.dose_response import record_doses
from kerasmeta.training.evaluation import record


class Bench(NamedTuple):
    """What an experiment works on."""

    agent: EpisodicAgent
    task: Task  # as it was trained on; `record` shows what is held out
    lifetimes: int  # how many, of every condition
    seed: int  # the same lifetimes as those of the undisturbed agent
    gamma: float  # discount the agent was trained with


# The conditions by name, each with what it gave: `Lifetimes`, or `Recordings`.
Conditions = Mapping[str, Any]


class Experiment(NamedTuple):
    """One line of the registry."""

    name: str  # as in `Analysis.needs`
    summary: str
    run: Callable[[Bench], Conditions]
    fits: Callable[[EpisodicAgent, Task], bool] = lambda agent, task: True


_experiments: dict[str, Experiment] = {}


def register(experiment: Experiment) -> None:
    """Adds an experiment. Raises `ValueError` where the name is taken."""
    if experiment.name in _experiments:
        raise ValueError(f"experiment {experiment.name!r} is registered already")
    _experiments[experiment.name] = experiment


def experiments() -> Mapping[str, Experiment]:
    """All of them by name."""
    return _experiments


def lesioned_memory(bench: Bench) -> dict[str, Lifetimes]:
    """The same lifetimes with nothing retrieved."""
    lesioned = bench.agent.lesioned("memory")
    recorded = record(lesioned, bench.task, bench.lifetimes, bench.seed)
    return {"memory lesioned": recorded}


register(
    Experiment(
        name="memory_lesion",
        summary="nothing is retrieved from episodic memory",
        run=lesioned_memory,
        fits=lambda agent, task: agent.config.has_memory,
    )
)
register(
    Experiment(
        name="dose_response",
        summary="more and more units are silenced",
        run=lambda bench: record_doses(
            bench.agent, bench.task, bench.lifetimes, bench.seed
        ),
    )
)


def perturbed_rewards(bench: Bench) -> dict[str, Lifetimes]:
    """The same lifetimes with false rewards told, one condition a perturbation."""
    task: Any = bench.task
    found = {}
    for perturbation in PERTURBATIONS[1:]:
        changed = dataclasses.replace(task, perturbation=perturbation)
        found[perturbation] = record(bench.agent, changed, bench.lifetimes, bench.seed)
    return found


register(
    Experiment(
        name="rpe_perturbation",
        summary="rewards are told as nothing, or nothing as a reward",
        run=perturbed_rewards,
        fits=lambda agent, task: task.name == "risky_safe",
    )
)
