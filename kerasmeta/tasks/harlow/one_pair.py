"""A lifetime with one pair of objects: does one outcome tell the agent which pays?"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.base import TaskStep
from kerasmeta.tasks.harlow import rules
from kerasmeta.tasks.harlow.fixation import FixationTask


class OnePairState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    rewarded: Any  # [B] int64, the object that pays +1
    distractor: Any  # [B] int64, the one that pays -1
    rewarded_right: Any  # [B, T] bool, the rewarded object is the right one
    gaze: Any  # the eye's, a NamedTuple
    trial: Any  # [B] int32, trials done
    steps: Any  # [B] int32, steps done


@dataclasses.dataclass(frozen=True)
class OnePair(FixationTask):
    """Two new objects, one of which pays: choose between them in every trial.

    The two objects, and which of them pays, are drawn for each lifetime, and both stay
    for all its trials. The rewarded one is left in half of the trials and right in the
    others, in random order. A lifetime is one episode: it ends with its last trial, or
    after `max_steps`.
    """

    @property
    def lifetime_steps(self) -> int:
        return self.max_steps

    @property
    def trials_per_lifetime(self) -> int:
        return self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    @property
    def _num_objects(self) -> int:
        return 2

    def reset(self, batch_size: int, seed: Any) -> tuple[OnePairState, dict[str, Any]]:
        object_seed, side_seed, gaze_seed = seeds.split(seed, 3)
        pair = self._draw_objects(batch_size, 2, object_seed)  # in random order
        is_right = seeds.uniform([batch_size], gaze_seed) < 0.5
        nothing = tf.zeros([batch_size], tf.int32)
        state = OnePairState(
            rewarded=pair[:, 0],
            distractor=pair[:, 1],
            rewarded_right=rules.draw_sides(
                [batch_size, self.trials], side_seed, self.sides
            ),
            gaze=self._first_gaze(is_right),
            trial=nothing,
            steps=nothing,
        )
        return state, self._observe(state)

    def step(self, state: OnePairState, action: Any, seed: Any) -> TaskStep:
        gaze, outcome = self._move_gaze(state.gaze, action)
        reward = rules.reward(
            outcome, self.rewarded_is_right(state), self.fixation_reward
        )
        state = state._replace(
            gaze=gaze,
            trial=state.trial + tf.cast(outcome.chose, tf.int32),
            steps=state.steps + 1,
        )
        return TaskStep(
            state=state,
            observation=self._observe(state),
            reward=reward,
            done=(state.trial >= self.trials) | (state.steps >= self.max_steps),
        )

    def hidden_variables(self, state: OnePairState) -> dict[str, Any]:
        return {"rewarded_right": tf.cast(self.rewarded_is_right(state), tf.int32)}

    def rewarded_is_right(self, state: OnePairState) -> Any:
        """Whether the rewarded object of this trial is the right one, bool `[B]`."""
        return self._is_right_in(state, state.trial)

    def _is_right_in(self, state: OnePairState, trial: Any) -> Any:
        trial = tf.minimum(trial, self.trials - 1)
        return tf.gather(state.rewarded_right, trial, batch_dims=1)

    def _observe(self, state: OnePairState) -> dict[str, Any]:
        shown = self._trial_shown(state.gaze, state.trial)
        stimulus = self._stimulus(
            state.gaze,
            state.rewarded,
            state.distractor,
            self._is_right_in(state, shown),
        )
        start = tf.equal(state.steps, 0)
        return specs.observation_without_context(stimulus, start)
