"""Reference players of the contextual two-step task: with memory, and an oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import contexts
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.two_step.players import (
    action_values,
    filtered,
    greedy,
    state_reached,
    state_values,
)

if TYPE_CHECKING:
    from kerasmeta.tasks.two_step.episodic import EpisodicTwoStep


class Memory(NamedTuple):
    """The outcomes of past trials by context; `U` is the number of uncued trials."""

    codes: Any  # [B, U] int64, -1 where empty
    reached: Any  # [B, U] int32
    rewards: Any  # [B, U] float32
    count: Any  # [B] int32, outcomes stored


class RememberingState(NamedTuple):
    """What a Bayesian player with a memory carries."""

    belief: Any  # [B] float32, the chance that S2 is the good state
    memory: Memory


def write(memory: Memory, code: Any, reached: Any, reward: Any, store: Any) -> Memory:
    """Stores one outcome in the next slot, where `store` `[B]` is true."""
    slots = tf.range(memory.codes.shape[1])
    here = store[:, None] & tf.equal(slots, memory.count[:, None])  # [B, U]
    return Memory(
        codes=tf.where(here, code[:, None], memory.codes),
        reached=tf.where(here, reached[:, None], memory.reached),
        rewards=tf.where(here, reward[:, None], memory.rewards),
        count=memory.count + tf.cast(store, tf.int32),
    )


def read(memory: Memory, code: Any) -> tuple[Any, Any]:
    """The state reached (-1 if unknown) and the reward stored with a code, each `[B]`.

    Codes are distinct, so that at most one slot matches.
    """
    match = tf.equal(memory.codes, code[:, None])  # [B, U]
    reached = tf.reduce_max(tf.where(match, memory.reached, -1), axis=-1)
    reward = tf.reduce_sum(tf.where(match, memory.rewards, 0.0), axis=-1)
    return reached, reward


def values_with_cue(values: Any, past_reached: Any, past_reward: Any) -> Any:
    """The values of the states `[B, 2]` when one of them would pay a known reward."""
    known = tf.equal(tf.range(2), past_reached[:, None])  # [B, 2]
    return tf.where(known, past_reward[:, None], values)


class EpisodicBayesPlayer(Player):
    """Filters the good state and remembers every outcome by its context.

    It chooses for the trial at hand (myopically): by the reward that it remembers for
    the cued state, and by its belief for the other. A remembered 1 is more, and a 0 is
    less, than any chance, so that in a cued trial the memory alone decides. Therefore
    it may take a repeated reward for news, although that says nothing about the good
    state now: beliefs of cued trials are not used.
    """

    def __init__(self, task: EpisodicTwoStep) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> RememberingState:
        slots = [batch_size, self.task.uncued_trials]
        return RememberingState(
            belief=tf.fill([batch_size], 0.5),
            memory=Memory(
                codes=tf.fill(slots, tf.constant(-1, tf.int64)),
                reached=tf.fill(slots, -1),
                rewards=tf.zeros(slots),
                count=tf.zeros([batch_size], tf.int32),
            ),
        )

    def act(
        self,
        state: RememberingState,
        observation: dict[str, Any],
        task_state: Any,
        seed: Any,
    ) -> tuple[Any, RememberingState]:
        belief = filtered(state.belief, observation, self.task)
        code = contexts.code_of(observation["context"])
        memory = write(
            state.memory,
            code,
            state_reached(observation),
            observation["previous_reward"],
            observation["store"],
        )
        past_reached, past_reward = read(memory, code)
        is_cue = observation["stimulus"][:, 3] > 0
        past_reached = tf.where(is_cue, past_reached, -1)
        values = state_values(belief, self.task)
        values = values_with_cue(values, past_reached, past_reward)
        action = greedy(action_values(values, self.task.common), seed)
        return action, RememberingState(belief, memory)


class EpisodicOraclePlayer(Player):
    """Looks at the hidden good state and at the cued outcome."""

    def __init__(self, task: EpisodicTwoStep) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        values = state_values(tf.cast(task_state.good, tf.float32), self.task)
        trial = tf.maximum(task_state.cued_trial, 0)
        past_reached = tf.gather(task_state.reached, trial, batch_dims=1)
        past_reward = tf.gather(task_state.rewards, trial, batch_dims=1)
        past_reached = tf.where(task_state.cued_trial >= 0, past_reached, -1)
        values = values_with_cue(values, past_reached, past_reward)
        return greedy(action_values(values, self.task.common), seed), state
