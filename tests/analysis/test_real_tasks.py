"""The project's tasks and the NumPy re-implementation, seen through the metrics.

Two programs written from the same rules must give the same numbers, and the parser
must read the real tasks as it reads the simulated ones.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from harness import two_step_simulation as simulation

from kerasmeta import tasks
from kerasmeta.analysis import Estimate, episodic_two_step_trials, metrics
from kerasmeta.analysis.trials import NO_TRIAL
from kerasmeta.tasks.play import play

LIFETIMES = 400


def check_same(one: dict[str, Estimate], other: dict[str, Estimate]) -> None:
    """Differences are within the 99.9% interval of a difference."""
    assert set(one) == set(other)
    for name, estimate in one.items():
        errors = [np.subtract(*e.ci95[::-1]) / 3.92 for e in (estimate, other[name])]
        difference = abs(estimate.mean - other[name].mean)
        assert difference <= 3.3 * math.hypot(*errors), name


def simulated(task_name: str, chooser: object) -> dict[str, Estimate]:
    simulate = getattr(simulation, task_name)
    return metrics(task_name, simulate(chooser, LIFETIMES, seed=11))


def real(task_name: str, player: str) -> dict[str, Estimate]:
    lifetimes = play(tasks.make(task_name), player, LIFETIMES, seed=12)
    return metrics(task_name, lifetimes)


@pytest.mark.parametrize("task_name", ["two_step", "episodic_two_step"])
def test_random_players_agree(task_name: str) -> None:
    chooser = simulation.RandomChooser()
    check_same(real(task_name, "random"), simulated(task_name, chooser))


def test_optimal_two_step_players_agree() -> None:
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025)
    check_same(real("two_step", "optimal"), simulated("two_step", chooser))


def test_optimal_episodic_players_agree() -> None:
    chooser = simulation.OptimalChooser(0.9, 0.9, 0.1)
    found = real("episodic_two_step", "optimal")
    check_same(found, simulated("episodic_two_step", chooser))
    assert found["episodic_contrast"].mean == 2.0


def test_every_cue_of_the_real_task_is_traced() -> None:
    task = tasks.make("episodic_two_step")
    trials = episodic_two_step_trials(play(task, "random", 50, seed=1))
    assert trials.valid.sum() == 50 * 100
    assert trials.cued.sum() == 50 * 50
    assert (trials.cued_trial[trials.cued] != NO_TRIAL).all()
    # The same state as in the cued trial gives the same reward (the rule of the task).
    past = np.maximum(trials.cued_trial, 0)
    state = np.take_along_axis(trials.state, past, axis=1)
    reward = np.take_along_axis(trials.reward, past, axis=1)
    same = trials.cued & trials.visible & (trials.state == state)
    assert same.sum() > 500
    np.testing.assert_array_equal(trials.reward[same], reward[same])
