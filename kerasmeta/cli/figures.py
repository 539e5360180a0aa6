"""The figures of a run or a zoo agent, from its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kerasmeta.analysis import learning_curve, published, save, stay_figure
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.play import play
from kerasmeta.training.evaluation import Evaluation, players
from kerasmeta.training.run_directory import RunDirectory

LEVEL_LIFETIMES = 200  # of the players whose reward is a line in the learning curve


def behaviour_figures(
    out: Path, name: str, task: Task, found: dict[str, Evaluation], run: Path | None
) -> list[Path]:
    """Draws what the family has figures for; returns the files written."""
    files: list[Path] = []
    agent, *others = found.values()
    if "stay_common_rewarded" in agent.metrics:  # a two-step family
        figure = stay_figure(
            agent.metrics,
            agent_name=name,
            lesioned=others[0].metrics if others else None,
            optimal=_means(players(task)["optimal"]),
            published={e.label: e.values for e in published(task.name).values()},
        )
        files += save(figure, out / "stay_probabilities")
    if run is not None and (rows := RunDirectory(run).read_metrics()):
        figure = learning_curve({name: [rows]}, references=_levels(task))
        files += save(figure, out / "learning_curve")
    return files


def _means(estimates: dict[str, Any]) -> dict[str, float]:
    return {metric: estimate.mean for metric, estimate in estimates.items()}


def _levels(task: Task) -> dict[str, float]:
    """Reward per trial of the players between which an agent learns."""
    known = task.players()
    levels: dict[str, float] = {}
    for name in ("random", "optimal"):
        if name in known:
            played = play(task, known[name], LEVEL_LIFETIMES, seed=0)
            rewards = float(played.reward.sum())
            levels[name] = rewards / (LEVEL_LIFETIMES * task.trials_per_lifetime)
    return levels
