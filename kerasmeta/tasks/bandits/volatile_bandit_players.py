"""Reference players of the volatile bandit: one learning rate, Bayes, an oracle."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.bandits.bandit_players import best_arm
from kerasmeta.tasks.base import Player


class Blocks(Protocol):
    """The numbers of a volatile bandit that a player who knows the task knows."""

    @property
    def block_trials(self) -> int: ...
    @property
    def stable_reward(self) -> float: ...
    @property
    def volatile_reward(self) -> float: ...
    @property
    def reversal(self) -> float: ...


def arm_favoured(action: Any, reward: Any) -> Any:
    """The arm `[B]` that an outcome speaks for: the one chosen if it paid.

    As the arms' chances are p and 1 - p, a failure of one is as good as a reward of
    the other.
    """
    return tf.where(reward > 0, action, 1 - action)


class DeltaRulePlayer(Player):
    """Learns with one rate in both blocks (Rescorla & Wagner 1972).

    V, the chance that the second arm is the one that pays, follows the arms that
    outcomes speak for: V <- V + learning_rate (o - V). The second arm is taken with
    chance 1 / (1 + exp(-inverse_temperature (V - 1/2))).
    """

    def __init__(
        self, learning_rate: float = 0.15, inverse_temperature: float = 10.0
    ) -> None:
        self.learning_rate = learning_rate
        self.inverse_temperature = inverse_temperature

    def initial_state(self, batch_size: int) -> Any:
        return tf.fill([batch_size], 0.5)

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        action = observation["previous_action"]
        favoured = arm_favoured(action, observation["previous_reward"])
        error = tf.cast(favoured, tf.float32) - state
        value = tf.where(action >= 0, state + self.learning_rate * error, state)
        chance = tf.sigmoid(self.inverse_temperature * (value - 0.5))
        draw = seeds.uniform([state.shape[0]], seed)
        return tf.cast(draw < chance, tf.int32), value


class Belief(NamedTuple):
    """What `BayesPlayer` knows."""

    # [B, 2, 2] float32: P(order of the blocks, good arm); order 1: volatile first.
    joint: Any
    steps: Any  # [B] int32, steps done


class BayesPlayer(Player):
    """Filters the order of the blocks and the good arm exactly; takes the better arm.

    It knows the task's numbers, and so infers from the outcomes how volatile the world
    is, as the model of Behrens et al. (2007) does. An outcome says the same about the
    hidden state whichever arm it came from, so that no choice is worth more knowledge
    than another: the best choice for the trial at hand is the optimal one.
    """

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    def initial_state(self, batch_size: int) -> Belief:
        return Belief(
            joint=tf.fill([batch_size, 2, 2], 0.25),
            steps=tf.zeros([batch_size], tf.int32),
        )

    def act(
        self, state: Belief, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Belief]:
        joint = self._updated(state.joint, state.steps - 1, observation)
        high = self._high(self._volatile(state.steps))  # [B, 2]
        second = joint[:, :, 1] * high + joint[:, :, 0] * (1.0 - high)
        chance = tf.reduce_sum(second, axis=-1)  # [B], that the second arm pays
        action = best_arm(tf.stack([1.0 - chance, chance], axis=-1), seed)
        return action, Belief(joint, state.steps + 1)

    def _updated(self, joint: Any, trial: Any, observation: dict[str, Any]) -> Any:
        """The belief before the next trial, after the outcome of `trial` `[B]`."""
        action = observation["previous_action"]
        favoured = arm_favoured(action, observation["previous_reward"])
        volatile = self._volatile(trial)
        high = self._high(volatile)[:, :, None]  # [B, order, 1]
        is_favoured = tf.one_hot(favoured, 2)[:, None, :]  # [B, 1, good]
        posterior = joint * tf.where(is_favoured > 0, high, 1.0 - high)
        total = tf.reduce_sum(posterior, axis=[1, 2], keepdims=True)
        posterior = tf.math.divide_no_nan(posterior, total)
        reversal = tf.where(volatile, self.blocks.reversal, 0.0)[:, :, None]
        later = posterior * (1.0 - reversal) + posterior[:, :, ::-1] * reversal
        return tf.where((action >= 0)[:, None, None], later, joint)

    def _volatile(self, trial: Any) -> Any:
        """Whether a trial `[B]` is a volatile one, by the blocks' order, `[B, 2]`."""
        in_second = (trial >= self.blocks.block_trials)[:, None]
        return tf.not_equal(tf.constant([False, True]), in_second)

    def _high(self, volatile: Any) -> Any:
        return tf.where(
            volatile, self.blocks.volatile_reward, self.blocks.stable_reward
        )


class OraclePlayer(Player):
    """Looks at the hidden good arm."""

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        return task_state.good, state
