"""The Harlow task on a strip: does one outcome tell the agent which object pays?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Player, RandomPlayer, TaskStep
from kerasmeta.tasks.harlow import object_codes, rules
from kerasmeta.tasks.harlow.players import LearningPlayer, OraclePlayer
from kerasmeta.tasks.harlow.strip import StripTask


class HarlowState(NamedTuple):
    """The hidden state of `B` lifetimes of `T` trials."""

    rewarded: Any  # [B] int64, the object that pays +1
    distractor: Any  # [B] int64, the one that pays -1
    rewarded_right: Any  # [B, T] bool, the rewarded object is the right one
    gaze: rules.Gaze
    trial: Any  # [B] int32, trials done
    steps: Any  # [B] int32, steps done


@dataclasses.dataclass(frozen=True)
class Harlow(StripTask):
    """Two new objects, one of which pays: choose between them six times.

    The agent sees the `field` cells around its gaze on a circular strip of `cells`,
    and moves its gaze one cell to the left (action 0) or to the right (1). A trial
    begins with a fixation cross, `distance` cells to one side. Gazing at it (in the
    middle of the view) pays `fixation_reward` and puts the two objects in its place,
    `distance` cells to its left and right. Gazing at one of them pays +1 or -1 and ends
    the trial: the cross is back where it was.

    The two objects, and which of them pays, are drawn for each lifetime, and both stay
    for all its trials. The rewarded one is left in half of the trials and right in the
    others, in random order. A lifetime is one episode: it ends with its last trial, or
    after `max_steps`.

    Nothing can be known in the first trial, and everything afterwards: the best returns
    are 6 * 0.2 + 0 + 5 = 6.2 on average, and 7.2 for an oracle. Wang et al. (2018) show
    the objects as images; the strip is AlKhamissi's, without its defects (an object
    that looks like the cross, two equal objects).

    Attributes: see `StripTask`.

    Observation: `stimulus` float32 `[field * F]`, `F` numbers a cell, all zeros where
    a cell is empty; `context` `[1]`, always zero; `store` always false.

    Raises:
        UserError: A parameter is out of range, or does not go with the others.
    """

    name: ClassVar[str] = "harlow"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 5."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        object_codes.check_object_bits(self.object_bits, count=2)

    @property
    def lifetime_steps(self) -> int:
        return self.max_steps

    @property
    def trials_per_lifetime(self) -> int:
        return self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(self, batch_size: int, seed: Any) -> tuple[HarlowState, dict[str, Any]]:
        object_seed, side_seed, gaze_seed = seeds.split(seed, 3)
        pair = self._draw_objects(batch_size, 2, object_seed)  # in random order
        is_right = seeds.uniform([batch_size], gaze_seed) < 0.5
        nothing = tf.zeros([batch_size], tf.int32)
        state = HarlowState(
            rewarded=pair[:, 0],
            distractor=pair[:, 1],
            rewarded_right=rules.draw_sides([batch_size, self.trials], side_seed),
            gaze=rules.first_gaze(is_right, self.cells, self.distance),
            trial=nothing,
            steps=nothing,
        )
        return state, self._observe(state)

    def step(self, state: HarlowState, action: Any, seed: Any) -> TaskStep:
        gaze, outcome = rules.move(state.gaze, action, self.cells, self.distance)
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

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "optimal": LearningPlayer(self),
            "oracle": OraclePlayer(self),
        }

    def rewarded_is_right(self, state: HarlowState) -> Any:
        """Whether the rewarded object of this trial is the right one, bool `[B]`."""
        trial = tf.minimum(state.trial, self.trials - 1)
        return tf.gather(state.rewarded_right, trial, batch_dims=1)

    def _observe(self, state: HarlowState) -> dict[str, Any]:
        return {
            "stimulus": self._stimulus(
                state.gaze,
                state.rewarded,
                state.distractor,
                self.rewarded_is_right(state),
            ),
            "context": tf.zeros([*state.steps.shape, 1]),
            "episode_start": tf.equal(state.steps, 0),
            "store": tf.zeros_like(state.steps, tf.bool),
        }
