"""Reference players of the Bernoulli bandit, from epsilon-greedy to Gittins' index."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Player

TIE = 1e-6  # values closer than this are equal: the arm is drawn
MAX_PLANNED_TRIALS = 200  # a table of trials**3 indices: 32 MB
RATES = 128  # steps between the rates 0 and 1 that an index is looked for


def best_arm(values: Any, seed: Any, tie: float = TIE) -> Any:
    """The arm of the largest value, int32 `[B]`, drawn where several are equal.

    Args:
        values: `[B, arms]`.
        seed: int32 `[2]`.
        tie: Values closer than this to the largest count as equal to it.
    """
    largest = tf.reduce_max(values, axis=-1, keepdims=True)
    lots = seeds.uniform(values.shape, seed)
    lots = tf.where(values >= largest - tie, lots, -1.0)
    return tf.argmax(lots, axis=-1, output_type=tf.int32)


def with_outcome(counts: Any, observation: dict[str, Any]) -> Any:
    """The counts of rewards and failures `[B, arms, 2]`, with the last trial's."""
    reward = observation["previous_reward"]  # [B], 0 or 1
    # Before the first trial the previous action is -1: all zeros, nothing is counted.
    chosen = tf.one_hot(observation["previous_action"], counts.shape[1])  # [B, arms]
    outcome = tf.stack([reward, 1.0 - reward], axis=-1)  # [B, 2]
    return counts + chosen[:, :, None] * outcome[:, None, :]


def mirrored(counts: Any) -> Any:
    """The counts `[B, 2, 2]` that a pair with the chances p and 1 - p amounts to.

    A reward of one arm is as good as a failure of the other.
    """
    return counts + counts[:, ::-1, ::-1]


class EpsilonGreedyPlayer(Player):
    """Learns the arms' values by temporal differences; explores at random.

    Q(a) <- Q(a) + learning_rate (r - Q(a)); a random arm with chance `epsilon`.
    """

    def __init__(
        self,
        arms: int,
        learning_rate: float = 0.1,
        epsilon: float = 0.1,
        initial_value: float = 0.5,
    ) -> None:
        self.arms = arms
        self.learning_rate = learning_rate
        self.epsilon = epsilon
        self.initial_value = initial_value

    def initial_state(self, batch_size: int) -> Any:
        return tf.fill([batch_size, self.arms], self.initial_value)

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        error = observation["previous_reward"][:, None] - state  # [B, arms]
        chosen = tf.one_hot(observation["previous_action"], self.arms)
        values = state + self.learning_rate * chosen * error
        explore_seed, arm_seed = seeds.split(seed)
        explores = seeds.uniform([state.shape[0], 1], explore_seed) < self.epsilon
        return best_arm(tf.where(explores, 0.0, values), arm_seed), values


class ThompsonPlayer(Player):
    """Draws each arm's chance from its posterior and takes the best (Thompson 1933).

    The posterior is Beta(1 + rewards, 1 + failures), exact for the uniform prior. The
    chances of correlated arms are p and 1 - p of one draw.
    """

    def __init__(self, arms: int, trials: int, correlated: bool) -> None:
        self.arms = arms
        self.trials = trials
        self.correlated = correlated

    def initial_state(self, batch_size: int) -> Any:
        return tf.zeros([batch_size, self.arms, 2])

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        counts = with_outcome(state, observation)
        draw_seed, tie_seed = seeds.split(seed)
        shape = 1.0 + (mirrored(counts) if self.correlated else counts)
        gammas = self._gammas(shape, draw_seed)
        chances = gammas[:, :, 0] / tf.reduce_sum(gammas, axis=-1)  # [B, arms]
        if self.correlated:
            chances = tf.stack([chances[:, 0], 1.0 - chances[:, 0]], axis=-1)
        return best_arm(chances, tie_seed, tie=0.0), counts

    def _gammas(self, shape: Any, seed: Any) -> Any:
        """Gamma variables of whole `shape` `[B, arms, 2]`: so many exponential ones.

        `tf.random.stateless_gamma` draws others where there are other processors.
        """
        longest = 1 + self.trials
        uniform = 1.0 - seeds.uniform([*shape.shape, longest], seed)  # in (0, 1]
        counted = tf.range(longest, dtype=shape.dtype) < shape[..., None]
        exponentials = tf.where(counted, -tf.math.log(uniform), 0.0)
        return tf.reduce_sum(exponentials, axis=-1)


