"""TRPO for recurrent agents with episodic memory, as a TF-Agents agent.

The policy's update is an ordinary recurrent TRPO step: the retrieved cell states m_t
were logged while acting and are inputs here, so KL(old ‖ old) = 0 exactly and no
gradient runs through memory content (Ritter et al. 2018).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any, NamedTuple

from tf_agents.agents import tf_agent
from tf_agents.utils import value_ops

from kerasmeta._keras import tf
from kerasmeta.agents.annealing import bonus_left, share_left
from kerasmeta.agents.config import TRPOConfig
from kerasmeta.agents.critic_fit import CriticFit, put_back_unless
from kerasmeta.agents.derivatives import Derivatives, as_seen
from kerasmeta.agents.episode_rows import episode_rows
from kerasmeta.agents.episodic_agent import EpisodicAgent
from kerasmeta.agents.experience import (
    Batch,
    moments,
    part_of,
    standardized,
    tasks_of,
    valid_steps,
)
from kerasmeta.agents.informed import informed_critic
from kerasmeta.agents.parts import free_variables, trained_variables, weights_of
from kerasmeta.agents.policy import EpisodicPolicy
from kerasmeta.agents.trust_region import (
    LineSearch,
    conjugate_gradient,
    line_search,
    unflatten,
)
from kerasmeta.errors import UserError
from kerasmeta.groups import SumOverWorkers, alone


class TRPOExtra(NamedTuple):
    """What an update reports besides its loss. Scalars."""

    surrogate: Any  # improvement of the surrogate
    kl: Any  # mean KL(old ‖ new), nats
    entropy: Any  # of the policy that acted, nats
    gradient_norm: Any
    step_accepted: Any  # 1 or 0
    line_search_trials: Any
    critic_loss: Any  # of the baseline: mean squared error of the last minibatch
    explained_variance: Any  # of the returns by the baseline, before its fit


class TRPOAgent(tf_agent.TFAgent):
    """Trust region policy optimisation with a separate recurrent critic.

    Experience is a `Trajectory` `[B, T, ...]` of whole lifetimes collected by
    `collect_policy`, each beginning at FIRST.

    Args:
        time_step_spec: The environment's.
        action_spec: The environment's.
        agent: The `EpisodicAgent` whose networks are trained.
        config: `TRPOConfig`.
        train_step_counter: int64 variable, counts updates.
        jit_compile: Whether XLA compiles the passes through the networks.
        updates: How many the run has, which is what `anneal_to` is about; None where
            nothing is annealed.
        frozen: Parts of the agent that stay as they are (`kerasmeta.agents.parts`).
        episodes: The most that a lifetime has, none longer than its equal part of the
            lifetime. Agents that are cleared at each episode are then unrolled episode
            by episode, side by side; for others it makes no difference.
        total_of: Makes what this worker's lifetimes add to the batch's sums the sums;
            where there is one worker, they are. Workers that begin with the same
            weights then end with the same weights, those of the whole batch.

    Raises:
        UserError: The agent is lesioned, nothing is left to train, or an informed
            baseline would be told nothing.
    """

    def __init__(
        self,
        time_step_spec: Any,
        action_spec: Any,
        agent: EpisodicAgent,
        config: TRPOConfig,
        train_step_counter: Any,
        jit_compile: bool = False,
        updates: int | None = None,
        frozen: Collection[str] = (),
        total_of: SumOverWorkers = alone,
        episodes: int = 1,
    ) -> None:
        if agent.lesion:  # the update's forward pass is the intact network's
            raise UserError(
                "agent", str(agent.lesion), "is lesioned", "train agent.lesioned(None)"
            )
        self.agent = agent
        self.trpo = config
        self.updates = updates
        self.total_of = total_of
        self.episodes = episodes if agent.config.clear_lstm_at_episode else 1
        self.actor_variables, self.critic_variables = trained_variables(agent, frozen)
        self.frozen = frozenset(weights_of(agent, frozen, "freeze"))
        self.derivatives = Derivatives(
            agent.actor, config, jit_compile, self.actor_variables
        )
        fitting = (config, jit_compile, total_of)
        self.critic = CriticFit(agent.critic, self.critic_variables, *fitting)
        self.baseline = self.critic
        if config.baseline == "informed":
            network = informed_critic(agent, time_step_spec.observation)
            self.baseline = CriticFit(network, free_variables(network), *fitting)
        super().__init__(
            time_step_spec,
            action_spec,
            policy=EpisodicPolicy(agent, time_step_spec, greedy=True),
            collect_policy=EpisodicPolicy(agent, time_step_spec),
            train_sequence_length=None,
            train_step_counter=train_step_counter,
        )

    def _train(self, experience: Any, weights: Any = None) -> tf_agent.LossInfo:
        batch, explained = self._prepare(experience)
        search, entropy, norm = self._update_policy(batch)
        for label, fit in self._fits().items():
            scale = fit.network.value_scale
            if scale is not None and self._adapts(f"{label}/value_scale/mean"):
                scale.update(batch.returns, batch.valid, self.total_of)
            critic_loss = fit.fit(batch)
        # Last, as all of the above must see what the policy saw.
        for label, network in self._networks().items():
            if self._adapts(f"{label}/encoder/normalizer/previous_reward/mean"):
                network.encoder.normalizer.update(
                    batch.inputs, batch.valid, self.total_of
                )
        self.train_step_counter.assign_add(1)
        extra = TRPOExtra(
            search.surrogate,
            search.kl,
            entropy,
            norm,
            tf.cast(search.accepted, tf.float32),
            tf.cast(search.trials, tf.float32),
            critic_loss,
            explained,
        )
        return tf_agent.LossInfo(-search.surrogate, extra)

    @property
    def critic_optimizer(self) -> Any:
        """Adam of the agent's critic."""
        return self.critic.optimizer

    @property
    def own_variables(self) -> list[Any]:
        """What updates change and is not of the agent: optimizers, the baseline."""
        own = [] if self.baseline is self.critic else self.baseline.network.variables
        optimizers = [fit.optimizer.variables for fit in self._fits().values()]
        return [*own, *itertools.chain.from_iterable(optimizers)]

    @property
    def informed_parts(self) -> dict[str, Any]:
        """What a checkpoint needs besides agent and critic's optimizer, by name."""
        if self.baseline is self.critic:
            return {}
        fit = self.baseline
        return {"baseline": fit.network, "baseline_optimizer": fit.optimizer}

    def _fits(self) -> dict[str, CriticFit]:
        """The critics that are fitted; the last is what advantages are taken from."""
        if self.baseline is self.critic:
            return {"critic": self.critic}
        return {"critic": self.critic, "baseline": self.baseline}

    def _networks(self) -> dict[str, Any]:
        """All networks that learn, by what their weights' names begin with."""
        critics = {label: fit.network for label, fit in self._fits().items()}
        return {"actor": self.agent.actor, **critics}

    def _adapts(self, moment: str) -> bool:
        """Whether there are running moments of this name, and they are not frozen."""
        return self.agent.config.normalize and moment not in self.frozen

    def _prepare(self, experience: Any) -> tuple[Batch, Any]:
        """Advantages and returns; and how much of the returns the critic explained."""
        inputs = dict(experience.observation)
        if self.agent.config.has_memory:
            inputs["memory"] = experience.policy_info["memory"]
        reset = experience.is_first()  # [B, T]
        if self.agent.config.clear_lstm_at_episode:
            reset |= inputs["episode_start"]
        valid = valid_steps(experience)
        rows = episode_rows(reset, self.episodes) if self.episodes > 1 else None
        values = self.baseline.values(inputs, reset, rows)  # [B, T]
        advantage = value_ops.generalized_advantage_estimation(
            values,
            final_value=tf.zeros_like(values[:, 0]),
            discounts=self.trpo.gamma * experience.discount * valid,
            # A step that is not valid has advantage 0: r = V there, and discount 0.
            rewards=tf.where(valid > 0.0, experience.reward, values),
            td_lambda=self.trpo.td_lambda,
            time_major=False,
        )
        returns = advantage + values
        (mean, _, _), (variance, left, whole) = moments(
            [advantage, returns - values, returns], valid, self.total_of
        )
        if self.trpo.advantages_by_task:
            tasks = tasks_of(experience)
            standard = standardized(advantage, valid, tasks, self.total_of)
        else:
            standard = (advantage - mean) / (tf.sqrt(variance) + 1e-8) * valid
        batch = Batch(
            inputs,
            reset,
            experience.action,
            experience.policy_info["parameters"],
            standard,
            returns,
            valid,
        )
        explained = 1.0 - tf.math.divide_no_nan(left, whole)
        return (batch if rows is None else rows.cut_batch(batch)), explained

    def _groups(self, batch: Batch) -> list[Batch]:
        """The lifetimes that are worked on side by side, as the policy takes them."""
        return [as_seen(part, self.agent.actor) for part in batch.groups()]

    def _update_policy(self, batch: Batch) -> tuple[LineSearch, Any, Any]:
        """One natural-gradient step within the trust region."""
        groups = self._groups(batch)
        total = self.total_of(tf.reduce_sum(batch.valid))
        progress = self.trpo, self.train_step_counter, self.updates
        delta = share_left(*progress) * self.trpo.delta
        bonus = bonus_left(*progress)
        shares = [self.derivatives.policy(part, total, bonus) for part in groups]
        surrogate, gradient, entropy = self._totals(shares)
        product = self.fisher_product(batch)
        direction = conjugate_gradient(product, gradient, self.trpo.cg_iterations)
        # s = sqrt(2 δ / dᵀ F d) d, the step that meets KL = δ to second order.
        curvature = tf.reduce_sum(direction * product(direction))
        scale = tf.sqrt(2.0 * delta / tf.maximum(curvature, 1e-12))
        search = self._search(
            direction * scale, groups, total, surrogate, (delta, bonus)
        )
        return search, entropy, tf.norm(gradient)

    def fisher_product(self, batch: Batch) -> Any:
        """v -> (F + damping I) v, with F the exact Gauss-Newton Fisher through time.

        F is averaged over the valid steps of a fixed fraction of the lifetimes.
        """
        batch = batch.rows(0, part_of(batch.lifetimes, self.trpo.fisher_fraction))
        groups = self._groups(batch)
        total = self.total_of(tf.reduce_sum(batch.valid))
        recordings = [self.derivatives.record(part) for part in groups]

        def product(vector: Any) -> Any:
            shares = [
                self.derivatives.fisher(vector, part, recording, total)
                for part, recording in zip(groups, recordings, strict=True)
            ]
            return self.total_of(tf.add_n(shares)) + self.trpo.damping * vector

        return product

    def _totals(self, shares: list[Any]) -> list[Any]:
        """The sums of what groups add, over groups and workers."""
        return self.total_of([tf.add_n(parts) for parts in zip(*shares, strict=True)])

    def _search(
        self,
        step: Any,
        groups: list[Batch],
        total: Any,
        surrogate: Any,
        limits: tuple[Any, Any],
    ) -> LineSearch:
        """Tries the step on the variables; puts the old ones back if it fails."""
        delta, bonus = limits
        old = [tf.identity(variable) for variable in self.actor_variables]
        steps = unflatten(step, self.actor_variables)

        def move(size: Any) -> None:
            for variable, start, change in zip(
                self.actor_variables, old, steps, strict=True
            ):
                variable.assign(start + size * change)

        def evaluate(size: Any) -> tuple[Any, Any]:
            move(size)
            shares = [self.derivatives.trial(part, total, bonus) for part in groups]
            reached, kl = self._totals(shares)
            return reached - surrogate, kl

        search = line_search(
            evaluate,
            self.trpo.backtrack,
            self.trpo.max_backtracks,
            delta,
        )
        put_back_unless(search.accepted, self.actor_variables, old)
        return search
