"""The experiment that tells agents false rewards."""

from __future__ import annotations

import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta.tasks.base import Task
from kerasmeta.training.config import RunConfig, TaskConfig
from kerasmeta.training.evaluation import record
from kerasmeta.training.experiments import Bench, experiments
from kerasmeta.training.loop import make_agent


def bench(task: Task) -> Bench:
    config = RunConfig(task=TaskConfig(name=task.name))
    config = config.with_overrides(["agent.kind=lstm", "agent.units=4"])
    return Bench(make_agent(config, task), task, lifetimes=6, seed=3, gamma=0.9)


def test_it_fits_the_risky_lever_only() -> None:
    fits = experiments()["rpe_perturbation"].fits
    for name, expected in (("risky_safe", True), ("bandit", False)):
        one = bench(tasks.make(name))
        assert fits(one.agent, one.task) == expected


@pytest.mark.slow
def test_every_condition_tells_its_own_false_reward() -> None:
    task = tasks.make("risky_safe", trials=8)
    one = bench(task)
    found = experiments()["rpe_perturbation"].run(one)
    assert set(found) == {"block_risky_reward", "block_safe_reward", "block_risky_loss"}
    plain = record(one.agent, task, lifetimes=6, seed=3)
    first = np.s_[:, 0]
    for name, lifetimes in found.items():
        told = lifetimes.observation["previous_reward"][:, 1:9]
        paid = lifetimes.reward[:, :8]
        is_false = {
            "block_risky_reward": paid == 4,
            "block_safe_reward": paid == 1,
            "block_risky_loss": paid == 0,
        }[name]
        assert is_false.any()
        np.testing.assert_array_equal(told != paid, is_false)
        # The first choice is made before anything is told: the lifetimes are the same.
        np.testing.assert_array_equal(lifetimes.action[first], plain.action[first])
        np.testing.assert_array_equal(lifetimes.reward[first], plain.reward[first])
