"""Pairs of objects that come back: does the agent remember what paid?"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import contexts, seeds
from kerasmeta.tasks.base import TaskStep
from kerasmeta.tasks.harlow import rules
from kerasmeta.tasks.harlow.fixation import FixationTask
from kerasmeta.tasks.validation import check_choice, check_count

VARIANTS = ("easy", "hard")


class Schedule(NamedTuple):
    """What was drawn for the `E` episodes of `T` trials of `B` lifetimes."""

    pair: Any  # [B, E] int32, which of the lifetime's pairs is played
    rewarded: Any  # [B, E] int64, the object that pays +1
    distractor: Any  # [B, E] int64, the one that pays -1
    code: Any  # [B, E] int64, of the context
    rewarded_right: Any  # [B, E, T] bool, the rewarded object is the right one
    gaze_right: Any  # [B, E] bool, the gaze begins right of the cross


class ReturningPairsState(NamedTuple):
    """The hidden state of `B` lifetimes of `P` pairs."""

    schedule: Schedule
    is_stored: Any  # [B, P] bool, the pair's context has been stored
    episode: Any  # [B] int32, episodes before this one
    in_pause: Any  # [B] bool, this episode is over, the next one has not begun
    trial: Any  # [B] int32, trials done in this episode
    steps: Any  # [B] int32, steps done in this episode
    gaze: Any  # the eye's, a NamedTuple


@dataclasses.dataclass(frozen=True)
class ReturningPairs(FixationTask):
    """Episodes of one pair each, and pairs of objects that come back in later ones.

    A lifetime is `pairs` * `exposures` episodes: every pair once, in random order, then
    every pair again. Each pair has a context of its own:

    * The context is shown where the cross was while the gaze rests there and the
      objects are to be seen.
    * After each episode there is a pause of one step, without stimulus, in which the
      last outcome is seen, and whose action has no effect. After the first episode of a
      pair in which it chose at all, the agent is asked to `store` the pair's context
      there: what is stored has seen the outcome of every trial of the episode.

    So an agent that remembers chooses right from the first trial on when a pair comes
    back; without memory every episode begins with a guess. With 10 pairs, 2 exposures
    and 6 trials the best returns are 124 without memory, 134 with, 144 for an oracle.

    Attributes:
        pairs: `P`, pairs of objects in a lifetime.
        exposures: How many episodes each pair has, in `P * exposures` in all.
        variant: "easy", the same two objects come back; "hard", the rewarded object
            comes back with a new distractor, so that only what pays is of use.
        context_size: `K`, components of a context.
        max_steps: Steps after which an episode ends, finished or not, its pause not
            counted.
        trials, fixation_reward, objects: See `FixationTask`.
    """

    pairs: int = 10
    exposures: int = 2
    variant: Literal["easy", "hard"] = "easy"
    context_size: int = 20

    def __post_init__(self) -> None:
        check_count("pairs", self.pairs)
        check_count("exposures", self.exposures)
        check_choice("variant", self.variant, VARIANTS)
        check_count("context_size", self.context_size)
        contexts.check_context_size(self.context_size, self.pairs)
        super().__post_init__()

    @property
    def episodes(self) -> int:
        """`E`, episodes in a lifetime."""
        return self.pairs * self.exposures

    @property
    def lifetime_steps(self) -> int:
        return self.episodes * (self.max_steps + 1) - 1  # no step in the last pause

    @property
    def trials_per_lifetime(self) -> int:
        return self.episodes * self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return self.pairs

    @property
    def _key_size(self) -> int:
        return self.context_size

    @property
    def _num_objects(self) -> int:
        # A rewarded one for each pair, and the distractors.
        return self.pairs + (self.episodes if self.variant == "hard" else self.pairs)

    def reset(
        self, batch_size: int, seed: Any
    ) -> tuple[ReturningPairsState, dict[str, Any]]:
        schedule = self._draw_schedule(batch_size, seed)
        nothing = tf.zeros([batch_size], tf.int32)
        state = ReturningPairsState(
            schedule=schedule,
            is_stored=tf.zeros([batch_size, self.pairs], tf.bool),
            episode=nothing,
            in_pause=tf.zeros([batch_size], tf.bool),
            trial=nothing,
            steps=nothing,
            gaze=self._first_gaze(self._now(schedule.gaze_right, nothing)),
        )
        return state, self._observe(state)

    def step(self, state: ReturningPairsState, action: Any, seed: Any) -> TaskStep:
        moved, reward = self._move(state, action)
        state = tf.nest.map_structure(
            lambda new, old: tf.where(_like(state.in_pause, new), new, old),
            self._next_episode(state),
            moved,
        )
        is_last = state.episode >= self.episodes - 1
        return TaskStep(
            state=state,
            observation=self._observe(state),
            reward=reward,
            done=state.in_pause & is_last,
        )

    def hidden_variables(self, state: ReturningPairsState) -> dict[str, Any]:
        return {"rewarded_right": tf.cast(self.rewarded_is_right(state), tf.int32)}

    def rewarded_is_right(self, state: ReturningPairsState) -> Any:
        """Whether the rewarded object of this trial is the right one, bool `[B]`."""
        return self._is_right_in(state, state.trial)

    def _is_right_in(self, state: ReturningPairsState, trial: Any) -> Any:
        sides = self._now(state.schedule.rewarded_right, state.episode)  # [B, T]
        trial = tf.minimum(trial, self.trials - 1)
        return tf.gather(sides, trial, batch_dims=1)

    def _draw_schedule(self, batch_size: int, seed: Any) -> Schedule:
        pair_seed, object_seed, code_seed, side_seed, gaze_seed = seeds.split(seed, 5)
        order = [batch_size, self.exposures, self.pairs]
        episodes = [batch_size, self.episodes]
        pair = tf.reshape(seeds.permutations(order, pair_seed), episodes)
        objects = self._draw_objects(batch_size, self._num_objects, object_seed)
        rewarded, distractor = objects[:, : self.pairs], objects[:, self.pairs :]
        if self.variant == "easy":
            distractor = tf.gather(distractor, pair, batch_dims=1)
        code = contexts.draw_codes(batch_size, self.pairs, self.context_size, code_seed)
        return Schedule(
            pair=pair,
            rewarded=tf.gather(rewarded, pair, batch_dims=1),
            distractor=distractor,
            code=tf.gather(code, pair, batch_dims=1),
            rewarded_right=rules.draw_sides(
                [*episodes, self.trials], side_seed, self.sides
            ),
            gaze_right=seeds.uniform(episodes, gaze_seed) < 0.5,
        )

    def _move(
        self, state: ReturningPairsState, action: Any
    ) -> tuple[ReturningPairsState, Any]:
        """Moves the gaze: (state, reward `[B]`). A pause pays nothing."""
        gaze, outcome = self._move_gaze(state.gaze, action)
        reward = rules.reward(
            outcome, self.rewarded_is_right(state), self.fixation_reward
        )
        trial = state.trial + tf.cast(outcome.chose, tf.int32)
        steps = state.steps + 1
        moved = state._replace(
            gaze=gaze,
            trial=trial,
            steps=steps,
            in_pause=(trial >= self.trials) | (steps >= self.max_steps),
        )
        return moved, tf.where(state.in_pause, 0.0, reward)

    def _next_episode(self, state: ReturningPairsState) -> ReturningPairsState:
        """The state after a pause."""
        episode = state.episode + 1
        pair = self._now(state.schedule.pair, state.episode)
        stored_now = self._is_storing(state)[:, None] & tf.equal(
            tf.range(self.pairs), pair[:, None]
        )  # [B, P]
        return state._replace(
            is_stored=state.is_stored | stored_now,
            episode=episode,
            in_pause=tf.zeros_like(state.in_pause),
            trial=tf.zeros_like(state.trial),
            steps=tf.zeros_like(state.steps),
            gaze=self._first_gaze(self._now(state.schedule.gaze_right, episode)),
        )

    def _is_storing(self, state: ReturningPairsState) -> Any:
        """Whether the pair's context is to be stored in this step, bool `[B]`."""
        pair = self._now(state.schedule.pair, state.episode)
        is_stored = tf.gather(state.is_stored, pair, batch_dims=1)
        return state.in_pause & (state.trial > 0) & ~is_stored

    def _now(self, by_episode: Any, episode: Any) -> Any:
        """The entry of an episode, `[B, ...]`, of what was drawn for all of them."""
        episode = tf.minimum(episode, self.episodes - 1)
        return tf.gather(by_episode, episode, batch_dims=1)

    def _observe(self, state: ReturningPairsState) -> dict[str, Any]:
        schedule, episode = state.schedule, state.episode
        shown = self._trial_shown(state.gaze, state.trial)
        stimulus = self._stimulus(
            state.gaze,
            self._now(schedule.rewarded, episode),
            self._now(schedule.distractor, episode),
            self._is_right_in(state, shown),
        )
        code = self._now(schedule.code, episode)
        store = self._is_storing(state)
        is_shown = store | (self._is_at_cross(state.gaze) & ~state.in_pause)
        context = contexts.context_of(code, self.context_size)  # [B, K]
        return {
            "stimulus": tf.where(
                _like(state.in_pause, stimulus), tf.zeros_like(stimulus), stimulus
            ),
            "context": tf.where(is_shown[:, None], context, 0.0),
            "episode_start": tf.equal(state.steps, 0),
            "store": store,
        }


def _like(mask: Any, x: Any) -> Any:
    """A mask `[B]` with as many axes as `x` `[B, ...]`."""
    return tf.reshape(mask, [-1] + [1] * (len(x.shape) - 1))
