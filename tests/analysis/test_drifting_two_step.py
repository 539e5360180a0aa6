"""Trials and metrics of the drifting two-step task, against loops over trials."""

from __future__ import annotations

import numpy as np
import pytest
from harness import drifting_two_step_simulation as simulation
from harness import two_step_simulation

from kerasmeta import tasks
from kerasmeta.analysis import metrics
from kerasmeta.analysis.families.choice_regression import choice_data
from kerasmeta.analysis.trials import (
    NO_CHOICE,
    NOT_VISIBLE,
    drifting_two_step_trials,
)
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks.play import play

TYPES = two_step_simulation.TRIAL_TYPES


@pytest.fixture(scope="module")
def lifetimes() -> Lifetimes:
    subjects = simulation.alike(20, 0.5, 0.5, 0.5, 4.0, 4.0, 0.5, 0.1)
    return simulation.simulate(subjects, trials=60, seed=1)


def with_boundary(lifetimes: Lifetimes) -> Lifetimes:
    """As agents are recorded: one more step, in which nothing is done."""

    def longer(x: np.ndarray) -> np.ndarray:
        return np.concatenate([x, x[:, :1]], axis=1)

    seen = {key: longer(value) for key, value in lifetimes.observation.items()}
    rest = Lifetimes(seen, *(longer(field) for field in lifetimes[1:4]))
    rest.valid[:, -1] = False
    return rest


def test_a_trial_is_two_steps(lifetimes: Lifetimes) -> None:
    trials = drifting_two_step_trials(lifetimes)
    shown = lifetimes.observation["stimulus"]
    assert trials.valid.shape == (20, 60)
    assert trials.visible.all()
    for b in range(20):
        for t in range(60):
            assert trials.action[b, t] == lifetimes.action[b, 2 * t]
            assert trials.arm[b, t] == lifetimes.action[b, 2 * t + 1]
            assert trials.reward[b, t] == lifetimes.reward[b, 2 * t + 1]
            assert shown[b, 2 * t + 1, 1 + trials.state[b, t]] == 1
            assert trials.common[b, t] == (trials.state[b, t] == trials.action[b, t])


def test_metrics_against_loops(lifetimes: Lifetimes) -> None:
    tally: dict[str, list[bool]] = {name: [] for name in TYPES}
    action, reward = lifetimes.action, lifetimes.reward
    for b in range(20):
        for t in range(0, 118, 2):
            reached = lifetimes.observation["stimulus"][b, t + 1, 1:3].argmax()
            kind = (reached == action[b, t], reward[b, t + 1] == 1)
            [name] = [name for name, found in TYPES.items() if found == kind]
            tally[name].append(action[b, t + 2] == action[b, t])
    found = metrics("two_step_drift", lifetimes)
    for name, stays in tally.items():
        np.testing.assert_allclose(found[f"stay_{name}"].mean, np.mean(stays))
    per_trial = lifetimes.reward.sum() / (20 * 60)
    np.testing.assert_allclose(found["reward_per_trial"].mean, per_trial, rtol=1e-6)
    assert set(found) == set(
        metrics("two_step", two_step_simulation.two_step(_coin(), 3, 0))
    )


def _coin() -> two_step_simulation.RandomChooser:
    return two_step_simulation.RandomChooser()


def test_the_boundary_and_an_unfinished_trial_count_for_nothing(
    lifetimes: Lifetimes,
) -> None:
    whole = metrics("two_step_drift", lifetimes)
    assert metrics("two_step_drift", with_boundary(lifetimes)) == whole
    valid = lifetimes.valid.copy()
    valid[:, 41:] = False  # the 21st trial has a first choice only
    trials = drifting_two_step_trials(lifetimes._replace(valid=valid))
    assert (trials.valid.sum(axis=1) == 20).all()
    assert (trials.state[:, 20:] == NOT_VISIBLE).all()
    assert (trials.arm[:, 20:] == NO_CHOICE).all()
    assert len(choice_data(trials).choice) == 20 * (20 - 5)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_learners_show_their_signature(weight: float) -> None:
    """Who plans has the interaction, who does not has the effect of reward."""
    subjects = simulation.alike(100, 0.5, 0.4, 0.6, 6.0, 4.0, weight, 0.0)
    found = metrics("two_step_drift", simulation.simulate(subjects, 200, seed=2))
    high, low = "model_based_index", "model_free_index"
    if weight == 0.0:
        high, low = low, high
    assert found[high].ci95[0] > 2
    assert found[low].ci95[1] < found[high].ci95[0] / 3


def test_players_of_the_real_task() -> None:
    task = tasks.make("two_step_drift", trials=50)
    for player, high in (("model_based", "based"), ("model_free", "free")):
        found = metrics("two_step_drift", play(task, player, 300, seed=1))
        low = {"based": "free", "free": "based"}[high]
        indices = found[f"model_{high}_index"], found[f"model_{low}_index"]
        assert indices[0].ci95[0] > 3 * abs(indices[1].mean)


def test_lifetimes_of_another_task_are_refused(lifetimes: Lifetimes) -> None:
    other = two_step_simulation.two_step(_coin(), 3, seed=0)
    with pytest.raises(UserError, match=r"shows \[B, T, 7\]"):
        metrics("two_step_drift", other)
    late = {key: seen[:, 1:] for key, seen in lifetimes.observation.items()}
    shifted = Lifetimes(late, *(field[:, 1:] for field in lifetimes[1:4]))
    with pytest.raises(UserError, match="first and second stage do not alternate"):
        metrics("two_step_drift", shifted)
