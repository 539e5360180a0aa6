"""The two-step task of Daw et al. (2011): two choices a trial, and arms that drift."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.two_step import drift, rules
from kerasmeta.tasks.two_step.drifting_players import (
    BayesPlayer,
    OraclePlayer,
    SarsaPlayer,
)
from kerasmeta.tasks.validation import check_count, check_probability

FIRST_STAGE = -1  # what `reached` is while the first choice is due
NO_ARM = -1


class DriftingTwoStepState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    chances: Any  # [B, 2, 2] float32, of a reward, by second-stage state and arm
    reached: Any  # [B] int32, the second-stage state (0: S1, 1: S2), or FIRST_STAGE
    pulled: Any  # [B] int32, the arm (2 * state + choice) of the last step, or NO_ARM
    trial: Any  # [B] int32, trials done


@dataclasses.dataclass(frozen=True)
class DriftingTwoStep(Task):
    """Two choices a trial: where to go, and which of two arms to pull there.

    A trial is two steps of the agent. At the first stage, action 0 leads to S1 and
    action 1 to S2 with chance `common`, and to the other state otherwise; nothing is
    paid. At the second stage, each state has two arms of its own, and the arm chosen
    pays 1 or 0. The chances of the four arms are drawn uniformly between the bounds,
    and after every trial each of them moves by a Gaussian step, reflected at the
    bounds: there is always something to learn, and nothing to be certain of.

    Model-based and model-free learners differ at the first stage. After a rare
    transition a reward speaks for the action *not* taken, if one plans, and for the
    action taken, if one only repeats what paid (Daw et al. 2011).

    Planning pays little here (Kool, Cushman & Gershman 2016). A trial earns 0.5 without
    memory, and at random; 0.551 for the best model-free learner that was found; 0.5575
    for exact beliefs and planning (100,000 lifetimes each, standard error 0.0003); and
    0.61 for who sees the chances. The choices themselves tell the learners apart.

    Daw's subjects had 201 trials; 100 are quicker to train on, and the learners differ
    as much.

    Attributes:
        trials: Trials in a lifetime.
        common: Chance of the action's own transition.
        lowest_chance: Lower bound of an arm's chance of a reward.
        highest_chance: Upper bound.
        drift: Standard deviation of a chance's step after every trial.

    Observation: `stimulus` float32 `[7]`, one-hot of where the agent is (first stage,
    S1, S2), and one-hot of the arm, one of four, that was pulled a step ago, which a
    subject sees together with its reward (none at the second stage); `context` `[1]`,
    always zero; `store` always false.

    Raises:
        UserError: A chance is not in [0, 1], the drift is too large for the bounds, or
            `trials` is not positive.
    """

    trials: int = 100
    common: float = 0.7
    lowest_chance: float = 0.25
    highest_chance: float = 0.75
    drift: float = 0.025

    name: ClassVar[str] = "two_step_drift"
    paper: ClassVar[str] = (
        "Daw et al. (2011). Model-based influences on humans' choices and striatal "
        "prediction errors. Neuron 69:1204-1215."
    )

    def __post_init__(self) -> None:
        check_count("trials", self.trials)
        check_probability("common", self.common)
        drift.check_drift(self.lowest_chance, self.highest_chance, self.drift)

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(stimulus=7)

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

    def reset(
        self, batch_size: int, seed: Any
    ) -> tuple[DriftingTwoStepState, dict[str, Any]]:
        draw = seeds.uniform([batch_size, 2, 2], seed)
        nothing = tf.zeros([batch_size], tf.int32)
        state = DriftingTwoStepState(
            chances=drift.between(draw, self.lowest_chance, self.highest_chance),
            reached=nothing + FIRST_STAGE,
            pulled=nothing + NO_ARM,
            trial=nothing,
        )
        return state, _observe(state)

    def step(self, state: DriftingTwoStepState, action: Any, seed: Any) -> TaskStep:
        batch_size = action.shape[0]
        draws = seeds.uniform([6, batch_size], seed)
        to_state, to_reward = draws[0], draws[1]
        to_drift = tf.reshape(tf.transpose(draws[2:]), [batch_size, 2, 2])
        chooses_state = tf.equal(state.reached, FIRST_STAGE)
        reached = rules.second_stage_state(action, to_state, self.common)
        reward = tf.cast(to_reward < arm_chance(state, action), tf.float32)
        moved = drift.drifted(
            state.chances, to_drift, self.drift, self.lowest_chance, self.highest_chance
        )
        state = DriftingTwoStepState(
            chances=tf.where(chooses_state[:, None, None], state.chances, moved),
            reached=tf.where(chooses_state, reached, FIRST_STAGE),
            pulled=tf.where(chooses_state, NO_ARM, 2 * state.reached + action),
            trial=state.trial + tf.where(chooses_state, 0, 1),
        )
        return TaskStep(
            state=state,
            observation=_observe(state),
            reward=tf.where(chooses_state, 0.0, reward),
            done=state.trial >= self.trials,
        )

    def hidden_variables(self, state: DriftingTwoStepState) -> dict[str, Any]:
        """The four arms' chances, and which state has the best arm."""
        best = tf.reduce_max(state.chances, axis=-1)  # [B, 2]
        return {
            "arm_chances": tf.reshape(state.chances, [-1, 4]),
            "better_state": tf.argmax(best, axis=-1, output_type=tf.int32),
        }

    def players(self) -> dict[str, Player]:
        """No player is called optimal: the best possible play is not known.

        `model_based` has the exact belief of the arms and takes what is best for the
        trial at hand. To value the doubtful arm more was worth nothing measurable
        (a bonus of 0.5 or 1 standard deviation, 20,000 lifetimes).
        """
        return {
            "random": RandomPlayer(self.action_spec),
            "model_free": SarsaPlayer(),
            "model_based": BayesPlayer(self),
            "oracle": OraclePlayer(self),
        }


def arm_chance(state: DriftingTwoStepState, arm: Any) -> Any:
    """The chance `[B]` of a reward for an arm `[B]` of the state reached."""
    state_reached = tf.maximum(state.reached, 0)  # any, at the first stage
    arms = tf.gather(state.chances, state_reached, batch_dims=1)  # [B, 2]
    return tf.gather(arms, arm, batch_dims=1)


def _observe(state: DriftingTwoStepState) -> dict[str, Any]:
    where = tf.one_hot(state.reached + 1, 3)
    first_stage = tf.equal(state.reached, FIRST_STAGE)
    return specs.observation_without_context(
        stimulus=tf.concat([where, tf.one_hot(state.pulled, 4)], axis=1),
        episode_start=first_stage & tf.equal(state.trial, 0),
    )
