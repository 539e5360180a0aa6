"""The two-step task: does the agent use a model of the task to choose?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.two_step import rules
from kerasmeta.tasks.two_step.players import BayesPlayer, ModelFreePlayer, OraclePlayer
from kerasmeta.tasks.validation import check_count


class TwoStepState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    good: Any  # [B] int32, the second-stage state that pays more often (0: S1, 1: S2)
    trial: Any  # [B] int32, trials done


@dataclasses.dataclass(frozen=True)
class TwoStep(Task):
    """Two actions, two second-stage states, and a contingency that reverses.

    Action 0 leads to S1 and action 1 to S2 with chance `common`, and to the other
    state otherwise. The good state pays 1 with chance `high_reward`, the other with
    chance `low_reward`. At the beginning of every trial the two exchange roles with
    chance `reversal`. One step of the agent is one trial: it sees the state reached in
    the last trial, its last action and its last reward (Wang et al. let their agent see
    the two stages apart; one step a trial is easier to learn and loses nothing, as
    there is no choice in the second stage).

    A model-based learner attributes a reward to the state reached, so that after a rare
    transition it repeats its action when *un*rewarded; a model-free learner repeats
    whatever was rewarded (Daw et al. 2011, Neuron 69:1204).

    Attributes:
        trials: Trials in a lifetime.
        common: Chance of the action's own transition.
        high_reward: Chance of a reward in the good state.
        low_reward: Chance of a reward in the other state.
        reversal: Chance, per trial, that the good state changes.

    Observation: `stimulus` float32 `[3]`, one-hot of the state reached in the last
    trial (none, S1, S2); `context` `[1]`, always zero; `store` always false.

    Raises:
        UserError: A chance is not in [0, 1], or `trials` is not positive.
    """

    trials: int = 100
    common: float = 0.8
    high_reward: float = 0.9
    low_reward: float = 0.1
    reversal: float = 0.025

    name: ClassVar[str] = "two_step"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 4."
    )

    def __post_init__(self) -> None:
        check_count("trials", self.trials)
        rules.check_chances(
            self.common, self.high_reward, self.low_reward, self.reversal
        )

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(stimulus=3)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(2)

    @property
    def lifetime_steps(self) -> int:
        return self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(self, batch_size: int, seed: Any) -> tuple[TwoStepState, dict[str, Any]]:
        good = seeds.integers([batch_size], seed, 0, 2)
        state = TwoStepState(good, trial=tf.zeros_like(good))
        return state, _observe(tf.fill([batch_size], -1), state.trial)

    def step(self, state: TwoStepState, action: Any, seed: Any) -> TaskStep:
        draws = seeds.uniform([3, action.shape[0]], seed)
        to_state, to_reward, to_reversal = tf.unstack(draws)  # each [B]
        reached = rules.second_stage_state(action, to_state, self.common)
        chance = rules.reward_chance(
            reached, state.good, self.high_reward, self.low_reward
        )
        good = rules.reverse(state.good, to_reversal, self.reversal)
        state = TwoStepState(good, state.trial + 1)
        return TaskStep(
            state=state,
            observation=_observe(reached, state.trial),
            reward=tf.cast(to_reward < chance, tf.float32),
            done=state.trial >= self.trials,
        )

    def hidden_variables(self, state: TwoStepState) -> dict[str, Any]:
        return {"good_state": state.good}

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "model_free": ModelFreePlayer(),
            "optimal": BayesPlayer(self),
            "oracle": OraclePlayer(self),
        }


def _observe(reached: Any, trial: Any) -> dict[str, Any]:
    """The observation after `trial` trials, the last of which led to `reached`."""
    shown = tf.one_hot(reached + 1, 3)
    return specs.observation_without_context(shown, tf.equal(trial, 0))
