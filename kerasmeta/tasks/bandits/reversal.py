"""Reversals: does a target's value change before its own outcome was met again?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.bandits.reversal_players import LearningPlayer, OraclePlayer
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.validation import check_count, check_probability

BOTH = 2  # shown: the left target is 0, the right one 1


class ReversalState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    good: Any  # [B] int32, the target that pays
    shown: Any  # [B] int32, what the cue of this trial shows: 0, 1 or BOTH
    steps: Any  # [B] int32, steps done; two are a trial


@dataclasses.dataclass(frozen=True)
class Reversal(Task):
    """Two targets, one of which pays, and reversals that one outcome gives away.

    A trial is two steps of the agent:

        step      stimulus             action     pays
        fixation  the cross            any        nothing
        cue       one target, or both  a saccade  1 for the good target, if shown; or 0

    Only one target is shown in most trials, left or right at random; the agent must
    look there (action 0 left, 1 right) and gets what this target pays now. In the
    others, with chance `choice`, both are shown and the agent chooses. The outcome
    shows at the next fixation, as `previous_reward`. After each trial the good and the
    bad target exchange roles with chance `reversal`.

    The value at a cue is what the agent expects of the target before it pays, and the
    reward prediction error from fixation to cue tells how much better that is than
    expected. After a reversal that was met at one target only, the value of the other
    one can have changed by inference, and not by experience (Bromberg-Martin et al.
    2010, J Neurophysiol 104:1068).

    Attributes:
        trials: Trials in a lifetime.
        choice: Chance of a trial that shows both targets.
        reversal: Chance, per trial, that the good target changes.

    Observation: `stimulus` float32 `[3]`: fixation, left target, right target, 1 where
    on; `context` `[1]`, always zero; `store` always false.

    Raises:
        UserError: A chance is not in [0, 1], or `trials` is not positive.
    """

    trials: int = 50
    choice: float = 0.25
    reversal: float = 0.05

    name: ClassVar[str] = "reversal"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 3."
    )

    def __post_init__(self) -> None:
        check_count("trials", self.trials)
        check_probability("choice", self.choice)
        check_probability("reversal", self.reversal)

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(3)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(2)

    @property
    def lifetime_steps(self) -> int:
        return 2 * self.trials

    @property
    def trials_per_lifetime(self) -> int:
        return self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(self, batch_size: int, seed: Any) -> tuple[ReversalState, dict[str, Any]]:
        nothing = tf.zeros([batch_size], tf.int32)
        good = seeds.integers([batch_size], seed, 0, 2)
        state = ReversalState(good, shown=nothing, steps=nothing)
        return state, _observe(state)

    def step(self, state: ReversalState, action: Any, seed: Any) -> TaskStep:
        draws = seeds.uniform([3, action.shape[0]], seed)
        to_choice, to_side, to_reversal = tf.unstack(draws)  # each [B]
        at_cue = is_cue(state)
        is_shown = tf.equal(state.shown, action) | tf.equal(state.shown, BOTH)
        pays = at_cue & is_shown & tf.equal(action, state.good)
        reverses = at_cue & (to_reversal < self.reversal)
        side = tf.cast(to_side < 0.5, tf.int32)
        state = ReversalState(
            good=tf.where(reverses, 1 - state.good, state.good),
            shown=tf.where(to_choice < self.choice, BOTH, side),
            steps=state.steps + 1,
        )
        return TaskStep(
            state=state,
            observation=_observe(state),
            reward=tf.cast(pays, tf.float32),
            done=state.steps >= self.lifetime_steps,
        )

    def hidden_variables(self, state: ReversalState) -> dict[str, Any]:
        return {"good_target": state.good}

    def players(self) -> dict[str, Player]:
        """`model_free` learns each target's value by its own outcomes."""
        return {
            "random": RandomPlayer(self.action_spec),
            "model_free": LearningPlayer(infers=False),
            "optimal": LearningPlayer(infers=True),
            "oracle": OraclePlayer(),
        }


def is_cue(state: ReversalState) -> Any:
    """Whether targets are shown, bool `[B]`; else it is fixation."""
    return tf.equal(state.steps % 2, 1)


def _observe(state: ReversalState) -> dict[str, Any]:
    targets = tf.stack([tf.not_equal(state.shown, 1), tf.not_equal(state.shown, 0)], 1)
    at_cue = is_cue(state)[:, None]
    stimulus = tf.concat([~at_cue, at_cue & targets], axis=1)  # [B, 3]
    return specs.observation_without_context(
        tf.cast(stimulus, tf.float32), tf.equal(state.steps, 0)
    )
