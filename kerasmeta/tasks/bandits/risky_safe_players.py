"""Reference players of the risky and the safe lever: optimal stopping, an oracle."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, Protocol

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.tasks.bandits.bandit_players import best_arm
from kerasmeta.tasks.base import Player

UNKNOWN = -1


class Levers(Protocol):
    """The numbers of the task that a player who knows it knows."""

    @property
    def trials(self) -> int: ...
    @property
    def safe_reward(self) -> float: ...
    @property
    def risky_reward(self) -> float: ...
    @property
    def low_chance(self) -> float: ...
    @property
    def high_chance(self) -> float: ...


class Experience(NamedTuple):
    """What `StoppingPlayer` knows."""

    risky: Any  # [B] int32, the risky lever, or UNKNOWN before the first outcome
    log_odds: Any  # [B] float32, of the high chance of the risky lever
    steps: Any  # [B] int32, steps done


class StoppingPlayer(Player):
    """Pulls the risky lever until it is no longer worth trying: the optimum.

    The first outcome tells which lever is which. The safe lever teaches nothing, so
    that whoever leaves the risky one for good reasons never comes back: how long to try
    is a problem of optimal stopping, solved by dynamic programming (`thresholds`).
    """

    def __init__(self, levers: Levers) -> None:
        self.levers = levers

    def initial_state(self, batch_size: int) -> Experience:
        return Experience(
            risky=tf.fill([batch_size], UNKNOWN),
            log_odds=tf.zeros([batch_size]),
            steps=tf.zeros([batch_size], tf.int32),
        )

    def act(
        self, state: Experience, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Experience]:
        action = observation["previous_action"]
        reward = observation["previous_reward"]
        was_safe = tf.equal(reward, self.levers.safe_reward)
        first = tf.where(was_safe, 1 - action, action)
        risky = tf.where(tf.equal(state.risky, UNKNOWN), first, state.risky)
        risky = tf.where(action < 0, UNKNOWN, risky)
        win, loss = _evidence(self.levers)
        evidence = tf.where(reward > 0, float(win), float(loss))
        log_odds = state.log_odds + tf.where(tf.equal(action, risky), evidence, 0.0)
        log_odds = tf.where(action < 0, 0.0, log_odds)
        worth_trying = log_odds >= tf.gather(
            tf.constant(thresholds(*_numbers(self.levers)), tf.float32),
            tf.minimum(state.steps, self.levers.trials - 1),
        )
        worth = tf.where(worth_trying, 1.0, -1.0)[:, None]  # [B, 1]
        values = tf.one_hot(risky, 2) * worth  # [B, 2], a tie where nothing is known
        return best_arm(values, seed), Experience(risky, log_odds, state.steps + 1)


class OraclePlayer(Player):
    """Looks at the hidden chance and at which lever is which."""

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        favourable = tf.equal(task_state.favourable, 1)
        return tf.where(favourable, task_state.risky, 1 - task_state.risky), state


@functools.lru_cache(maxsize=16)
def thresholds(
    trials: int, safe: float, risky: float, low: float, high: float
) -> np.ndarray:
    """The log odds of the high chance above which the risky lever is worth a pull.

    With m trials left and w rewards and l losses of the risky lever behind, whose
    chance is then p(w, l), the rest of the lifetime is worth

        V_m(w, l) = max(m safe, p (risky + V_{m-1}(w + 1, l)) + (1 - p) V_{m-1}(w, l +
        1)):

    who takes the safe lever learns nothing, and takes it for ever. The larger the odds
    the more the second term is worth, so that one number a trial is enough.

    Returns:
        float64 `[trials]`, by trial. Rewards and losses make up no odds between this
        number and the next smaller ones.
    """
    win, loss = np.log(high / low), np.log((1 - high) / (1 - low))
    count = np.arange(trials + 1)
    log_odds = win * count[:, None] + loss * count  # [w, l]
    chance = low + (high - low) / (1 + np.exp(-log_odds))
    value = np.zeros([trials + 2, trials + 2])  # nothing is left
    found = np.zeros(trials)
    for trial in reversed(range(trials)):
        tried = chance * (risky + value[1:, :-1]) + (1 - chance) * value[:-1, 1:]
        left = trials - trial
        is_better = tried > safe * left
        found[trial] = _boundary(log_odds, is_better, most=trial)
        value[:-1, :-1] = np.maximum(tried, safe * left)
    return found


def _boundary(log_odds: np.ndarray, is_better: np.ndarray, most: int) -> float:
    """Halfway between the log odds of both kinds that `most` pulls can give."""
    count = np.arange(len(log_odds))
    possible = count[:, None] + count <= most
    better, worse = log_odds[possible & is_better], log_odds[possible & ~is_better]
    if not len(worse):
        return float(better.min()) - 1.0
    if not len(better):
        return float(worse.max()) + 1.0
    return float(better.min() + worse.max()) / 2


def _evidence(levers: Levers) -> tuple[float, float]:
    """What a reward and a loss of the risky lever add to the log odds."""
    win = np.log(levers.high_chance / levers.low_chance)
    loss = np.log((1 - levers.high_chance) / (1 - levers.low_chance))
    return float(win), float(loss)


def _numbers(levers: Levers) -> tuple[int, float, float, float, float]:
    return (
        levers.trials,
        levers.safe_reward,
        levers.risky_reward,
        levers.low_chance,
        levers.high_chance,
    )
