"""A safe and a risky lever: what does a false reward signal do to the choice?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.bandits import debriefing
from kerasmeta.tasks.bandits.bandit_players import EpsilonGreedyPlayer
from kerasmeta.tasks.bandits.risky_safe_players import OraclePlayer, StoppingPlayer
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.validation import check_choice, check_count, check_probability

PERTURBATIONS = (
    "none",
    "block_risky_reward",
    "block_safe_reward",
    "block_risky_loss",
)


class RiskySafeState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    risky: Any  # [B] int32, the action that is the risky lever
    favourable: Any  # [B] int32, 1: the risky lever is the better one
    steps: Any  # [B] int32, steps done


@dataclasses.dataclass(frozen=True)
class RiskySafe(Task):
    """A lever that pays 1 for sure, and one that pays 4 or nothing.

    The risky lever pays with chance `low_chance`, when it is worth less than the safe
    one, or `high_chance`, when it is worth more. This chance is drawn once a lifetime
    and hidden, and so is which of the two actions is the risky lever.

    Stopper et al. (2014, Neuron 84:177) changed rats' dopamine signals at an outcome,
    and with them the next choices. A meta-learner learns from the reward it is told of
    while its weights stay as they are, so that a false `previous_reward` must do the
    same. `perturbation` changes what the agent is told, and not what it is paid:

        block_risky_reward  a reward of the risky lever is told as nothing (-4)
        block_safe_reward   a reward of the safe lever is told as nothing (-1)
        block_risky_loss    nothing, from the risky lever, is told as a reward (+1)

    The first should drive the choice to the safe lever, the others to the risky one. It
    is for evaluation; agents are trained without.

    After the last trial there is one more step, which shows the chance of the risky
    lever (see `debriefing`) and pays nothing.

    Attributes:
        trials: Trials in a lifetime.
        safe_reward: What the safe lever pays.
        risky_reward: What the risky lever pays, if it does.
        low_chance: Chance that it does, in half of the lifetimes.
        high_chance: The same in the others.
        perturbation: One of `PERTURBATIONS`.

    Observation: `stimulus` float32 `[3]`, one-hot: a trial, the chance was the low one,
    the chance was the high one; `context` `[1]`, always zero; `store` always false.

    Raises:
        UserError: A number is out of range, a lever is always the better one, or
            `perturbation` is not known.
    """

    trials: int = 100
    safe_reward: float = 1.0
    risky_reward: float = 4.0
    low_chance: float = 0.125
    high_chance: float = 0.5
    perturbation: Literal[
        "none", "block_risky_reward", "block_safe_reward", "block_risky_loss"
    ] = "none"

    name: ClassVar[str] = "risky_safe"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 6."
    )

    def __post_init__(self) -> None:
        check_count("trials", self.trials)
        check_probability("low_chance", self.low_chance)
        check_probability("high_chance", self.high_chance)
        check_choice("perturbation", self.perturbation, PERTURBATIONS)
        low = self.low_chance * self.risky_reward
        high = self.high_chance * self.risky_reward
        if not 0 < low < self.safe_reward < high:
            raise UserError(
                "safe_reward",
                self.safe_reward,
                f"does not lie between the risky lever's two values, {low:g} and "
                f"{high:g}",
                "change it, risky_reward, low_chance or high_chance",
            )

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(debriefing.SIZE)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(2)

    @property
    def lifetime_steps(self) -> int:
        return self.trials + 1

    @property
    def trials_per_lifetime(self) -> int:
        return self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(
        self, batch_size: int, seed: Any
    ) -> tuple[RiskySafeState, dict[str, Any]]:
        coins = seeds.integers([2, batch_size], seed, 0, 2)
        steps = tf.zeros([batch_size], tf.int32)
        state = RiskySafeState(risky=coins[0], favourable=coins[1], steps=steps)
        return state, self._observe(state, told=tf.zeros([batch_size]))

    def step(self, state: RiskySafeState, action: Any, seed: Any) -> TaskStep:
        draw = seeds.uniform([action.shape[0]], seed)
        is_risky = tf.equal(action, state.risky)
        favourable = tf.equal(state.favourable, 1)
        chance = tf.where(favourable, self.high_chance, self.low_chance)
        risky_reward = tf.where(draw < chance, self.risky_reward, 0.0)
        reward = tf.where(is_risky, risky_reward, self.safe_reward)
        in_trial = state.steps < self.trials
        told = reward + self._error(is_risky, reward)
        state = state._replace(steps=state.steps + 1)
        return TaskStep(
            state=state,
            observation=self._observe(state, tf.where(in_trial, told, 0.0)),
            reward=tf.where(in_trial, reward, 0.0),
            done=state.steps > self.trials,
        )

    def hidden_variables(self, state: RiskySafeState) -> dict[str, Any]:
        return {"risky_lever": state.risky, "favourable": state.favourable}

    def players(self) -> dict[str, Player]:
        safe = float(self.safe_reward)
        return {
            "random": RandomPlayer(self.action_spec),
            "model_free": EpsilonGreedyPlayer(2, initial_value=safe),
            "optimal": StoppingPlayer(self),
            "oracle": OraclePlayer(),
        }

    def _error(self, is_risky: Any, reward: Any) -> Any:
        """What the perturbation adds to the reward that the agent is told, `[B]`."""
        paid = reward > 0
        if self.perturbation == "block_risky_reward":
            return tf.where(is_risky & paid, -float(self.risky_reward), 0.0)
        if self.perturbation == "block_safe_reward":
            return tf.where(is_risky, 0.0, -float(self.safe_reward))
        if self.perturbation == "block_risky_loss":
            return tf.where(is_risky & ~paid, float(self.safe_reward), 0.0)
        return tf.zeros_like(reward)

    def _observe(self, state: RiskySafeState, told: Any) -> dict[str, Any]:
        shown = debriefing.stimulus(state.steps, self.trials, state.favourable)
        seen = specs.observation_without_context(shown, tf.equal(state.steps, 0))
        if self.perturbation == "none":
            return seen
        return {**seen, "previous_reward": told}
