"""The four learning systems of the contextual two-step task, with p-values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kerasmeta.analysis.behaviour.metrics import published_values
from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.systems_figure import System, systems_figure
from kerasmeta.analysis.over_seeds import over_seeds, p_value, statistic
from kerasmeta.analysis.published import published
from kerasmeta.analysis.study import Finding, Study
from kerasmeta.analysis.systems.effects import (
    effects,
    interval_p_value,
    published_effects,
)
from kerasmeta.analysis.systems.regression import linear, log_odds
from kerasmeta.analysis.systems.repeats import Repeats, cued, incremental
from kerasmeta.analysis.trials import (
    Trials,
    drifting_two_step_trials,
    episodic_two_step_trials,
    two_step_trials,
)
from kerasmeta.lifetimes import Lifetimes

FAMILIES: Mapping[str, Callable[[Lifetimes], Trials]] = {
    "two_step": two_step_trials,
    "two_step_drift": drifting_two_step_trials,
    "episodic_two_step": episodic_two_step_trials,
}


def four_systems(study: Study) -> Finding:
    """Model-free, model-based, incremental, episodic control (Ritter et al. 2018).

    A model-free system repeats what was rewarded, whatever the transition; a
    model-based one repeats after common-rewarded and uncommon-unrewarded trials. The
    incremental systems look at the last trial, the episodic ones at the past trial that
    a cue brings back.

    Statistics, by system (`incremental_model_free`, ..., `episodic_model_based`, and
    `*_transition`, which neither predicts): the effect on the four bars of repeat
    probabilities, its p-value and `p_value_optimal`, of its difference from the optimal
    player's. In `adjusted` and `log_odds` each system has its effect beside the other
    one's, which on cued trials is `incremental_cued_*`, by linear and by logistic
    regression of each seed. Near certainty log odds are steep: one error in a hundred
    choices counts for much there.

    All p-values are of t-tests over seeds. Where there is one seed, those of the bars
    and of `adjusted` tell how sure the effect is for this one agent, over lifetimes.
    """
    tried = [FAMILIES[study.task](subject.lifetimes) for subject in study.subjects]
    by_seed = [effects(trials) for trials in tried]
    best = "optimal" if "optimal" in study.players else "model_based"
    players = {
        name: effects(FAMILIES[study.task](lifetimes))
        for name, lifetimes in study.players.items()
    }
    sources = {k: published_effects(v) for k, v in published_values(study).items()}
    found = {
        name: statistic(
            values := [estimates[name] for estimates in by_seed],
            null=0.0,
            published={k: v[name] for k, v in sources.items() if name in v},
            players={k: v[name].mean for k, v in players.items()},
            p_value=_p_value(values, 0.0),
            p_value_optimal=_p_value(values, players[best][name].mean),
        )
        for name in by_seed[0]
    }
    statistics = {**found, "adjusted": _adjusted(tried), "log_odds": _log_odds(tried)}
    return Finding(
        statistics,
        figures={"four_systems": lambda: _figure(study, by_seed, players[best], found)},
    )


def _p_value(values: Sequence[Estimate], null: float) -> float:
    """Over seeds by a t-test; of one seed by its interval over lifetimes."""
    if len(values) > 1:
        return p_value([value.mean for value in values], null)
    return interval_p_value(values[0], null)


def _adjusted(tried: Sequence[Trials]) -> dict[str, Any]:
    """Effects by linear regression, each beside the others, by name."""
    by_seed = [_by_regression(linear, trials) for trials in tried]
    return {
        name: statistic(
            [found[name].estimate for found in by_seed],
            null=0.0,
            **({"p_value": by_seed[0][name].p_value} if len(by_seed) == 1 else {}),
        )
        for name in by_seed[0]
    }


def _log_odds(tried: Sequence[Trials]) -> dict[str, Any]:
    """Coefficients of the logistic regressions, by name."""
    by_seed = [_by_regression(log_odds, trials) for trials in tried]
    unknown = (math.nan, math.nan)
    return {
        name: statistic([Estimate(b[name], unknown) for b in by_seed], null=0.0)
        for name in by_seed[0]
    }


def _by_regression(
    regression: Callable[[Repeats], Mapping[str, Any]], trials: Trials
) -> dict[str, Any]:
    """What a regression finds for uncued and, where there are any, for cued choices."""
    found = dict(regression(incremental(trials)))
    if trials.cued.any():
        found.update(regression(cued(trials)))
    return {name: value for name, value in found.items() if name != "side"}


def _figure(
    study: Study,
    by_seed: Sequence[Mapping[str, Estimate]],
    optimal: Mapping[str, Estimate],
    statistics: Mapping[str, Mapping[str, Any]],
) -> Any:
    labels = {key: entry.label for key, entry in published(study.task).items()}
    shown = [name for name in by_seed[0] if not name.endswith("transition")]
    systems = {
        name: System(
            value=over_seeds([estimates[name] for estimates in by_seed]),
            seeds=[estimates[name].mean for estimates in by_seed],
            p_value=statistics[name]["p_value"],
            optimal=optimal[name].mean,
            published={
                labels[key]: value
                for key, value in statistics[name].get("published", {}).items()
            },
        )
        for name in shown
    }
    return systems_figure(systems, study.agent)
