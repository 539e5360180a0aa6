"""The family's metrics of an agent over its seeds, beside what they compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.metrics import metrics
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.published import published
from kerasmeta.analysis.study import Finding, Study
from kerasmeta.lifetimes import Lifetimes


def family_metrics(study: Study) -> Finding:
    """Every metric of the family, of the agent and of its lesioned twins.

    Statistics: `agent` and each condition of an experiment (`memory lesioned`), by
    metric; `players`, the reference players' means by metric; `sources`, what the keys
    of published values stand for.
    """
    players = {
        name: _means(metrics(study.task, lifetimes))
        for name, lifetimes in study.players.items()
    }
    conditions = {"agent": [subject.lifetimes for subject in study.subjects]}
    conditions |= conditions_of(study, "memory_lesion")
    found = {
        name: _over_seeds(study, lifetimes, players)
        for name, lifetimes in conditions.items()
    }
    sources = {key: entry.source for key, entry in published(study.task).items()}
    return Finding({**found, "players": players, "sources": sources})


def conditions_of(study: Study, experiment: str) -> dict[str, list[Lifetimes]]:
    """The conditions of an experiment, each with one `Lifetimes` a seed."""
    first = study.subjects[0].experiments.get(experiment, {})
    return {
        name: [subject.experiments[experiment][name] for subject in study.subjects]
        for name in first
    }


def published_values(study: Study) -> dict[str, Mapping[str, float]]:
    """Published values by source and metric; none for other parameters than theirs."""
    if not study.default_parameters:
        return {}
    return {key: entry.values for key, entry in published(study.task).items()}


def _over_seeds(
    study: Study,
    lifetimes: Sequence[Lifetimes],
    players: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    by_seed = [metrics(study.task, recorded) for recorded in lifetimes]
    sources = published_values(study)
    return {
        metric: statistic(
            [estimates[metric] for estimates in by_seed],
            published={k: v[metric] for k, v in sources.items() if metric in v},
            players={k: v[metric] for k, v in players.items() if metric in v},
        )
        for metric in by_seed[0]
    }


def _means(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    return {metric: estimate.mean for metric, estimate in estimates.items()}
