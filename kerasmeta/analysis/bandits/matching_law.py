"""Matching: choices against rewards, and how far back both reach (simulation 1)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.families.matching import (
    LAGS,
    choice_history,
    generalised_matching,
    log_ratios,
)
from kerasmeta.analysis.figures.matching_figure import matching_figure
from kerasmeta.analysis.over_seeds import over_seeds, statistic
from kerasmeta.analysis.study import Finding, Study

PREDICTORS = ("reward", "choice")


def matching_law(study: Study) -> Finding:
    """The generalised matching law, and the regression of choice on the past.

    Statistics: `matching_slope` and `matching_bias`, tested against 0 and beside the
    reference players'; `reward_weight_lag_<n>` and `choice_weight_lag_<n>` (Lau &
    Glimcher 2005).
    """
    ratios = [log_ratios(subject.lifetimes) for subject in study.subjects]
    lines = [generalised_matching(one) for one in ratios]
    players = {
        name: generalised_matching(log_ratios(lifetimes))
        for name, lifetimes in study.players.items()
    }
    statistics = {
        metric: statistic(
            [line[part] for line in lines],
            null=0.0,
            players={name: line[part].mean for name, line in players.items()},
        )
        for part, metric in enumerate(("matching_slope", "matching_bias"))
    }
    weights = _weights(study)
    for name, by_lag in weights.items():
        for lag, by_seed in enumerate(by_lag, start=1):
            statistics[f"{name}_weight_lag_{lag}"] = statistic(by_seed)

    def draw() -> Figure:
        return matching_figure(
            ratios,
            slope=over_seeds([line[0] for line in lines]),
            bias=over_seeds([line[1] for line in lines]),
            weights={
                name: [over_seeds(by_seed) for by_seed in by_lag]
                for name, by_lag in weights.items()
            },
        )

    return Finding(statistics, figures={"matching": draw})


def _weights(study: Study) -> dict[str, list[Sequence[Estimate]]]:
    """By predictor and lag, one estimate a seed; none for lifetimes too short."""
    by_subject = [choice_history(subject.lifetimes) for subject in study.subjects]
    return {
        name: [
            [subject.estimates(number)[lag] for subject in by_subject]
            for lag in range(LAGS)
        ]
        for number, name in enumerate(PREDICTORS)
    }
