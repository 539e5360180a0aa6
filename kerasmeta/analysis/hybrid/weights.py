"""How much an agent plans: the weight w of the hybrid model, lifetime by lifetime."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kerasmeta.analysis.estimates import Estimate, mean_over_lifetimes
from kerasmeta.analysis.figures.weight_figure import weight_figure
from kerasmeta.analysis.hybrid.choices import CHOICES
from kerasmeta.analysis.hybrid.fit import Fit, fit
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.study import Finding, Study
from kerasmeta.lifetimes import Lifetimes

FITTED = 200  # lifetimes of each seed and player, the first ones; seconds each
_COMPARED = ("random", "model_free", "model_based", "optimal")
# Daw et al. (2011), table 1, median of 17 people, best fits subject by subject.
PUBLISHED = {
    "alpha_1": 0.54,
    "alpha_2": 0.42,
    "trace": 0.57,
    "beta_1": 5.19,
    "beta_2": 3.69,
    "weight": 0.39,
    "perseveration": 0.11,
}


def hybrid_weights(study: Study) -> Finding:
    """The hybrid model of Daw et al. (2011), fitted to every lifetime by itself.

    Statistics: the mean over lifetimes of each parameter (`weight`: 1 is model-based, 0
    is model-free) and of `pseudo_r2`, beside people's (`daw_2011`, medians, of the
    drifting task); `players`, the same of the reference players. A random player's
    weights say nothing, and lie anywhere. The figure shows the weights' distributions.
    """
    subjects = [_fit(study, subject.lifetimes) for subject in study.subjects]
    players = {
        name: _fit(study, study.players[name])
        for name in _COMPARED
        if name in study.players
    }
    by_seed = [_means(found) for found in subjects]
    people = PUBLISHED if study.task == "two_step_drift" else {}
    statistics: dict[str, object] = {
        name: statistic(
            [means[name] for means in by_seed],
            published={"daw_2011": people[name]} if name in people else {},
        )
        for name in by_seed[0]
    }
    statistics["players"] = {
        name: {key: estimate.mean for key, estimate in _means(found).items()}
        for name, found in players.items()
    }
    weights = {study.agent: [found.parameters.weight for found in subjects]}
    weights |= {name: [found.parameters.weight] for name, found in players.items()}
    return Finding(
        statistics, figures={"hybrid_weights": lambda: weight_figure(weights)}
    )


def _fit(study: Study, lifetimes: Lifetimes) -> Fit:
    choices = CHOICES[study.task](lifetimes)
    count = min(FITTED, choices.first.shape[1])
    return fit(choices.of_subjects(np.arange(count)), study.parameters["common"])


def _means(found: Fit) -> Mapping[str, Estimate]:
    """Mean over lifetimes of each parameter that the choices depend on."""
    values = found.parameters._asdict()
    values["pseudo_r2"] = found.pseudo_r2
    return {
        name: mean_over_lifetimes(of_lifetimes) for name, of_lifetimes in values.items()
    }
