"""Learning rates by volatility (simulation 2)."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.families.volatile_bandit import volatile_bandit_metrics
from kerasmeta.analysis.figures.bar_panel import Panel, bar_figure
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.study import Finding, Study

BLOCKS = ("stable", "volatile")
MEASURES = {"learning_rate": "fitted delta rule", "recency": "last outcome's part"}
# An oracle learns nothing, and a random player has no rate.
LEARNERS = ("model_free", "optimal")


def volatility(study: Study) -> Finding:
    """Learning rates in the stable and in the volatile block (Behrens et al. 2007).

    Statistics: `learning_rate_*`, of a fitted delta rule, and `recency_*`, of a
    regression that assumes no rule. The `*_ratio`, volatile to stable, is tested
    against 1; animals' and agents' are published to be larger (`published_sign`).
    """
    by_seed = [volatile_bandit_metrics(subject.lifetimes) for subject in study.subjects]
    players = {
        name: volatile_bandit_metrics(study.players[name])
        for name in LEARNERS
        if name in study.players
    }
    statistics = {}
    for measure in MEASURES:
        for part in (*BLOCKS, "ratio"):
            metric = f"{measure}_{part}"
            of_players = {name: found[metric].mean for name, found in players.items()}
            statistics[metric] = statistic(
                [found[metric] for found in by_seed],
                null=1.0 if part == "ratio" else None,
                players=of_players,
            )
        statistics[f"{measure}_ratio"]["published_sign"] = 1

    def draw() -> Figure:
        return bar_figure([_panel(measure, by_seed, players) for measure in MEASURES])

    return Finding(statistics, figures={"volatility": draw})


def _panel(
    measure: str,
    by_seed: list[dict[str, Estimate]],
    players: Mapping[str, Mapping[str, Estimate]],
) -> Panel:
    return Panel(
        title=measure.replace("_", " ").capitalize(),
        label=MEASURES[measure],
        bars={
            block: {"agent": [found[f"{measure}_{block}"] for found in by_seed]}
            for block in BLOCKS
        },
        levels={
            name.replace("_", "-"): {
                block: {"agent": found[f"{measure}_{block}"].mean} for block in BLOCKS
            }
            for name, found in players.items()
        },
    )
