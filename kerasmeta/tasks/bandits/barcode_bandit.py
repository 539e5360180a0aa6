"""The barcode bandit: does the agent remember which arm paid, by the context?"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds, specs
from kerasmeta.tasks.bandits.barcode_bandit_players import (
    EpisodicBayesPlayer,
    IncrementalBayesPlayer,
    OraclePlayer,
)
from kerasmeta.tasks.base import Player, RandomPlayer, Task, TaskStep
from kerasmeta.tasks.contexts import (
    check_context_size,
    context_of,
    draw_bag,
    draw_codes,
)
from kerasmeta.tasks.validation import check_count, check_reward_chances


class BarcodeBanditState(NamedTuple):
    """The hidden state of `B` lifetimes of `E` episodes."""

    codes: Any  # [B, E] int64, the context of each episode
    good: Any  # [B, E] int32, the good arm of each episode
    steps: Any  # [B] int32, pulls done


@dataclasses.dataclass(frozen=True)
class BarcodeBandit(Task):
    """Episodes of a bandit; a context tells when one comes back.

    A lifetime has `contexts` contexts, each with a good arm that pays 1 with chance
    `high_reward`; the others pay with chance `low_reward`. Every context is presented
    `presentations` times, in random order (a bag of episodes, drawn without
    replacement). An episode is `pulls` pulls under one context, shown at each of them.
    Every arm is good in some context if there are enough contexts, and no arm in two
    if there are not more contexts than arms.

    An agent whose working memory is cleared at `episode_start` must search for the good
    arm anew in every episode, unless it remembers the context. The defaults are those
    of Ritter et al.: 100 episodes of 10 pulls, 10 arms.

    The agent is asked to `store` at the last pull of every episode, when it has seen
    the outcomes of all pulls but that one, which comes with the next observation and
    belongs to another episode. A memory that overwrites equal keys holds `contexts`
    items; one that does not holds older versions too, and the newest counts.

    Attributes:
        arms: Arms to choose from, two or more.
        contexts: Contexts in a lifetime.
        presentations: Episodes per context.
        pulls: Pulls in an episode, two or more.
        high_reward: Chance of a reward from the good arm.
        low_reward: Chance of a reward from another arm.
        context_size: `K`, components of a context.

    Observation: `stimulus` float32 `[1]`, 1 at the first pull of an episode and else 0:
    the previous action and reward are then those of another episode (the flag is the
    termination flag of Duan et al. 2016); `context` float32 `[K]` of +-1; `store` true
    at an episode's last pull.

    Raises:
        UserError: A chance is not in [0, 1], the good arm pays less, a count is too
          small, or `context_size` cannot hold `contexts` distinct contexts.
    """

    arms: int = 10
    contexts: int = 10
    presentations: int = 10
    pulls: int = 10
    high_reward: float = 0.9
    low_reward: float = 0.1
    context_size: int = 20

    name: ClassVar[str] = "barcode_bandit"
    paper: ClassVar[str] = (
        "Ritter et al. (2018). Been There, Done That: Meta-Learning with Episodic "
        "Recall. ICML, PMLR 80:4354-4363."
    )

    def __post_init__(self) -> None:
        check_count("arms", self.arms, minimum=2)
        check_count("contexts", self.contexts)
        check_count("presentations", self.presentations)
        check_count("pulls", self.pulls, minimum=2)
        check_count("context_size", self.context_size)
        check_context_size(self.context_size, self.contexts)
        check_reward_chances(self.high_reward, self.low_reward)

    @property
    def observation_spec(self) -> dict[str, Any]:
        return specs.vector_observation(stimulus=1, context=self.context_size)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(self.arms)

    @property
    def episodes(self) -> int:
        """Episodes in a lifetime, `E`."""
        return self.contexts * self.presentations

    @property
    def lifetime_steps(self) -> int:
        return self.episodes * self.pulls

    @property
    def contexts_per_lifetime(self) -> int:
        return self.contexts

    def reset(
        self, batch_size: int, seed: Any
    ) -> tuple[BarcodeBanditState, dict[str, Any]]:
        code_seed, good_seed, order_seed = seeds.split(seed, 3)
        codes = draw_codes(
            batch_size, self.contexts, self.context_size, code_seed
        )  # [B, contexts]
        good = self._draw_good_arms(batch_size, good_seed)  # [B, contexts]
        context = draw_bag(
            batch_size, self.contexts, self.presentations, order_seed
        )  # [B, E], the context of each episode
        state = BarcodeBanditState(
            codes=tf.gather(codes, context, batch_dims=1),
            good=tf.gather(good, context, batch_dims=1),
            steps=tf.zeros([batch_size], tf.int32),
        )
        return state, self._observe(state)

    def step(self, state: BarcodeBanditState, action: Any, seed: Any) -> TaskStep:
        draw = seeds.uniform([action.shape[0]], seed)
        is_good = tf.equal(action, self.good_arm(state))
        chance = tf.where(is_good, float(self.high_reward), float(self.low_reward))
        state = state._replace(steps=state.steps + 1)
        return TaskStep(
            state=state,
            observation=self._observe(state),
            reward=tf.cast(draw < chance, tf.float32),
            done=state.steps >= self.lifetime_steps,
        )

    def hidden_variables(self, state: BarcodeBanditState) -> dict[str, Any]:
        return {"good_arm": self.good_arm(state)}

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "thompson": IncrementalBayesPlayer(self, samples=True),
            "bayes": IncrementalBayesPlayer(self),
            "optimal": EpisodicBayesPlayer(self),
            "oracle": OraclePlayer(self),
        }

    def good_arm(self, state: BarcodeBanditState) -> Any:
        """The good arm of the present episode, int32 `[B]`."""
        return tf.gather(state.good, self._episode(state), batch_dims=1)

    def _episode(self, state: BarcodeBanditState) -> Any:
        """The present episode `[B]`; after the last one, the last."""
        return tf.minimum(state.steps // self.pulls, self.episodes - 1)

    def _draw_good_arms(self, batch_size: int, seed: Any) -> Any:
        """The good arm of each context, int32 `[B, contexts]`.

        The first ones are all different; once every arm is used, the rest are drawn.
        """
        order_seed, rest_seed = seeds.split(seed)
        distinct = seeds.permutations([batch_size, self.arms], order_seed)
        rest = max(0, self.contexts - self.arms)
        drawn = seeds.integers([batch_size, rest], rest_seed, 0, self.arms)
        return tf.concat([distinct[:, : self.contexts], drawn], axis=1)

    def _observe(self, state: BarcodeBanditState) -> dict[str, Any]:
        """The observation after `state.steps` pulls; zeros and false after the last."""
        lives = state.steps < self.lifetime_steps  # [B]
        pull = state.steps % self.pulls
        code = tf.gather(state.codes, self._episode(state), batch_dims=1)
        context = context_of(code, self.context_size)  # [B, K]
        starts = lives & tf.equal(pull, 0)
        return {
            "stimulus": tf.cast(starts, tf.float32)[:, None],
            "context": tf.where(lives[:, None], context, 0.0),
            "episode_start": starts,
            "store": lives & tf.equal(pull, self.pulls - 1),
        }
