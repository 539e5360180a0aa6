"""The best that can be done in the contextual two-step task without using contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.two_step.players import (
    action_values,
    after_reversal,
    greedy,
    outcome_chance,
    posterior,
    state_reached,
    state_values,
)

if TYPE_CHECKING:
    from kerasmeta.tasks.two_step.episodic import EpisodicTwoStep


class IncrementalState(NamedTuple):
    """What the player carries: running quantities, no single trial."""

    belief: Any  # [B] float32, the chance that S2 is the good state
    counts: Any  # [B, 2, 2, 2] float32, past trials by (half, state, reward)
    steps: Any  # [B] int32, steps done


class IncrementalPlayer(Player):
    """Filters the good state exactly, but cannot tell which past trial is cued.

    It knows that a cued reward may repeat an old one, and counts the outcomes of each
    half, so that its belief is the exact one of a player who ignores contexts: in a
    cued trial, with f(s, r) the share of past trials of that half that led to state s
    and reward r,

        P(r | s, good) = f(s, r) + (1 - f(s, 0) - f(s, 1)) P_fresh(r | s, good).

    An agent without episodic memory cannot earn more, choosing for the trial at hand.
    """

    def __init__(self, task: EpisodicTwoStep) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> IncrementalState:
        return IncrementalState(
            belief=tf.fill([batch_size], 0.5),
            counts=tf.zeros([batch_size, 2, 2, 2]),
            steps=tf.zeros([batch_size], tf.int32),
        )

    def act(
        self,
        state: IncrementalState,
        observation: dict[str, Any],
        task_state: Any,
        seed: Any,
    ) -> tuple[Any, IncrementalState]:
        reached = state_reached(observation)
        reward = observation["previous_reward"]
        past = self._shares(state.counts, state.steps - 1)
        belief = posterior(
            state.belief,
            self._likelihood(reached, reward, 0, past),
            self._likelihood(reached, reward, 1, past),
        )
        belief = after_reversal(belief, self.task.reversal)
        belief = tf.where(reached >= 0, belief, state.belief)
        counts = self._count(state, reached, reward, observation["store"])
        past = self._shares(counts, state.steps)
        fresh = state_values(belief, self.task)
        values = past[:, :, 1] + (1.0 - tf.reduce_sum(past, axis=-1)) * fresh
        action = greedy(action_values(values, self.task.common), seed)
        return action, IncrementalState(belief, counts, state.steps + 1)

    def _shares(self, counts: Any, step: Any) -> Any:
        """f(s, r) `[B, 2, 2]` of the trial of a step, zeros if it is not cued."""
        uncued, cued = self.task.uncued_trials, self.task.cued_trials
        trial = step - (uncued + 1)  # [B], cued trials before this one
        half = tf.cast(trial >= cued // 2, tf.int32)
        shares = (
            counts
            / tf.constant([uncued // 2, uncued - uncued // 2], tf.float32)[
                :, None, None
            ]
        )
        shares = tf.gather(shares, half, batch_dims=1)
        return tf.where((trial >= 0)[:, None, None], shares, 0.0)

    def _likelihood(self, reached: Any, reward: Any, good: int, past: Any) -> Any:
        """P(r | s, good) `[B]`, where s and r are the last trial's."""
        in_state = tf.reduce_sum(tf.one_hot(reached, 2)[:, :, None] * past, axis=1)
        with_reward = tf.where(reward > 0, in_state[:, 1], in_state[:, 0])
        fresh = outcome_chance(reached, reward, good, self.task)
        return with_reward + (1.0 - tf.reduce_sum(in_state, axis=-1)) * fresh

    def _count(
        self, state: IncrementalState, reached: Any, reward: Any, store: Any
    ) -> Any:
        """The counts with the last trial's outcome, if that was an uncued trial."""
        trial = state.steps - 1
        half = tf.cast(trial >= self.task.uncued_trials // 2, tf.int32)
        outcome = (
            tf.one_hot(half, 2)[:, :, None, None]
            * tf.one_hot(reached, 2)[:, None, :, None]
            * tf.one_hot(tf.cast(reward, tf.int32), 2)[:, None, None, :]
        )
        return state.counts + tf.where(store[:, None, None, None], outcome, 0.0)
