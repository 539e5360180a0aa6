"""The optimal player of the contextual Harlow task: it remembers what paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import contexts
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.harlow.players import (
    Knowledge,
    head,
    is_known,
    look,
    nothing_known,
    update,
    wants_right,
)

if TYPE_CHECKING:
    from kerasmeta.tasks.harlow.episodic import EpisodicHarlow


class Memory(NamedTuple):
    """The objects that pay, by context; `P` is the number of pairs."""

    codes: Any  # [B, P] int64, -1 where empty
    rewarded: Any  # [B, P, F]
    count: Any  # [B] int32, slots filled


class RememberingState(NamedTuple):
    """What a player with a memory carries."""

    knowledge: Knowledge
    code: Any  # [B] int64, of this episode's context, -1 before it was shown
    memory: Memory


def read(memory: Memory, code: Any) -> Any:
    """The object that pays in a context, `[B, F]`, zeros if unknown."""
    match = tf.equal(memory.codes, code[:, None])  # [B, P], one slot at most
    return tf.reduce_sum(tf.where(match[:, :, None], memory.rewarded, 0.0), axis=1)


def write(memory: Memory, code: Any, rewarded: Any) -> Memory:
    """Keeps the object that pays where it is known and the context has no slot yet."""
    is_new = is_known(rewarded) & ~tf.reduce_any(
        tf.equal(memory.codes, code[:, None]), axis=-1
    )  # [B]
    slots = tf.range(memory.codes.shape[1])
    here = is_new[:, None] & tf.equal(slots, memory.count[:, None])  # [B, P]
    return Memory(
        codes=tf.where(here, code[:, None], memory.codes),
        rewarded=tf.where(here[:, :, None], rewarded[:, None], memory.rewarded),
        count=memory.count + tf.cast(is_new, tf.int32),
    )


class RememberingPlayer(Player):
    """Learns like `LearningPlayer`, and keeps for ever what paid in which context."""

    def __init__(self, task: EpisodicHarlow) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> RememberingState:
        slots = [batch_size, self.task.pairs]
        return RememberingState(
            knowledge=nothing_known(batch_size, self.task.num_features),
            code=tf.fill([batch_size], tf.constant(-1, tf.int64)),
            memory=Memory(
                codes=tf.fill(slots, tf.constant(-1, tf.int64)),
                rewarded=tf.zeros([*slots, self.task.num_features]),
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
        view = look(observation, self.task)
        known = update(state.knowledge, view, observation)
        memory = write(state.memory, state.code, known.rewarded)
        code = self._code(state.code, observation)
        start = observation["episode_start"][:, None]
        rewarded = tf.where(start, 0.0, known.rewarded)
        unknown = ~is_known(rewarded)[:, None]
        known = known._replace(rewarded=tf.where(unknown, read(memory, code), rewarded))
        goal = wants_right(view, known.rewarded, seed)
        action = head(view, goal, observation)
        return action, RememberingState(known, code, memory)

    def _code(self, code: Any, observation: dict[str, Any]) -> Any:
        """The code `[B]` of this episode's context, -1 until it is shown."""
        context = observation["context"]
        is_shown = tf.reduce_any(context != 0, axis=-1)
        code = tf.where(observation["episode_start"], tf.constant(-1, tf.int64), code)
        return tf.where(is_shown, contexts.code_of(context), code)
