"""What learners of a two-step task with two choices a trial have in common."""

from __future__ import annotations

import abc
from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.two_step.players import greedy, state_reached


class Outcome(NamedTuple):
    """What a player has seen of a trial that is over."""

    first: Any  # [B] int32, the first choice
    reached: Any  # [B] int32, the state it led to
    second: Any  # [B] int32, the arm chosen there
    reward: Any  # [B] float32


class LearnerState(NamedTuple):
    """What a learner carries: what it knows, and the trial it is in."""

    knowledge: Any  # a nest of tensors, each batch-first
    first: Any  # [B] int32, the first choice of the last trial
    reached: Any  # [B] int32, the state it led to


class Learner(Player):
    """Learns from every trial and takes the choice of the larger value, both times."""

    @abc.abstractmethod
    def begin(self, batch_size: int) -> Any:
        """What is known before the first trial, a nest of tensors `[B, ...]`."""

    @abc.abstractmethod
    def learn(self, knowledge: Any, outcome: Outcome) -> Any:
        """What is known after a trial."""

    @abc.abstractmethod
    def first_values(self, knowledge: Any) -> Any:
        """The values `[B, 2]` of the first choices."""

    @abc.abstractmethod
    def second_values(self, knowledge: Any) -> Any:
        """The values `[B, 2, 2]` of the arms, by state and arm."""

    def initial_state(self, batch_size: int) -> LearnerState:
        nothing = tf.zeros([batch_size], tf.int32)
        return LearnerState(self.begin(batch_size), first=nothing, reached=nothing)

    def act(
        self,
        state: LearnerState,
        observation: dict[str, Any],
        task_state: Any,
        seed: Any,
    ) -> tuple[Any, LearnerState]:
        reached, last = state_reached(observation), observation["previous_action"]
        is_first = reached < 0
        outcome = Outcome(
            state.first,
            state.reached,
            tf.maximum(last, 0),
            observation["previous_reward"],
        )
        # The first step of a lifetime has no trial behind it.
        knowledge = _where(
            is_first & (last >= 0),
            self.learn(state.knowledge, outcome),
            state.knowledge,
        )
        arms = tf.gather(
            self.second_values(knowledge), tf.maximum(reached, 0), batch_dims=1
        )
        values = tf.where(is_first[:, None], self.first_values(knowledge), arms)
        return greedy(values, seed), LearnerState(
            knowledge,
            first=tf.where(is_first, state.first, last),
            reached=tf.where(is_first, state.reached, reached),
        )


def one_hot_arm(outcome: Outcome) -> Any:
    """One at the arm pulled, float32 `[B, 2, 2]`."""
    in_state = tf.one_hot(outcome.reached, 2)[:, :, None]
    return in_state * tf.one_hot(outcome.second, 2)[:, None, :]


def _where(rows: Any, yes: Any, no: Any) -> Any:
    """Row by row, one nest of tensors or the other. `rows`: bool `[B]`."""

    def choose(a: Any, b: Any) -> Any:
        return tf.where(tf.reshape(rows, [-1] + [1] * (a.shape.rank - 1)), a, b)

    return tf.nest.map_structure(choose, yes, no)
