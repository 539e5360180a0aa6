"""The contextual two-step task: does the agent remember one trial and plan with it?"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import contexts, seeds, specs
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.two_step import rules
from kerasmeta.tasks.two_step.episodic_players import (
    EpisodicBayesPlayer,
    EpisodicOraclePlayer,
)
from kerasmeta.tasks.two_step.incremental_player import IncrementalPlayer
from kerasmeta.tasks.two_step.players import ModelFreePlayer
from kerasmeta.tasks.validation import check_count


class EpisodicTwoStepState(NamedTuple):
    """The hidden state of `B` lifetimes; `U` is the number of uncued trials."""

    good: Any  # [B] int32, the second-stage state that pays more often (0: S1, 1: S2)
    steps: Any  # [B] int32, steps done
    codes: Any  # [B, U] int64, the context that each uncued trial reveals
    reached: Any  # [B, U] int32, the second-stage state of each uncued trial so far
    rewards: Any  # [B, U] float32, its reward
    cued_trial: Any  # [B] int32, the uncued trial that is cued now, -1 if none


@dataclasses.dataclass(frozen=True)
class EpisodicTwoStep(Task):
    """Two-step trials that reveal contexts, then trials that show an old one as a cue.

    A lifetime is `uncued_trials`, one pause, and `cued_trials`. The rules are those of
    the two-step task, and:

    * An uncued trial reveals a fresh context together with its outcome: the agent sees
      both in the next observation, which asks to `store` them. The last one is seen in
      the pause, whose own action has no effect and earns nothing.
    * A cued trial begins with the context of an uncued trial, drawn uniformly from the
      first half of them for the first half of the cued trials and from the second half
      for the others. If the agent reaches the same second-stage state as in that trial,
      it gets exactly the same reward; otherwise the reward is a fresh draw.

    To profit from a cue an agent must remember the state *and* the reward of one past
    trial, and choose the action that leads there, or away: episodic, model-based
    control (Vikbladh et al. 2017; Ritter et al. 2018).

    Attributes:
        uncued_trials: Trials that reveal a context, two or more.
        cued_trials: Trials that begin with a cue.
        common: Chance of the action's own transition.
        high_reward: Chance of a reward in the good state.
        low_reward: Chance of a reward in the other state.
        reversal: Chance, per trial, that the good state changes.
        context_size: `K`, components of a context.

    Observation: `stimulus` float32 `[4]`: one-hot of the state reached in the last
    trial (none, S1, S2), then 1 if a cue is shown; `context` float32 `[K]` of +-1,
    zeros where there is none; `store` true where the context is fresh.

    Raises:
        UserError: A chance is not in [0, 1], a count is too small, or `context_size`
          cannot hold `uncued_trials` distinct contexts.
    """

    uncued_trials: int = 50
    cued_trials: int = 50
    common: float = 0.9
    high_reward: float = 0.9
    low_reward: float = 0.1
    reversal: float = 0.1
    context_size: int = 20

    name: ClassVar[str] = "episodic_two_step"
    paper: ClassVar[str] = (
        "Ritter et al. (2018). Episodic control as meta-reinforcement learning. "
        "bioRxiv 360537."
    )

    def __post_init__(self) -> None:
        check_count("uncued_trials", self.uncued_trials, minimum=2)
        check_count("cued_trials", self.cued_trials)
        check_count("context_size", self.context_size)
        contexts.check_context_size(self.context_size, self.uncued_trials)
        rules.check_chances(
            self.common, self.high_reward, self.low_reward, self.reversal
        )

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(stimulus=4, context=self.context_size)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(2)

    @property
    def lifetime_steps(self) -> int:
        return self.uncued_trials + 1 + self.cued_trials

    @property
    def trials_per_lifetime(self) -> int:
        return self.uncued_trials + self.cued_trials

    @property
    def contexts_per_lifetime(self) -> int:
        return self.uncued_trials

    def reset(
        self, batch_size: int, seed: Any
    ) -> tuple[EpisodicTwoStepState, dict[str, Any]]:
        good_seed, code_seed = seeds.split(seed)
        trials = [batch_size, self.uncued_trials]
        nowhere = tf.fill([batch_size], -1)
        state = EpisodicTwoStepState(
            good=seeds.integers([batch_size], good_seed, 0, 2),
            steps=tf.zeros([batch_size], tf.int32),
            codes=contexts.draw_codes(
                batch_size, self.uncued_trials, self.context_size, code_seed
            ),
            reached=tf.fill(trials, -1),
            rewards=tf.zeros(trials),
            cued_trial=nowhere,
        )
        return state, self._observe(state, nowhere)

    def step(self, state: EpisodicTwoStepState, action: Any, seed: Any) -> TaskStep:
        draws = seeds.uniform([4, action.shape[0]], seed)
        to_state, to_reward, to_reversal, to_cue = tf.unstack(draws)  # each [B]
        is_trial = tf.not_equal(state.steps, self.uncued_trials)  # false in the pause
        reached = rules.second_stage_state(action, to_state, self.common)
        reached = tf.where(is_trial, reached, -1)
        reward = self._reward(state, reached, to_reward)
        reward = tf.where(is_trial, reward, 0.0)
        good = rules.reverse(state.good, to_reversal, self.reversal)
        now = tf.equal(tf.range(self.uncued_trials), state.steps[:, None])  # [B, U]
        steps = state.steps + 1
        state = EpisodicTwoStepState(
            good=tf.where(is_trial, good, state.good),
            steps=steps,
            codes=state.codes,
            reached=tf.where(now, reached[:, None], state.reached),
            rewards=tf.where(now, reward[:, None], state.rewards),
            cued_trial=self._draw_cue(steps, to_cue),
        )
        return TaskStep(
            state=state,
            observation=self._observe(state, reached),
            reward=reward,
            done=steps >= self.lifetime_steps,
        )

    def hidden_variables(self, state: EpisodicTwoStepState) -> dict[str, Any]:
        """The good state, and the outcome of the cued past trial where there is one."""
        reached, reward = cued_outcome(state)
        is_cue = state.cued_trial >= 0
        return {
            "good_state": state.good,
            "cued_state": tf.where(is_cue, tf.cast(reached, tf.float32), math.nan),
            "cued_reward": tf.where(is_cue, reward, math.nan),
        }

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "model_free": ModelFreePlayer(),
            "incremental": IncrementalPlayer(self),
            "optimal": EpisodicBayesPlayer(self),
            "oracle": EpisodicOraclePlayer(self),
        }

    def _reward(self, state: EpisodicTwoStepState, reached: Any, draw: Any) -> Any:
        """The reward `[B]`: the past one if the past state is reached, else a draw."""
        chance = rules.reward_chance(
            reached, state.good, self.high_reward, self.low_reward
        )
        fresh = tf.cast(draw < chance, tf.float32)
        past_reached, past_reward = cued_outcome(state)
        return tf.where(tf.equal(reached, past_reached), past_reward, fresh)

    def _draw_cue(self, steps: Any, draw: Any) -> Any:
        """The uncued trial `[B]` that is cued after `steps` steps, -1 if none is."""
        half = self.uncued_trials // 2
        cued = steps - (self.uncued_trials + 1)  # cued trials done
        in_first_half = cued < self.cued_trials // 2
        lowest = tf.where(in_first_half, 0, half)
        count = tf.where(in_first_half, half, self.uncued_trials - half)
        trial = lowest + tf.cast(draw * tf.cast(count, tf.float32), tf.int32)
        return tf.where((cued >= 0) & (cued < self.cued_trials), trial, -1)

    def _observe(self, state: EpisodicTwoStepState, reached: Any) -> dict[str, Any]:
        """The observation after `state.steps` steps, the last one to state `reached`.

        Its context is the fresh one of the trial just done, the cue, or zeros.
        """
        is_fresh = (state.steps >= 1) & (state.steps <= self.uncued_trials)
        is_cue = state.cued_trial >= 0
        trial = tf.where(is_cue, state.cued_trial, state.steps - 1)
        trial = tf.clip_by_value(trial, 0, self.uncued_trials - 1)
        code = tf.gather(state.codes, trial, batch_dims=1)
        context = contexts.context_of(code, self.context_size)  # [B, K]
        is_shown = (is_fresh | is_cue)[:, None]
        cue_flag = tf.cast(is_cue, tf.float32)[:, None]
        return {
            "stimulus": tf.concat([tf.one_hot(reached + 1, 3), cue_flag], axis=-1),
            "context": tf.where(is_shown, context, 0.0),
            "episode_start": tf.equal(state.steps, 0),
            "store": is_fresh,
        }


def cued_outcome(state: EpisodicTwoStepState) -> tuple[Any, Any]:
    """State reached (int32) and reward (float32) of the cued past trial, each `[B]`.

    Where no cue is shown they are those of no trial: -2, which nothing reaches, and 0.
    """
    is_cue = state.cued_trial >= 0
    trial = tf.maximum(state.cued_trial, 0)
    reached = tf.gather(state.reached, trial, batch_dims=1)
    reward = tf.gather(state.rewards, trial, batch_dims=1)
    return tf.where(is_cue, reached, -2), tf.where(is_cue, reward, 0.0)
