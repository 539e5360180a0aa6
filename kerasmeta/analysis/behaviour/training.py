"""How an agent learned to learn: reward per trial while its weights were trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.learning_curve import learning_curve
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.study import Finding, Study

LAST_ROWS = 10  # of metrics.jsonl, averaged for the level training ended at
NOT_ESTIMATED = (float("nan"), float("nan"))


def training_curve(study: Study) -> Finding:
    """Reward per trial over environment steps, one thin line a seed.

    Statistics: `final_reward_per_trial`, the mean of the last rows of metrics.jsonl,
    and `steps`. The figure's lines are the random and the optimal player.
    """
    rows = [subject.training for subject in study.subjects]
    final = [Estimate(_final(run), NOT_ESTIMATED) for run in rows]
    levels = {
        name: reward_per_trial(study, name)
        for name in ("random", "optimal")
        if name in study.players
    }
    return Finding(
        {
            "final_reward_per_trial": statistic(final, players=levels),
            "steps": [int(run[-1]["steps"]) for run in rows],
        },
        figures={
            "learning_curve": lambda: learning_curve(
                {study.agent: rows}, references=levels
            )
        },
    )


def reward_per_trial(study: Study, player: str) -> float:
    """A reference player's mean reward of a trial, counted as training counts it."""
    lifetimes = study.players[player]
    earned = float(np.where(lifetimes.valid, lifetimes.reward, 0.0).sum())
    return earned / (len(lifetimes.valid) * study.trials_per_lifetime)


def _final(rows: Sequence[Mapping[str, Any]]) -> float:
    return float(np.mean([row["reward_per_trial"] for row in rows[-LAST_ROWS:]]))
