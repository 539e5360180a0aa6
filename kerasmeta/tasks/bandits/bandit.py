"""The Bernoulli bandit: does the agent explore, and stop when it knows enough?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.bandits.bandit_players import (
    MAX_PLANNED_TRIALS,
    EpsilonGreedyPlayer,
    GittinsPlayer,
    OraclePlayer,
    PosteriorMeanPlayer,
    ThompsonPlayer,
)
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.validation import check_count


class BanditState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    chances: Any  # [B, arms] float32, each arm's chance of a reward
    trial: Any  # [B] int32, trials done


@dataclasses.dataclass(frozen=True)
class Bandit(Task):
    """Arms that pay 1 or 0 with chances that are drawn once a lifetime and hidden.

    Independent arms have chances drawn uniformly from [0, 1], each by itself.
    Correlated arms are a pair with the chances p and 1 - p, p uniform: every outcome
    tells as much about one arm as about the other, so that there is nothing to explore
    ("dependent arms" in Wang et al.). Lifetime and episode are the same here.

    Where arms are independent, the best possible agent gives up some reward for
    knowledge early on and less and less as the end comes near.

    Attributes:
        arms: Arms to choose from, two or more.
        trials: Trials in a lifetime.
        correlated: Whether the two arms have the chances p and 1 - p.
        pays: What learners are paid: "outcome", or "regret", minus what the chance of
            the chosen arm falls short of the best arm's. On average that is the outcome
            but for a number that no choice changes, so the same play is best, and it
            has none of the outcome's noise. Agents are shown the outcome in both, and
            held-out lifetimes pay it.

    Observation: `stimulus` float32 `[1]`, always 1: there is nothing to see; `context`
    `[1]`, always zero; `store` always false.

    Raises:
        UserError: A count is too small, or correlated arms are not two.
    """

    arms: int = 2
    trials: int = 100
    correlated: bool = False
    pays: Literal["outcome", "regret"] = "outcome"

    name: ClassVar[str] = "bandit"
    paper: ClassVar[str] = (
        "Wang et al. (2016). Learning to reinforcement learn. arXiv:1611.05763. "
        "Section 3.1."
    )
    metrics_need_hidden: ClassVar[bool] = True  # regret is of the chances

    def __post_init__(self) -> None:
        check_count("arms", self.arms, minimum=2)
        check_count("trials", self.trials)
        if not isinstance(self.correlated, bool):
            raise UserError(
                "correlated", self.correlated, "is not a bool", "use True or False"
            )
        if self.correlated and self.arms != 2:
            raise UserError(
                "arms",
                self.arms,
                "correlated arms are a pair",
                "use arms 2, or correlated False",
            )

        if self.pays not in ("outcome", "regret"):
            raise UserError("pays", self.pays, "is not known", "use outcome or regret")

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(stimulus=1)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(self.arms)

    @property
    def lifetime_steps(self) -> int:
        return self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    @property
    def mean_best_chance(self) -> float:
        """The best arm's chance of a reward, on average over lifetimes.

        It is what the oracle earns in a trial: 3/4 for correlated arms,
        arms / (arms + 1) for independent ones.
        """
        return 0.75 if self.correlated else self.arms / (self.arms + 1)

    def held_out(self) -> Bandit:
        return dataclasses.replace(self, pays="outcome")

    def reset(self, batch_size: int, seed: Any) -> tuple[BanditState, dict[str, Any]]:
        if self.correlated:
            chance = seeds.uniform([batch_size, 1], seed)
            chances = tf.concat([chance, 1.0 - chance], axis=-1)
        else:
            chances = seeds.uniform([batch_size, self.arms], seed)
        state = BanditState(chances, trial=tf.zeros([batch_size], tf.int32))
        return state, self._observe(state.trial, tf.zeros([batch_size]))

    def step(self, state: BanditState, action: Any, seed: Any) -> TaskStep:
        draw = seeds.uniform([action.shape[0]], seed)
        chance = tf.gather(state.chances, action, batch_dims=1)  # [B]
        best = tf.reduce_max(state.chances, axis=-1)
        state = BanditState(state.chances, state.trial + 1)
        outcome = tf.cast(draw < chance, tf.float32)
        return TaskStep(
            state=state,
            observation=self._observe(state.trial, outcome),
            reward=outcome if self.pays == "outcome" else chance - best,
            done=state.trial >= self.trials,
        )

    def hidden_variables(self, state: BanditState) -> dict[str, Any]:
        return {"chances": state.chances}

    def players(self) -> dict[str, Player]:
        """`optimal` plans; beyond 200 trials its table is too large to be offered."""
        players: dict[str, Player] = {
            "random": RandomPlayer(self.action_spec),
            "model_free": EpsilonGreedyPlayer(self.arms),
            "thompson": ThompsonPlayer(self.arms, self.trials, self.correlated),
            "oracle": OraclePlayer(),
        }
        if self.correlated:
            players["optimal"] = PosteriorMeanPlayer()
        elif self.trials <= MAX_PLANNED_TRIALS:
            players["optimal"] = GittinsPlayer(self.arms, self.trials)
        return players

    def _observe(self, trial: Any, outcome: Any) -> dict[str, Any]:
        """The observation after `trial` `[B]` trials."""
        nothing_to_see = tf.ones([*trial.shape, 1])
        start = tf.equal(trial, 0)
        seen = specs.observation_without_context(nothing_to_see, start)
        return seen if self.pays == "outcome" else {**seen, "previous_reward": outcome}
