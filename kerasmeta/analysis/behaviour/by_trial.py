"""Behaviour within an episode, trial by trial; and how training brought it about.

Harlow (1949): a learner that has learned to learn chooses at random in the first trial
with two new objects, and rightly from the second one on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kerasmeta.analysis.behaviour.metrics import published_values
from kerasmeta.analysis.estimates import Counts, Estimate, proportion
from kerasmeta.analysis.exposures import exposures as exposures_of_steps
from kerasmeta.analysis.families.harlow import (
    TRIALS,
    choices_made,
    counts,
    exposures,
    harlow_metrics,
)
from kerasmeta.analysis.figures.trial_figure import trial_figure
from kerasmeta.analysis.over_seeds import over_seeds, statistic
from kerasmeta.analysis.study import Finding, Study
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

PLAIN = ("harlow", "visual_harlow")
RETURNING = ("episodic_harlow", "episodic_visual_harlow")  # pairs come back
QUANTILES = 5  # of training
_CHANCE = 0.5

# Estimates by trial, by what the episodes have in common: "exposure 1", ...
Curves = dict[str, list[Estimate]]


def by_trial(study: Study) -> Finding:
    """Accuracy by trial; where contexts come back, for each exposure apart.

    Statistics: `trial_<n>`, or by exposure. Of the barcode bandit it is the reward of
    each pull. Players' means and published accuracies stand beside them. The figure's
    dashed lines are the optimal player's.
    """
    by_seed = [curves(study.task, subject.lifetimes) for subject in study.subjects]
    players = {
        name: curves(study.task, lifetimes) for name, lifetimes in study.players.items()
    }
    shared = [name for name in by_seed[0] if all(name in found for found in by_seed)]
    sources = published_values(study) if study.task in PLAIN else {}
    statistics = {
        name: {
            f"trial_{n + 1}": statistic(
                [found[name][n] for found in by_seed],
                players={k: v[name][n].mean for k, v in players.items() if name in v},
                published={
                    key: values[f"accuracy_trial_{n + 1}"]
                    for key, values in sources.items()
                    if f"accuracy_trial_{n + 1}" in values
                },
            )
            for n in range(len(by_seed[0][name]))
        }
        for name in shared
    }
    if not shared:  # an agent that never chose
        return Finding({})
    return Finding(
        statistics if len(shared) > 1 else statistics[shared[0]],
        figures={"by_trial": lambda: _figure(study, by_seed, players, shared)},
    )


def curves(task_name: str, lifetimes: Lifetimes) -> Curves:
    """Estimates by trial, for all episodes or for each exposure."""
    if task_name == "barcode_bandit":
        return _rewards_by_pull(lifetimes)
    if task_name in RETURNING:
        return _accuracy_by_exposure(lifetimes)
    found = harlow_metrics(lifetimes)
    return {"all episodes": [found[f"accuracy_trial_{n + 1}"] for n in range(TRIALS)]}


def _accuracy_by_exposure(lifetimes: Lifetimes) -> Curves:
    choices = choices_made(lifetimes)
    is_first = choices.trial == 1
    of_episode = exposures(lifetimes, choices.where(is_first))
    exposure = of_episode[np.cumsum(is_first) - 1]  # [N], of each choice
    batch_size = len(lifetimes.valid)
    return {
        f"exposure {met}": [
            proportion(
                counts(
                    choices.where((exposure == met) & (choices.trial == n + 1)),
                    batch_size,
                )
            )
            for n in range(TRIALS)
        ]
        for met in range(1, int(exposure.max(initial=0)) + 1)
    }


def _rewards_by_pull(lifetimes: Lifetimes) -> Curves:
    exposure = exposures_of_steps(lifetimes)  # [B, T]
    starts = lifetimes.observation["episode_start"].astype(bool)
    steps = np.arange(starts.shape[1])
    begun = np.maximum.accumulate(np.where(starts, steps, 0), axis=1)
    pull = steps - begun  # [B, T], 0 for an episode's first one
    paid = lifetimes.reward > 0
    found = {}
    for met in range(1, int(exposure.max()) + 1):
        pulls = range(int(pull[exposure == met].max()) + 1)
        these = [(exposure == met) & (pull == n) for n in pulls]
        found[f"exposure {met}"] = [
            proportion(Counts((paid & which).sum(axis=1), which.sum(axis=1)))
            for which in these
        ]
    return found


def _figure(
    study: Study,
    by_seed: Sequence[Curves],
    players: Mapping[str, Curves],
    shared: Sequence[str],
) -> Figure:
    shown = [*shared[:3], *shared[3:][-1:]]  # the first exposures, and the last one
    optimal = players.get("optimal", {})
    means = {name: _over_seeds([found[name] for found in by_seed]) for name in shown}
    pulls = study.task == "barcode_bandit"
    return trial_figure(
        means,
        {k: [e.mean for e in optimal[k]] for k in shown if k in optimal},
        "pull" if pulls else "trial",
        "P(reward)" if pulls else "accuracy",
        chance=None if pulls else _CHANCE,
    )


def learning_to_learn(study: Study) -> Finding:
    """Accuracy by trial as training went on: Harlow's curve (Wang et al. 2018, fig. 6).

    Training is cut into five equal parts. Statistics, by part: `trial_<n>`, the mean of
    the accuracies that metrics.jsonl has there, while weights were changing and on the
    objects of training.

    Raises:
        UserError: A run logged its behaviour too seldom.
    """
    by_seed = [parts_of_training(one.training) for one in study.subjects]
    unknown = (math.nan, math.nan)
    found = {
        f"part_{part + 1}_of_{QUANTILES}": [
            [Estimate(float(value), unknown) for value in parts[part]]
            for parts in by_seed
        ]
        for part in range(QUANTILES)
    }
    statistics = {
        name: {
            f"trial_{n + 1}": statistic([of[n] for of in seeds]) for n in range(TRIALS)
        }
        for name, seeds in found.items()
    }
    means = {
        f"{100 * n // QUANTILES}–{100 * (n + 1) // QUANTILES} %": _over_seeds(seeds)
        for n, seeds in enumerate(found.values())
    }
    return Finding(
        statistics,
        figures={
            "learning_to_learn": lambda: trial_figure(
                means, {}, "trial", "accuracy", _CHANCE, in_order=True
            )
        },
    )


def parts_of_training(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Accuracy by part of training and trial, `[QUANTILES, TRIALS]`.

    Args:
        rows: metrics.jsonl; those without behaviour metrics are left out.

    Raises:
        UserError: A part has no row with accuracies.
    """
    steps, accuracy = [], []
    for row in rows:
        found = row.get("metrics", {})
        if "accuracy_trial_1" in found:
            values = [found.get(f"accuracy_trial_{n + 1}") for n in range(TRIALS)]
            steps.append(row["steps"])
            accuracy.append([math.nan if v is None else v for v in values])
    ends = np.array([n / QUANTILES for n in range(1, QUANTILES)])
    last = rows[-1]["steps"] if rows else 1
    part = np.searchsorted(ends, np.array(steps) / last, side="left")
    if set(part) != set(range(QUANTILES)):
        raise UserError(
            "training",
            f"{len(steps)} rows",
            "some fifth of training has no accuracies logged",
            "train with a smaller metrics_every",
        )
    table = np.array(accuracy)
    return np.array([_mean(table[part == n]) for n in range(QUANTILES)])


def _mean(table: np.ndarray) -> np.ndarray:
    """Means of the columns `[N, TRIALS]` without nan; nan where nothing is known."""
    known = np.isfinite(table)
    total = np.where(known, table, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), math.nan)


def _over_seeds(seeds: Sequence[Sequence[Estimate]]) -> list[Estimate]:
    return [over_seeds(list(values)) for values in zip(*seeds, strict=True)]
