"""The volatile bandit: does the agent learn faster where the world changes faster?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.bandits import debriefing
from kerasmeta.tasks.bandits.volatile_bandit_players import (
    BayesPlayer,
    DeltaRulePlayer,
    OraclePlayer,
)
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.validation import check_count, check_probability


class VolatileBanditState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    good: Any  # [B] int32, the arm that pays more often
    first_volatile: Any  # [B] int32, 1: the first block is the volatile one
    steps: Any  # [B] int32, steps done


@dataclasses.dataclass(frozen=True)
class VolatileBandit(Task):
    """Two arms with the chances p and 1 - p, in a stable and in a volatile block.

    A lifetime is two blocks, in random order. In the stable one the good arm pays 1
    with chance `stable_reward` and stays good. In the volatile one it pays with chance
    `volatile_reward`, and after every trial the two arms exchange roles with chance
    `reversal`. The other arm pays with one minus that chance. Neither the good arm nor
    the order of the blocks is shown, and the good arm stays when a block ends.

    Whoever learns from outcomes at a rate that suits the block must learn faster in
    the volatile one (Behrens et al. 2007, Nature Neuroscience 10:1214). Theirs had 120
    stable trials, and reversals after 30 or 40 trials in the other block; here, where
    agents could learn to count, they come at random.

    After the last trial there is one more step, which shows the order of the blocks
    (see `debriefing`) and pays nothing.

    Attributes:
        block_trials: Trials in each of the two blocks.
        stable_reward: Chance of a reward of the good arm in the stable block, at least
            1/2.
        volatile_reward: The same in the volatile block.
        reversal: Chance of a reversal after each trial of the volatile block.

    Observation: `stimulus` float32 `[3]`, one-hot: a trial, the stable block was first,
    the volatile one was first; `context` `[1]`, always zero; `store` always false.

    Raises:
        UserError: A chance is out of range, or `block_trials` is not positive.
    """

    block_trials: int = 100
    stable_reward: float = 0.75
    volatile_reward: float = 0.8
    reversal: float = 0.04

    name: ClassVar[str] = "volatile_bandit"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 2."
    )

    def __post_init__(self) -> None:
        check_count("block_trials", self.block_trials)
        check_probability("reversal", self.reversal)
        for parameter in ("stable_reward", "volatile_reward"):
            check_probability(parameter, getattr(self, parameter), minimum=0.5)

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(debriefing.SIZE)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(2)

    @property
    def lifetime_steps(self) -> int:
        return self.trials_per_lifetime + 1

    @property
    def trials_per_lifetime(self) -> int:
        return 2 * self.block_trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(
        self, batch_size: int, seed: Any
    ) -> tuple[VolatileBanditState, dict[str, Any]]:
        coins = seeds.integers([2, batch_size], seed, 0, 2)
        state = VolatileBanditState(
            good=coins[0],
            first_volatile=coins[1],
            steps=tf.zeros([batch_size], tf.int32),
        )
        return state, self._observe(state)

    def step(self, state: VolatileBanditState, action: Any, seed: Any) -> TaskStep:
        draws = seeds.uniform([2, action.shape[0]], seed)
        volatile = self.is_volatile(state)
        high = tf.where(volatile, self.volatile_reward, self.stable_reward)  # [B]
        chance = tf.where(tf.equal(action, state.good), high, 1.0 - high)
        pays = (draws[0] < chance) & (state.steps < self.trials_per_lifetime)
        reverses = (draws[1] < self.reversal) & volatile
        state = state._replace(
            good=tf.where(reverses, 1 - state.good, state.good), steps=state.steps + 1
        )
        return TaskStep(
            state=state,
            observation=self._observe(state),
            reward=tf.cast(pays, tf.float32),
            done=state.steps > self.trials_per_lifetime,
        )

    def hidden_variables(self, state: VolatileBanditState) -> dict[str, Any]:
        volatile = tf.cast(self.is_volatile(state), tf.int32)
        return {"good_arm": state.good, "volatile": volatile}

    def is_volatile(self, state: VolatileBanditState) -> Any:
        """Whether the next trial is in the volatile block, bool `[B]`."""
        in_second = state.steps >= self.block_trials
        return tf.not_equal(tf.equal(state.first_volatile, 1), in_second)

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "model_free": DeltaRulePlayer(),
            "optimal": BayesPlayer(self),
            "oracle": OraclePlayer(),
        }

    def _observe(self, state: VolatileBanditState) -> dict[str, Any]:
        shown = debriefing.stimulus(
            state.steps, self.trials_per_lifetime, state.first_volatile
        )
        return specs.observation_without_context(shown, tf.equal(state.steps, 0))
