"""The bandit's metrics, against loops over single trials and true chances."""

from __future__ import annotations

import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta.analysis import metrics
from kerasmeta.analysis.headline import headline
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.training.config import RunConfig, TaskConfig
from kerasmeta.training.evaluation import evaluate, players
from kerasmeta.training.loop import make_agent

NAMES = {
    "reward_per_trial",
    "reward_first_10_trials",
    "reward_last_10_trials",
    "stay_rewarded",
    "stay_unrewarded",
    "cumulative_regret",
}


def simulate(lifetimes: int, trials: int, seed: int) -> tuple[Lifetimes, np.ndarray]:
    """An agent that stays after a reward and mostly shifts otherwise; true regrets."""
    rng = np.random.default_rng(seed)
    chances = rng.random((lifetimes, 2))
    rows = np.arange(lifetimes)
    action = np.zeros((lifetimes, trials), np.int32)
    reward = np.zeros((lifetimes, trials), np.float32)
    regret = np.zeros(lifetimes)
    for t in range(trials):
        if t > 0:
            shifts = (reward[:, t - 1] == 0) & (rng.random(lifetimes) < 0.7)
            action[:, t] = np.where(shifts, 1 - action[:, t - 1], action[:, t - 1])
        chance = chances[rows, action[:, t]]
        reward[:, t] = rng.random(lifetimes) < chance
        regret += chances.max(axis=1) - chance
    observation = {"stimulus": np.ones((lifetimes, trials, 1), np.float32)}
    hidden = {"chances": np.repeat(chances[:, None], trials, axis=1)}
    valid = np.ones(reward.shape, bool)
    return Lifetimes(observation, action, reward, valid, hidden=hidden), regret


@pytest.fixture(scope="module")
def recorded() -> Lifetimes:
    """Lifetimes of 12 to 40 trials; what comes after them is nonsense."""
    lifetimes, _ = simulate(30, 40, seed=0)
    length = np.random.default_rng(1).integers(12, 41, size=(30, 1))
    valid = np.arange(40) < length
    return lifetimes._replace(
        valid=valid, reward=np.where(valid, lifetimes.reward, 7.0)
    )


def test_outcomes_are_what_agents_saw_where_learners_are_paid_regret() -> None:
    outcomes, _ = simulate(30, 40, seed=0)
    shown = np.pad(outcomes.reward[:, :-1], [(0, 0), (1, 0)])
    paid = outcomes._replace(
        observation={**outcomes.observation, "previous_reward": shown},
        reward=outcomes.reward - 1.0,
    )
    found, expected = metrics("bandit", paid), metrics("bandit", outcomes)
    for name in ("stay_rewarded", "stay_unrewarded"):
        assert found[name] == expected[name]


def test_against_loops(recorded: Lifetimes) -> None:
    everything, first, last, stay = [], [], [], {True: [], False: []}
    for b in range(30):
        n = int(recorded.valid[b].sum())
        reward, action = recorded.reward[b, :n], recorded.action[b, :n]
        everything += list(reward)
        first += list(reward[:10])
        last += list(reward[-10:])
        for t in range(1, n):
            stay[bool(reward[t - 1] == 1)].append(action[t] == action[t - 1])
    found = metrics("bandit", recorded)
    assert set(found) == NAMES
    expected = {
        "reward_per_trial": everything,
        "reward_first_10_trials": first,
        "reward_last_10_trials": last,
        "stay_rewarded": stay[True],
        "stay_unrewarded": stay[False],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name].mean, np.mean(values), err_msg=name)
        low, high = found[name].ci95
        assert low <= found[name].mean <= high


def test_planted_strategy_is_found() -> None:
    lifetimes, _ = simulate(300, 50, seed=2)
    found = metrics("bandit", lifetimes)
    assert found["stay_rewarded"].mean == 1.0
    low, high = found["stay_unrewarded"].ci95
    assert low < 0.3 < high


def test_regret_is_that_of_the_true_chances() -> None:
    lifetimes, true = simulate(400, 50, seed=3)
    found = metrics("bandit", lifetimes)["cumulative_regret"]
    np.testing.assert_allclose(found.mean, true.mean(), rtol=1e-6)
    assert found.ci95[0] < true.mean() < found.ci95[1]


def test_regret_counts_trials_of_the_record_only(recorded: Lifetimes) -> None:
    found = metrics("bandit", recorded)["cumulative_regret"]
    chances, action = recorded.hidden["chances"], recorded.action
    missed = [
        sum(
            chances[b, t].max() - chances[b, t, action[b, t]]
            for t in range(40)
            if recorded.valid[b, t]
        )
        for b in range(30)
    ]
    np.testing.assert_allclose(found.mean, np.mean(missed), rtol=1e-6)


def test_without_the_chances_there_is_no_regret(recorded: Lifetimes) -> None:
    assert "cumulative_regret" not in metrics("bandit", recorded._replace(hidden=()))


def test_agents_and_players_have_their_regret_measured() -> None:
    """By reward alone it is the same on average: the oracle's minus one's own."""
    task = tasks.make("bandit", trials=20)
    found = players(task, lifetimes=4000)
    assert found["oracle"]["cumulative_regret"].mean == 0.0
    for player in found.values():
        missed = 20 * (task.mean_best_chance - player["reward_per_trial"].mean)
        assert abs(player["cumulative_regret"].mean - missed) < 0.4
    config = RunConfig(task=TaskConfig(name="bandit"))
    agent = make_agent(config.with_overrides(["agent.kind=lstm"]), task)
    measured = evaluate(agent, task, lifetimes=200).metrics["cumulative_regret"]
    assert measured.ci95[0] < found["random"]["cumulative_regret"].mean
    assert measured.ci95[1] > found["random"]["cumulative_regret"].mean


def test_lifetimes_of_another_task_are_refused(recorded: Lifetimes) -> None:
    other = recorded._replace(observation={"stimulus": np.ones((30, 40, 3))})
    with pytest.raises(UserError, match="task they were recorded on"):
        metrics("bandit", other)


def test_headlines_are_metrics() -> None:
    assert set(headline("bandit")) <= NAMES