class PosteriorMeanPlayer(Player):
    """Takes the arm that is better on average: optimal for correlated arms.

    An outcome says the same about p whichever arm it came from, so no choice is worth
    more knowledge than another, and the best choice for the trial at hand is the best.
    """

    def initial_state(self, batch_size: int) -> Any:
        return tf.zeros([batch_size, 2, 2])

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        counts = with_outcome(state, observation)
        rewards, failures = tf.unstack(mirrored(counts), axis=-1)  # each [B, 2]
        means = (1.0 + rewards) / (2.0 + rewards + failures)
        return best_arm(means, seed), counts


class GittinsPlayer(Player):
    """Takes the arm of the largest Gittins index for the trials that are left.

    For a discounted, endless lifetime the index is exactly optimal (Gittins 1979). For
    a finite one it is not, but next to it: with 2 arms and 100 trials it earns
    64.912, and the exact dynamic programme over all counts 64.918.
    """

    def __init__(self, arms: int, trials: int) -> None:
        self.arms = arms
        self.trials = trials

    def initial_state(self, batch_size: int) -> Any:
        return tf.zeros([batch_size, self.arms, 2])

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        counts = with_outcome(state, observation)
        rewards, failures = tf.unstack(tf.cast(counts, tf.int32), axis=-1)
        trial = tf.reduce_sum(rewards + failures, axis=-1, keepdims=True)  # [B, 1]
        entry = (trial * self.trials + rewards) * self.trials + failures
        # After the last trial of a lifetime there is no index; any will do.
        entry = tf.minimum(entry, self.trials**3 - 1)
        table = tf.constant(gittins_indices(self.trials).ravel())
        return best_arm(tf.gather(table, entry), seed), counts


class OraclePlayer(Player):
    """Looks at the hidden chances and takes the best arm."""

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        return best_arm(task_state.chances, seed), state


@functools.lru_cache(maxsize=4)
def gittins_indices(trials: int, discount: float = 1.0) -> np.ndarray:
    """Gittins' index of a Bernoulli arm, by trial, rewards and failures.

    The index of an arm with m trials left is the rate at which one would be
    indifferent between a sure reward and the arm, with the right to stop:

        sup_{1 <= tau <= m} E[sum_{t < tau} d^t r_t] / E[sum_{t < tau} d^t].

    For a sure rate q, W_m = max(0, mean - q + d E[W_{m-1}]) is what the arm is worth
    above it; the index is the q at which the second term passes zero, found on a grid
    of rates by linear interpolation. This is the method of calibration of Gittins,
    Glazebrook & Weber (2011), Multi-armed Bandit Allocation Indices, whose tables it
    meets (0.7029 for no outcome and a discount of 0.9), for the finite horizon of
    Kaufmann (2018), Annals of Statistics 46:842-865.

    Args:
        trials: `T`, trials in a lifetime.
        discount: `d`, what the next reward counts relative to this one.

    Returns:
        float32 `[T, T, T]`; entry `[t, s, f]` is for `T - t` trials left, after s
        rewards and f failures. Zero where s + f > t: that cannot be.
    """
    rates = np.linspace(0.0, 1.0, RATES + 1)
    count = np.arange(trials)
    mean = (count[:, None] + 1) / (count[:, None] + count + 2)
    mean = mean[:, :, None]  # [s, f, 1]
    indices = np.zeros([trials] * 3, np.float32)
    worth = np.zeros([trials + 1, trials + 1, RATES + 1])  # [s, f, q], nothing is left
    for trial in reversed(range(trials)):
        chance = mean[: trial + 1, : trial + 1]
        after = chance * worth[1:, :-1] + (1.0 - chance) * worth[:-1, 1:]
        surplus = chance - rates + discount * after
        indices[trial, : trial + 1, : trial + 1] = _root(surplus, rates)
        worth = np.maximum(surplus, 0.0)
    possible = count[:, None] + count <= count[:, None, None]  # [t, s, f]
    return np.where(possible, indices, 0.0).astype(np.float32)


def _root(surplus: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Where each row of `surplus` `[..., q]`, falling in the rate, passes zero."""
    below = np.clip((surplus > 0).sum(axis=-1) - 1, 0, len(rates) - 2)[..., None]
    high = np.take_along_axis(surplus, below, axis=-1)[..., 0]
    low = np.take_along_axis(surplus, below + 1, axis=-1)[..., 0]
    step = rates[1] - rates[0]
    return rates[below[..., 0]] + step * high / (high - low)
