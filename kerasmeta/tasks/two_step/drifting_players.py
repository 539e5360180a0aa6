"""Reference players of the drifting two-step task: SARSA, exact beliefs, oracle."""

from __future__ import annotations

import functools
from typing import Any, Protocol

import numpy as np
from scipy.special import ndtr

from kerasmeta._keras import tf
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.two_step.players import action_values, greedy, state_reached
from kerasmeta.tasks.two_step.two_stage_learner import Learner, Outcome, one_hot_arm

CELLS = 50  # of the grid on which the belief of an arm is carried


class DriftingChances(Protocol):
    """The numbers of the task that a player who knows the task knows."""

    @property
    def common(self) -> float: ...
    @property
    def lowest_chance(self) -> float: ...
    @property
    def highest_chance(self) -> float: ...
    @property
    def drift(self) -> float: ...


class SarsaPlayer(Learner):
    """SARSA(lambda), blind to the transition: the model-free part of Daw's model.

        Q1(a) <- Q1(a) + alpha1 (Q2(s, b) - Q1(a) + lambda (r - Q2(s, b)))
        Q2(s, b) <- Q2(s, b) + alpha2 (r - Q2(s, b))

    for the choices a and b, the state s and the reward r of a trial. The parameters are
    those that earn most in the task as it is by default (found by Nelder and Mead's
    simplex over 12,000 lifetimes). What they earn, 0.551 a trial, is the model-free
    ceiling that agents are compared with. Choosing by softmax, repeating the last
    choice, or letting the values of what was not chosen decay did not earn more.
    """

    def __init__(
        self,
        first_learning_rate: float = 0.35,
        second_learning_rate: float = 0.06,
        trace: float = 0.15,
        initial_value: float = 0.5,
    ) -> None:
        self.first_learning_rate = first_learning_rate
        self.second_learning_rate = second_learning_rate
        self.trace = trace
        self.initial_value = initial_value

    def begin(self, batch_size: int) -> Any:
        first = tf.fill([batch_size, 2], self.initial_value)
        return first, tf.fill([batch_size, 2, 2], self.initial_value)

    def learn(self, knowledge: Any, outcome: Outcome) -> Any:
        first, second = knowledge
        chosen = tf.one_hot(outcome.first, 2)  # [B, 2]
        pulled = one_hot_arm(outcome)  # [B, 2, 2]
        arm_value = tf.reduce_sum(pulled * second, axis=[1, 2])  # [B]
        at_outcome = outcome.reward - arm_value  # the error when the reward comes
        at_arrival = arm_value - tf.reduce_sum(chosen * first, axis=1)  # in the state
        error = at_arrival + self.trace * at_outcome
        return (
            first + self.first_learning_rate * chosen * error[:, None],
            second + self.second_learning_rate * pulled * at_outcome[:, None, None],
        )

    def first_values(self, knowledge: Any) -> Any:
        return knowledge[0]

    def second_values(self, knowledge: Any) -> Any:
        return knowledge[1]


class BayesPlayer(Learner):
    """Tracks the four arms exactly, and plans through the transition it knows.

    Its knowledge is the belief `[B, 2, 2, CELLS]` of each arm's chance p on a grid:
    multiplied by p or 1 - p after a reward or none, and spread by the drift after every
    trial. An arm is worth its mean, a state its better arm, and a first choice

        Q(a) = common V(own state) + (1 - common) V(other state).
    """

    def __init__(self, chances: DriftingChances) -> None:
        self.common = chances.common
        self.grid, self.spread = belief_grid(
            chances.lowest_chance, chances.highest_chance, chances.drift
        )

    def begin(self, batch_size: int) -> Any:
        return tf.fill([batch_size, 2, 2, CELLS], 1.0 / CELLS)

    def learn(self, knowledge: Any, outcome: Outcome) -> Any:
        rewarded = outcome.reward[:, None] > 0
        likelihood = tf.where(rewarded, self.grid, 1.0 - self.grid)  # [B, CELLS]
        pulled = one_hot_arm(outcome)[..., None] > 0  # [B, 2, 2, 1]
        joint = tf.where(pulled, knowledge * likelihood[:, None, None], knowledge)
        belief = tf.math.divide_no_nan(
            joint, tf.reduce_sum(joint, axis=-1, keepdims=True)
        )
        return tf.tensordot(belief, self.spread, axes=1)

    def first_values(self, knowledge: Any) -> Any:
        best = tf.reduce_max(self.second_values(knowledge), axis=-1)  # [B, 2]
        return action_values(best, self.common)

    def second_values(self, knowledge: Any) -> Any:
        return tf.reduce_sum(knowledge * self.grid, axis=-1)


class OraclePlayer(Player):
    """Looks at the hidden chances, and plans: nobody earns more."""

    def __init__(self, chances: DriftingChances) -> None:
        self.common = chances.common

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        reached = state_reached(observation)
        best = tf.reduce_max(task_state.chances, axis=-1)
        first = action_values(best, self.common)
        arms = tf.gather(task_state.chances, tf.maximum(reached, 0), batch_dims=1)
        return greedy(tf.where((reached < 0)[:, None], first, arms), seed), state


@functools.cache
def belief_grid(
    lowest: float, highest: float, drift: float
) -> tuple[np.ndarray, np.ndarray]:
    """A grid of chances, and where one trial of drift takes each of them.

    The chance of going from cell to cell is the Gaussian's mass over the target cell
    and over its mirror images, folded back at the bounds.

    Returns:
        The cells' middles `[CELLS]` and the chances `[CELLS, CELLS]` (from, to),
        float32; rows sum to 1.
    """
    edges = np.linspace(lowest, highest, CELLS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    if drift == 0 or lowest == highest:
        return middle.astype(np.float32), np.eye(CELLS, dtype=np.float32)
    # A free walk from a mirror image of the start ends where the reflected walk does.
    starts = np.stack([middle, 2 * lowest - middle, 2 * highest - middle])
    mass = np.diff(ndtr((edges - starts[..., None]) / drift)).sum(axis=0)
    spread = mass / mass.sum(axis=1, keepdims=True)
    return middle.astype(np.float32), spread.astype(np.float32)
