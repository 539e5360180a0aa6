"""Foraging for baited rewards: does the agent match its choices to what they pay?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.bandits.matching_players import (
    BeliefPlayer,
    LocalMatchingPlayer,
    OraclePlayer,
    baited_chance,
)
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.validation import check_choice, check_count

SETS = ("train", "held_out")
SUM = 0.5  # of the two base chances
_WIDTH = 0.1  # of a range of base chances


class MatchingState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    base: Any  # [B, 2] float32, the chance that an arm is baited in a trial
    waited: Any  # [B, 2] int32, trials since each arm was chosen
    trial: Any  # [B] int32, trials done


@dataclasses.dataclass(frozen=True)
class Matching(Task):
    """Two arms that are baited again and again, and keep their bait.

    In every trial an empty arm is baited with its base chance p, and a bait stays until
    the arm is chosen. An arm that was not chosen for the last n trials therefore pays
    1 with chance 1 - (1 - p)**(n + 1), and 0 otherwise. The base chances of the two
    arms add up to 0.5. They are drawn once a lifetime and hidden.

    The longer an arm was left alone the better it gets, so that both are worth
    visiting: the best is to stay with the richer arm and to look in at the poorer one
    now and then. Animals match the ratio of their choices to the ratio of the rewards
    these earned (Herrnstein 1961; Sugrue, Corrado & Newsome 2004, Science 304:1782;
    Lau & Glimcher 2005, JEAB 84:555). The task of Tsutsui et al. (2016), as simulated
    by Wang et al.; their training lifetimes had 50 to 100 trials, ours all have 100.

    Attributes:
        trials: Trials in a lifetime.
        chances: "train", the first arm's base chance is uniform on [0, 0.1], [0.2, 0.3]
            and [0.4, 0.5]; or "held_out", on (0.1, 0.2) and (0.3, 0.4), which training
            never shows (`held_out()`).

    Observation: `stimulus` float32 `[1]`, always 1: there is nothing to see; `context`
    `[1]`, always zero; `store` always false.

    Raises:
        UserError: `trials` is not positive, or `chances` is not known.
    """

    trials: int = 100
    chances: Literal["train", "held_out"] = "train"

    name: ClassVar[str] = "matching"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 1."
    )

    def __post_init__(self) -> None:
        check_count("trials", self.trials)
        check_choice("chances", self.chances, SETS)

    def held_out(self) -> Matching:
        return dataclasses.replace(self, chances="held_out")

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(1)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(2)

    @property
    def lifetime_steps(self) -> int:
        return self.trials

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(self, batch_size: int, seed: Any) -> tuple[MatchingState, dict[str, Any]]:
        first = base_chance(seeds.uniform([batch_size], seed), self.chances)
        state = MatchingState(
            base=tf.stack([first, SUM - first], axis=-1),
            waited=tf.zeros([batch_size, 2], tf.int32),
            trial=tf.zeros([batch_size], tf.int32),
        )
        return state, _observe(state.trial)

    def step(self, state: MatchingState, action: Any, seed: Any) -> TaskStep:
        draw = seeds.uniform([action.shape[0]], seed)
        chance = baited_chance(state.base, state.waited)  # [B, 2]
        chance = tf.gather(chance, action, batch_dims=1)  # [B]
        state = state._replace(
            waited=after_choice(state.waited, action), trial=state.trial + 1
        )
        return TaskStep(
            state=state,
            observation=_observe(state.trial),
            reward=tf.cast(draw < chance, tf.float32),
            done=state.trial >= self.trials,
        )

    def hidden_variables(self, state: MatchingState) -> dict[str, Any]:
        return {"base_chances": state.base, "trials_waited": state.waited}

    def players(self) -> dict[str, Player]:
        """No exact optimum is known; `optimal` is the best found, see `BeliefPlayer`.

        `matching` follows the matching law.
        """
        return {
            "random": RandomPlayer(self.action_spec),
            "matching": LocalMatchingPlayer(),
            "optimal": BeliefPlayer(self.trials),
            "oracle": OraclePlayer(self.trials),
        }


def base_chance(draw: Any, chances: str) -> Any:
    """The first arm's base chance `[B]` from a uniform draw of [0, 1)."""
    ranges, lowest = (3, 0.0) if chances == "train" else (2, _WIDTH)
    which = tf.floor(ranges * draw)
    return lowest + _WIDTH * (which + ranges * draw)


def after_choice(waited: Any, action: Any) -> Any:
    """Trials since each arm was chosen `[B, 2]`, one trial later."""
    return (waited + 1) * (1 - tf.one_hot(action, 2, dtype=tf.int32))


def _observe(trial: Any) -> dict[str, Any]:
    """The observation after `trial` `[B]` trials."""
    nothing_to_see = tf.ones([*trial.shape, 1])
    return specs.observation_without_context(nothing_to_see, tf.equal(trial, 0))
