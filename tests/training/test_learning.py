"""Training reaches what no simpler learner can."""

from __future__ import annotations

from pathlib import Path

import pytest

from kerasmeta.training.evaluation import evaluate, players
from kerasmeta.training.loop import train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory


@pytest.mark.slow
def test_an_lstm_passes_the_model_free_ceiling_of_the_two_step_task(
    tmp_path: Path,
) -> None:
    """A model-free learner earns .651 a trial and stays after rare rewards.

    A fifth of the recipe's steps must be enough to earn more than it can, and to
    switch after a rare reward oftener than not more: the mark of a learnt model.
    """
    config = recipe("two_step", "lstm").with_overrides(["steps=800000"])
    result = train(config, RunDirectory(tmp_path / "run"))
    learnt = evaluate(result.agent, result.task, lifetimes=500).metrics
    model_free = players(result.task)["model_free"]
    low, _ = learnt["reward_per_trial"].ci95
    assert low > model_free["reward_per_trial"].ci95[1]
    gap = (
        learnt["stay_uncommon_unrewarded"].mean - learnt["stay_uncommon_rewarded"].mean
    )
    assert gap > 0.1  # model-free: -0.13, optimal: 0.33
    assert model_free["stay_uncommon_unrewarded"].mean < 0.9
