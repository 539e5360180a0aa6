"""Behaviour by exposure: what coming back to a context is worth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from kerasmeta.analysis.behaviour.metrics import conditions_of
from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.exposure_figure import ExposureCurve, exposure_figure
from kerasmeta.analysis.metrics import metrics
from kerasmeta.analysis.over_seeds import over_seeds, statistic
from kerasmeta.analysis.study import Finding, Study
from kerasmeta.lifetimes import Lifetimes


class Measure(NamedTuple):
    """What tells in one family whether a context was remembered."""

    metric: str  # `<metric>_exposure_<n>` is in the family's metrics
    label: str
    top: float | None  # of the figure's axis; None: what is needed


MEASURES: Mapping[str, Measure] = {
    "barcode_bandit": Measure("first_pull", "P(reward) at an episode's first pull", 1),
    "episodic_harlow": Measure("accuracy_trial_1", "accuracy at trial 1", 1),
    "episodic_visual_harlow": Measure("accuracy_trial_1", "accuracy at trial 1", 1),
    "water_maze": Measure("steps_to_goal", "steps to the goal, first time", None),
}


def by_exposure(study: Study) -> Finding:
    """The family's mark of memory by how often the context has been met.

    Statistics: `<metric>_exposure_<n>` for each n, beside the reference players' means
    and the memory-lesioned twin's. The first exposure is what the agent does without a
    memory of the context; what changes with the second one, it owes to its memory.
    """
    measure = MEASURES[study.task]
    conditions = {study.agent: [subject.lifetimes for subject in study.subjects]}
    conditions |= conditions_of(study, "memory_lesion")
    found = {
        name: [_by_number(study.task, measure, one) for one in lifetimes]
        for name, lifetimes in conditions.items()
    }
    players = {
        name: _means(_by_number(study.task, measure, lifetimes))
        for name, lifetimes in study.players.items()
    }
    return Finding(
        _statistics(measure, found, players),
        figures={"exposure": lambda: _figure(measure, found, players)},
    )


def _by_number(
    task_name: str, measure: Measure, lifetimes: Lifetimes
) -> list[Estimate]:
    """The metric of exposures 1, 2, ..., as far as they go."""
    pattern = re.compile(rf"{measure.metric}_exposure_(\d+)")
    numbered = {
        int(match[1]): estimate
        for name, estimate in metrics(task_name, lifetimes).items()
        if (match := pattern.fullmatch(name))
    }
    return [numbered[number] for number in sorted(numbered)]


def _statistics(
    measure: Measure,
    found: Mapping[str, Sequence[Sequence[Estimate]]],
    players: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    agent, *twins = found
    statistics = {}
    for index in range(min(len(one) for one in found[agent])):
        others = {
            name: over_seeds([one[index] for one in found[name]]).mean for name in twins
        }
        entry = statistic(
            [one[index] for one in found[agent]],
            players={
                name: means[index]
                for name, means in players.items()
                if index < len(means)
            },
        )
        if others:
            entry["lesioned"] = others
        statistics[f"{measure.metric}_exposure_{index + 1}"] = entry
    return statistics


def _figure(
    measure: Measure,
    found: Mapping[str, Sequence[Sequence[Estimate]]],
    players: Mapping[str, Sequence[float]],
) -> Figure:
    curves = {
        name: ExposureCurve(
            mean=[over_seeds(list(of_one)) for of_one in zip(*by_seed, strict=False)],
            seeds=[_means(one) for one in by_seed],
        )
        for name, by_seed in found.items()
    }
    return exposure_figure(curves, players, measure.label, measure.top)


def _means(estimates: Sequence[Estimate]) -> list[float]:
    return [estimate.mean for estimate in estimates]
