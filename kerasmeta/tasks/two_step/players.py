"""Reference players of the two-step task: temporal difference, Bayes, oracle."""

from __future__ import annotations

from typing import Any, Protocol

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.two_step import rules

TIE = 1e-6  # values closer than this are equal: the action is drawn


class Chances(Protocol):
    """The numbers of a two-step task that a player who knows the task knows."""

    @property
    def common(self) -> float: ...
    @property
    def high_reward(self) -> float: ...
    @property
    def low_reward(self) -> float: ...
    @property
    def reversal(self) -> float: ...


def state_reached(observation: dict[str, Any]) -> Any:
    """The second-stage state of the last trial, int32 `[B]`, -1 if none is shown."""
    stimulus = observation["stimulus"][:, :3]  # none, S1, S2
    return tf.argmax(stimulus, axis=-1, output_type=tf.int32) - 1


def outcome_chance(reached: Any, reward: Any, good: int, chances: Chances) -> Any:
    """The chance `[B]` of a reward (0 or 1) in the state reached if `good` is good."""
    chance = rules.reward_chance(reached, good, chances.high_reward, chances.low_reward)
    return tf.where(reward > 0, chance, 1.0 - chance)


def posterior(belief: Any, likelihood_1: Any, likelihood_2: Any) -> Any:
    """Bayes' rule for the belief `[B]` that S2 is good: b L2 / (b L2 + (1 - b) L1).

    L1 and L2 are the chances of what was seen if S1, or S2, is the good state.
    """
    joint_1 = (1.0 - belief) * likelihood_1
    joint_2 = belief * likelihood_2
    return tf.math.divide_no_nan(joint_2, joint_1 + joint_2)


def after_reversal(belief: Any, reversal: float) -> Any:
    """The belief `[B]` one trial later: b (1 - h) + (1 - b) h."""
    return belief * (1.0 - reversal) + (1.0 - belief) * reversal


def state_values(belief: Any, chances: Chances) -> Any:
    """The expected reward `[B, 2]` of reaching S1 and S2."""
    spread = chances.high_reward - chances.low_reward
    return chances.low_reward + spread * tf.stack([1.0 - belief, belief], axis=-1)


def action_values(values: Any, common: float) -> Any:
    """The expected reward `[B, 2]` of each action from that of each state `[B, 2]`."""
    return common * values + (1.0 - common) * values[:, ::-1]


def greedy(values: Any, seed: Any) -> Any:
    """The better of two actions, int32 `[B]`; equal ones are drawn at random."""
    lead = values[:, 1] - values[:, 0]
    coin = seeds.uniform([lead.shape[0]], seed) < 0.5
    return tf.cast(tf.where(tf.abs(lead) < TIE, coin, lead > 0), tf.int32)


class ModelFreePlayer(Player):
    """Learns the values of the two actions, blind to the transition.

    Q(a) <- Q(a) + learning_rate (r - Q(a)), greedy, random ties.
    """

    def __init__(self, learning_rate: float = 0.5, initial_value: float = 0.5) -> None:
        self.learning_rate = learning_rate
        self.initial_value = initial_value

    def initial_state(self, batch_size: int) -> Any:
        return tf.fill([batch_size, 2], self.initial_value)

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        error = observation["previous_reward"][:, None] - state  # [B, 2]
        chosen = tf.one_hot(observation["previous_action"], 2)
        # A step without an outcome (the first one, a pause) teaches nothing.
        outcome = tf.cast(state_reached(observation) >= 0, tf.float32)[:, None]
        values = state + self.learning_rate * outcome * chosen * error
        return greedy(values, seed), values


def filtered(belief: Any, observation: dict[str, Any], chances: Chances) -> Any:
    """The belief `[B]` that S2 is good, after the outcome that is shown, if any is."""
    reached = state_reached(observation)
    reward = observation["previous_reward"]
    updated = posterior(
        belief,
        outcome_chance(reached, reward, 0, chances),
        outcome_chance(reached, reward, 1, chances),
    )
    updated = after_reversal(updated, chances.reversal)
    return tf.where(reached >= 0, updated, belief)


class BayesPlayer(Player):
    """Filters the hidden good state exactly and takes the better action.

    It knows the task's numbers but not its state; its own state is its belief `[B]`
    that S2 is the good one. Where high_reward + low_reward = 1 a trial is as
    informative in either state, so that the myopic choice is the optimal one.
    """

    def __init__(self, chances: Chances) -> None:
        self.chances = chances

    def initial_state(self, batch_size: int) -> Any:
        return tf.fill([batch_size], 0.5)

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        belief = filtered(state, observation, self.chances)
        values = state_values(belief, self.chances)
        return greedy(action_values(values, self.chances.common), seed), belief


class OraclePlayer(Player):
    """Looks at the hidden good state: nobody earns more in a single trial."""

    def __init__(self, chances: Chances) -> None:
        self.chances = chances

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        belief = tf.cast(task_state.good, tf.float32)
        values = state_values(belief, self.chances)
        return greedy(action_values(values, self.chances.common), seed), state
