"""The figures of a run or a zoo agent, from its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kerasmeta.analysis import learning_curve, published, save, stay_figure
from kerasmeta.tasks.base import Task
from kerasmeta.training.evaluation import Evaluation, players
from kerasmeta.training.run_directory import RunDirectory


def behaviour_figures(
    out: Path, name: str, task: Task, found: dict[str, Evaluation], run: Path | None
) -> list[Path]:
    """Draws what the family has figures for; returns the files written."""
    files: list[Path] = []
    agent, *others = found.values()
    if any(metric.startswith("stay_") for metric in agent.metrics):
        figure = stay_figure(
            agent.metrics,
            agent_name=name,
            lesioned=others[0].metrics if others else None,
            optimal=_means(players(task)["optimal"]),
            published={e.label: e.values for e in published(task.name).values()},
        )
        files += save(figure, out / "stay_probabilities")
    if run is not None and (rows := RunDirectory(run).read_metrics()):
        levels = {
            level: _reward(players(task)[level]) for level in ("random", "optimal")
        }
        figure = learning_curve({name: [rows]}, references=levels)
        files += save(figure, out / "learning_curve")
    return files


def _means(estimates: dict[str, Any]) -> dict[str, float]:
    return {metric: estimate.mean for metric, estimate in estimates.items()}


def _reward(estimates: dict[str, Any]) -> float:
    """Reward per trial over all of a lifetime's trials."""
    parts = [e.mean for k, e in estimates.items() if k.startswith("reward_per_trial")]
    return sum(parts) / len(parts)
