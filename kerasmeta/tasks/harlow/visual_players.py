"""Reference players of the visual tasks: they know an image by its pixels.

All scan without a detour: the cross; the left or the right object, by a coin; then they
stay on it, or go to the other one and stay there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.tasks import contexts, seeds
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.harlow.saccades import CENTRE, LEFT, RIGHT

if TYPE_CHECKING:
    from kerasmeta.tasks.harlow.episodic_visual import EpisodicVisualHarlow
    from kerasmeta.tasks.harlow.visual import VisualHarlow

UNKNOWN = -1  # no image has this signature


class Knowledge(NamedTuple):
    """What a player knows of an episode's images, by signature. All int64 `[B]`."""

    seen: Any  # what the gaze rested on in the step before
    rewarded: Any  # the image that pays, or UNKNOWN
    distractor: Any  # the image that does not, or UNKNOWN


def signature(images: Any) -> Any:
    """A number for each image, int64 `[B]`, different for different ones.

    The sum of the bytes times fixed random odd numbers, modulo 2**62: two images share
    a number by an accident of one in 2**54 or less.
    """
    flat = tf.reshape(images, [-1, images.shape[1:].num_elements()])
    generator = np.random.default_rng(0)
    factors = 2 * generator.integers(0, 2**61, flat.shape[1]) + 1
    total = tf.reduce_sum(tf.cast(flat, tf.int64) * factors, axis=1)
    return tf.bitwise.bitwise_and(total, 2**62 - 1)


def nothing_known(batch_size: int) -> Knowledge:
    """The knowledge at the beginning of an episode."""
    return Knowledge(*[tf.fill([batch_size], tf.constant(UNKNOWN, tf.int64))] * 3)


def is_known(image: Any) -> Any:
    """bool `[B]`."""
    return image != UNKNOWN


def is_outcome(observation: dict[str, Any]) -> Any:
    """Whether the last step was a choice, bool `[B]`."""
    return tf.equal(tf.abs(observation["previous_reward"]), 1.0)


def is_looking(observation: dict[str, Any]) -> Any:
    """Whether the gaze rests on an object that may be chosen, bool `[B]`."""
    on_side = observation["previous_action"] != CENTRE
    return on_side & ~observation["episode_start"] & ~is_outcome(observation)


def update(knowledge: Knowledge, observation: dict[str, Any]) -> Knowledge:
    """Adds what an observation tells: a choice's outcome, or the other image."""
    image = signature(observation["stimulus"])
    seen, rewarded, distractor = knowledge
    chose, paid = is_outcome(observation), observation["previous_reward"] > 0
    is_other = is_looking(observation) & is_known(distractor) & (image != distractor)
    rewarded = tf.where(is_other, image, rewarded)
    return Knowledge(
        seen=image,
        rewarded=tf.where(chose & paid, seen, rewarded),
        distractor=tf.where(chose & ~paid, seen, distractor),
    )


def forget(knowledge: Knowledge, where: Any) -> Knowledge:
    """Nothing is known any more where `where` (bool `[B]`)."""
    nothing = tf.constant(UNKNOWN, tf.int64)
    return Knowledge(*(tf.where(where, nothing, x) for x in knowledge))


def saccade(knowledge: Knowledge, observation: dict[str, Any], seed: Any) -> Any:
    """The next place to look at, int32 `[B]`; a coin decides the unknown."""
    place = observation["previous_action"]
    pays = tf.equal(knowledge.seen, knowledge.rewarded)
    leaves = (is_known(knowledge.rewarded) & ~pays) | tf.equal(
        knowledge.seen, knowledge.distractor
    )
    on_object = tf.where(leaves, LEFT + RIGHT - place, place)
    coin = seeds.uniform([place.shape[0]], seed) < 0.5
    on_cross = tf.where(coin, LEFT, RIGHT)
    waits = observation["episode_start"] | is_outcome(observation)
    action = tf.where(tf.equal(place, CENTRE), on_cross, on_object)
    return tf.where(waits, CENTRE, action)


class LearningPlayer(Player):
    """Guesses once, then chooses the image that pays; forgets at every episode.

    No player without a memory of other episodes earns more.
    """

    def initial_state(self, batch_size: int) -> Knowledge:
        return nothing_known(batch_size)

    def act(
        self, state: Knowledge, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Knowledge]:
        known = update(forget(state, observation["episode_start"]), observation)
        return saccade(known, observation, seed), known


class RememberingState(NamedTuple):
    """What a player with a memory of `P` pairs carries."""

    knowledge: Knowledge
    codes: Any  # [B, P] int64, of the contexts seen, -1 where empty
    rewarded: Any  # [B, P] int64, the image that pays there, or UNKNOWN
    slot: Any  # [B] int32, of this episode's context, -1 before it was shown


class RememberingPlayer(Player):
    """Learns like `LearningPlayer`, and keeps for ever what paid in which context."""

    def __init__(self, task: EpisodicVisualHarlow) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> RememberingState:
        empty = tf.fill([batch_size, self.task.pairs], tf.constant(UNKNOWN, tf.int64))
        slot = tf.fill([batch_size], -1)
        return RememberingState(nothing_known(batch_size), empty, empty, slot)

    def act(
        self,
        state: RememberingState,
        observation: dict[str, Any],
        task_state: Any,
        seed: Any,
    ) -> tuple[Any, RememberingState]:
        known = update(state.knowledge, observation)
        here = tf.equal(tf.range(self.task.pairs), state.slot[:, None])  # [B, P]
        here &= is_known(known.rewarded)[:, None]
        rewarded = tf.where(here, known.rewarded[:, None], state.rewarded)

        start = observation["episode_start"]
        known = forget(known, start)
        codes, slot = self._find(
            state.codes, tf.where(start, -1, state.slot), observation
        )
        recalled = tf.gather(rewarded, tf.maximum(slot, 0), batch_dims=1)
        recalls = (slot >= 0) & ~is_known(known.rewarded)
        known = known._replace(rewarded=tf.where(recalls, recalled, known.rewarded))
        action = saccade(known, observation, seed)
        return action, RememberingState(known, codes, rewarded, slot)

    def _find(
        self, codes: Any, slot: Any, observation: dict[str, Any]
    ) -> tuple[Any, Any]:
        """The codes with that of a context shown, and its slot."""
        context = observation["context"]
        shown = tf.reduce_any(context != 0, axis=-1)  # [B]
        added, found = contexts.find_or_add(codes, contexts.code_of(context))
        codes = tf.where(shown[:, None], added, codes)
        return codes, tf.where(shown, found, slot)


class OraclePlayer(Player):
    """Looks at the hidden side of the rewarded image."""

    def __init__(self, task: VisualHarlow | EpisodicVisualHarlow) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        is_right = self.task.rewarded_is_right(task_state)
        waits = observation["episode_start"] | is_outcome(observation)
        return tf.where(waits, CENTRE, tf.where(is_right, RIGHT, LEFT)), state
