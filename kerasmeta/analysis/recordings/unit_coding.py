"""How many units code the last action, the last reward, their product and the value.

Neurons in the prefrontal cortex of monkeys that forage between two targets code the
action they took, the reward it brought, the two together, and the value of what they
will choose (Tsutsui et al. 2016). So do the units of agents that learned to learn
(Wang et al. 2018, Simulation 1, figure 2). A unit codes a variable where its hidden
state h_t goes with it in rank (Spearman): against re-paired lifetimes
(`kerasmeta.analysis.recordings.ranks`), at a false discovery rate of 5% over all units
and variables of a population (Benjamini & Hochberg 1995).

Wang et al. read action, reward and value from one LSTM. Here actor and critic are two;
the value V_t is the critic's, so that its coding by the actor's units is the actor's
own doing.

Tsutsui, Grabenhorst, Kobayashi & Schultz (2016). A dynamic code for economic object
valuation in prefrontal cortex neurons. Nature Communications 7:12554.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

from kerasmeta.analysis.estimates import Counts, mean_over_lifetimes, proportion
from kerasmeta.analysis.figures.unit_coding import coding_figure
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.recordings.ranks import rank_correlations
from kerasmeta.analysis.study import Finding, Recordings, Study, Table
from kerasmeta.errors import UserError

VARIABLES = ("last_action", "last_reward", "action_times_reward", "value")
POPULATIONS = {"actor": "hidden", "critic": "critic_hidden"}  # by recorded signal
RATE = 0.05  # of false discoveries


class Coding(NamedTuple):
    """Of one subject's population of `U` units, each `[U, variables]`."""

    coefficient: np.ndarray  # Spearman's ρ
    p_value: np.ndarray
    codes: np.ndarray  # bool


def unit_coding(study: Study) -> Finding:
    """Fractions of units that code each variable.

    Statistics, for `actor` and `critic`: `fraction_<variable>`, tested against the 5%
    of units that an uncorrected test would find in noise, and `mean_rho_<variable>`,
    the mean |ρ| of all units. `unit_coding.parquet` has a row for each unit and
    variable.
    """
    found = {
        population: [
            code(subject_recordings, signal)
            for subject in study.subjects
            if (subject_recordings := subject.recordings) is not None
        ]
        for population, signal in POPULATIONS.items()
    }
    names = [subject.name for subject in study.subjects]
    return Finding(
        {
            population: {**_fractions(subjects), **_strengths(subjects)}
            for population, subjects in found.items()
        },
        figures={"unit_coding": functools.partial(coding_figure, found, VARIABLES)},
        tables={"unit_coding": functools.partial(_table, names, found)},
    )


def code(recorded: Recordings, signal: str) -> Coding:
    """Which units of a population code what."""
    variables, known = last_outcome(recorded)
    units = recorded.signals[signal]
    found = rank_correlations(units, variables, known)
    p_value = np.where(np.isnan(found.p_value), 1.0, found.p_value)
    adjusted = false_discovery_control(p_value.ravel(), method="bh")
    return Coding(*found, codes=adjusted.reshape(p_value.shape) <= RATE)


def last_outcome(recorded: Recordings) -> tuple[np.ndarray, np.ndarray]:
    """The four variables `[B, T, 4]`, and the steps that have them, `[B, T]` bool.

    Actions are -1 and 1. The first step of an episode has no outcome to look back on.

    Raises:
        UserError: There are more actions than two, which have no order.
    """
    seen = recorded.lifetimes.observation
    action, reward = seen["previous_action"], seen["previous_reward"]
    known = recorded.lifetimes.valid & ~seen["episode_start"].astype(bool)
    known &= action >= 0
    actions = np.unique(recorded.lifetimes.action[recorded.lifetimes.valid])
    if actions.max() > 1:
        raise UserError(
            "--analysis",
            "unit_coding",
            f"needs two actions, and this task has {int(actions.max()) + 1}",
            "choose another analysis",
        )
    sign = 2.0 * action - 1
    value = recorded.signals["value"]
    return np.stack([sign, reward, sign * reward, value], axis=-1), known


def _fractions(subjects: list[Coding]) -> dict[str, object]:
    ones = np.ones(len(subjects[0].codes))
    return {
        f"fraction_{variable}": statistic(
            [proportion(Counts(one.codes[:, v], ones)) for one in subjects], null=RATE
        )
        for v, variable in enumerate(VARIABLES)
    }


def _strengths(subjects: list[Coding]) -> dict[str, object]:
    return {
        f"mean_rho_{variable}": statistic(
            [
                mean_over_lifetimes(_known(np.abs(one.coefficient[:, v])))
                for one in subjects
            ]
        )
        for v, variable in enumerate(VARIABLES)
    }


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _table(names: list[str], found: Mapping[str, list[Coding]]) -> Table:
    """One row for each unit and variable."""
    columns: dict[str, list[object]] = {
        key: []
        for key in ("subject", "population", "unit", "variable", "rho", "p_value")
    }
    columns["codes"] = []
    for population, subjects in found.items():
        for name, one in zip(names, subjects, strict=True):
            for u, v in np.ndindex(one.codes.shape):
                row = (
                    *(name, population, u, VARIABLES[v]),
                    *(one.coefficient[u, v], one.p_value[u, v], one.codes[u, v]),
                )
                for key, value in zip(columns, row, strict=True):
                    columns[key].append(value)
    about = {
        "rho": {"long_name": "Spearman's rank correlation", "units": "1"},
        "p_value": {"long_name": "against re-paired lifetimes", "units": "1"},
        "codes": {"long_name": "at a false discovery rate of 5%", "units": "1"},
    }
    return Table({key: np.array(values) for key, values in columns.items()}, about)
