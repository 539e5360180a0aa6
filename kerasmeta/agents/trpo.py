"""TRPO for recurrent agents with episodic memory, as a TF-Agents agent.

The policy's update is an ordinary recurrent TRPO step: the retrieved cell states m_t
were logged while acting and are inputs here, so KL(old ‖ old) = 0 exactly and no
gradient runs through memory content (Ritter et al. 2018).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tf_agents.agents import tf_agent
from tf_agents.utils import value_ops

from kerasmeta._keras import keras, tf
from kerasmeta.agents.config import TRPOConfig
from kerasmeta.agents.episodic_agent import EpisodicAgent
from kerasmeta.agents.policy import EpisodicPolicy
from kerasmeta.agents.trust_region import (
    LineSearch,
    conjugate_gradient,
    flatten,
    gauss_newton_product,
    line_search,
    unflatten,
)
from kerasmeta.errors import UserError


class Batch(NamedTuple):
    """Experience as the losses need it. Leaves are `[B, T, ...]`."""

    inputs: dict[str, Any]  # observation, and the logged m for agents with memory
    reset: Any  # bool, the LSTM state is cleared before this step
    action: Any
    old_parameters: Any  # [B, T, P], of the policy that acted
    advantage: Any  # normalised; 0 where not valid
    returns: Any  # what the critic is fitted to
    valid: Any  # 1, or 0 where the action had no effect

    def rows(self, start: Any, stop: Any) -> Batch:
        """The lifetimes from `start` to `stop`."""
        return tf.nest.map_structure(lambda leaf: leaf[start:stop], self)


class TRPOExtra(NamedTuple):
    """What an update reports besides its loss. Scalars."""

    surrogate: Any  # improvement of the surrogate
    kl: Any  # mean KL(old ‖ new), nats
    entropy: Any  # of the policy that acted, nats
    gradient_norm: Any
    step_accepted: Any  # 1 or 0
    line_search_trials: Any
    critic_loss: Any  # mean squared error of the last minibatch
    explained_variance: Any  # of the returns, before the critic's fit


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
    """

    def __init__(
        self,
        time_step_spec: Any,
        action_spec: Any,
        agent: EpisodicAgent,
        config: TRPOConfig,
        train_step_counter: Any,
    ) -> None:
        if agent.lesion:  # the update's forward pass is the intact network's
            raise UserError(
                "agent", str(agent.lesion), "is lesioned", "train agent.lesioned(None)"
            )
        self.agent = agent
        self.trpo = config
        self.actor_variables = list(agent.actor.trainable_variables)
        self.critic_variables = list(agent.critic.trainable_variables)
        self.critic_optimizer = keras.optimizers.Adam(
            config.critic_learning_rate, jit_compile=False
        )
        self.critic_optimizer.build(self.critic_variables)
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
        critic_loss = self._fit_critic(batch)
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

    def _prepare(self, experience: Any) -> tuple[Batch, Any]:
        """Advantages and returns; and how much of the returns the critic explained."""
        inputs = dict(experience.observation)
        if self.agent.config.has_memory:
            inputs["memory"] = experience.policy_info["memory"]
        reset = experience.is_first()  # [B, T]
        if self.agent.config.clear_lstm_at_episode:
            reset |= inputs["episode_start"]
        valid = valid_steps(experience)
        values = self._unroll(self.agent.critic, inputs, reset)  # [B, T]
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
        mean = masked_mean(advantage, valid)
        deviation = tf.sqrt(masked_mean((advantage - mean) ** 2, valid))
        batch = Batch(
            inputs,
            reset,
            experience.action,
            experience.policy_info["parameters"],
            (advantage - mean) / (deviation + 1e-8) * valid,
            returns,
            valid,
        )
        return batch, explained_variance(values, returns, valid)

    def _unroll(self, network: Any, inputs: dict[str, Any], reset: Any) -> Any:
        state = network.zero_state(tf.shape(reset)[0])
        return network.unroll(inputs, reset, state)[0]

    def _update_policy(self, batch: Batch) -> tuple[LineSearch, Any, Any]:
        """One natural-gradient step within the trust region."""
        with tf.GradientTape() as tape:
            parameters = self._unroll(self.agent.actor, batch.inputs, batch.reset)
            surrogate = self._surrogate(parameters, batch)
        entropy = masked_mean(self.agent.distribution.entropy(parameters), batch.valid)
        gradient = flatten(tape.gradient(surrogate, self.actor_variables))  # [P]
        product = self.fisher_product(batch)
        direction = conjugate_gradient(product, gradient, self.trpo.cg_iterations)
        # s = sqrt(2 δ / dᵀ F d) d, the step that meets KL = δ to second order.
        curvature = tf.reduce_sum(direction * product(direction))
        scale = tf.sqrt(2.0 * self.trpo.delta / tf.maximum(curvature, 1e-12))
        search = self._search(direction * scale, batch, surrogate)
        return search, entropy, tf.norm(gradient)

    def _surrogate(self, parameters: Any, batch: Batch) -> Any:
        """E[π(a)/π_old(a) A] + bonus · entropy, averaged over valid steps."""
        distribution = self.agent.distribution
        log_ratio = distribution.log_prob(parameters, batch.action)
        log_ratio -= distribution.log_prob(batch.old_parameters, batch.action)
        surrogate = masked_mean(tf.exp(log_ratio) * batch.advantage, batch.valid)
        if self.trpo.entropy_bonus:
            entropy = masked_mean(distribution.entropy(parameters), batch.valid)
            surrogate += self.trpo.entropy_bonus * entropy
        return surrogate

    def fisher_product(self, batch: Batch) -> Any:
        """v -> (F + damping I) v, with F the exact Gauss-Newton Fisher through time.

        F is averaged over the valid steps of a fixed fraction of the lifetimes.
        """
        part = batch.rows(0, part_of(batch.valid, self.trpo.fisher_fraction))
        weight = (part.valid / tf.reduce_sum(part.valid))[..., tf.newaxis]
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape(persistent=True) as tape:
                outputs = self._unroll(self.agent.actor, part.inputs, part.reset)
            cotangent = tf.zeros_like(outputs)
            outer.watch(cotangent)
            adjoint = tape.gradient(
                outputs, self.actor_variables, output_gradients=cotangent
            )

        def metric(tangent: Any) -> Any:
            fixed = tf.stop_gradient(outputs)
            return weight * self.agent.distribution.fisher_metric(fixed, tangent)

        fisher = gauss_newton_product(
            outputs, self.actor_variables, tape, adjoint, outer, cotangent, metric
        )
        return lambda vector: fisher(vector) + self.trpo.damping * vector

    def _search(self, step: Any, batch: Batch, surrogate: Any) -> LineSearch:
        """Tries the step on the variables; puts the old ones back if it fails."""
        old = [tf.identity(variable) for variable in self.actor_variables]
        steps = unflatten(step, self.actor_variables)

        def move(size: Any) -> None:
            for variable, start, change in zip(
                self.actor_variables, old, steps, strict=True
            ):
                variable.assign(start + size * change)

        def evaluate(size: Any) -> tuple[Any, Any]:
            move(size)
            parameters = self._unroll(self.agent.actor, batch.inputs, batch.reset)
            kl = self.agent.distribution.kl(batch.old_parameters, parameters)
            improvement = self._surrogate(parameters, batch) - surrogate
            return improvement, masked_mean(kl, batch.valid)

        search = line_search(
            evaluate,
            self.trpo.backtrack,
            self.trpo.max_backtracks,
            self.trpo.delta,
        )
        put_back_unless(search.accepted, self.actor_variables, old)
        return search

    def _fit_critic(self, batch: Batch) -> Any:
        """Adam on the squared error; returns the last minibatch's loss.

        Where that leads to a NaN, critic and optimizer stay as they were.
        """
        minibatches = self.trpo.critic_minibatches
        fitted = [*self.critic_variables, *self.critic_optimizer.variables]
        old = [tf.identity(variable) for variable in fitted]
        rows = tf.shape(batch.valid)[0]
        size = (rows + minibatches - 1) // minibatches  # the last may overlap

        def body(n: Any, _: Any) -> tuple[Any, Any]:
            start = tf.minimum((n % minibatches) * size, rows - size)
            part = batch.rows(start, start + size)
            with tf.GradientTape() as tape:
                values = self._unroll(self.agent.critic, part.inputs, part.reset)
                loss = masked_mean((values - part.returns) ** 2, part.valid)
            gradients = tape.gradient(loss, self.critic_variables)
            self.critic_optimizer.apply_gradients(
                zip(gradients, self.critic_variables, strict=True)
            )
            return n + 1, loss

        count = self.trpo.critic_passes * minibatches
        loop = tf.while_loop(
            lambda n, _: n < count, body, (tf.constant(0), tf.zeros([]))
        )
        finite = tf.reduce_all(tf.math.is_finite(flatten(self.critic_variables)))
        put_back_unless(finite, fitted, old)
        return loop[1]


def put_back_unless(good: Any, variables: list[Any], old: list[Any]) -> None:
    """Gives the variables their old values back where `good` (bool) is false."""
    for variable, start in zip(variables, old, strict=True):
        variable.assign(tf.where(good, variable, start))


def valid_steps(experience: Any) -> Any:
    """1 where an action had an effect, else 0: float32 `[B, T]`.

    0 for the steps between two lifetimes (their action is ignored), and for the last
    step of a row whose lifetime goes on: what follows it is not known. The critic's
    value of such a step is still what the step before is bootstrapped from, unless the
    environment's discount there is 0.
    """
    cut = tf.logical_not(experience.is_last()[:, -1:])  # [B, 1]
    elsewhere = tf.zeros_like(experience.is_last()[:, :-1])
    left_out = experience.is_boundary() | tf.concat([elsewhere, cut], axis=1)
    return tf.cast(tf.logical_not(left_out), tf.float32)


def part_of(tensor: Any, fraction: float) -> Any:
    """How many rows are a fraction of a tensor's, rounded up."""
    if tensor.shape[0] is not None:
        return math.ceil(tensor.shape[0] * fraction)
    rows = tf.cast(tf.shape(tensor)[0], tf.float32)
    return tf.cast(tf.math.ceil(rows * fraction), tf.int32)


def masked_mean(x: Any, mask: Any) -> Any:
    """The mean of `x` over the places where `mask` is 1."""
    return tf.reduce_sum(x * mask) / tf.reduce_sum(mask)


def explained_variance(values: Any, returns: Any, mask: Any) -> Any:
    """1 - Var[returns - values] / Var[returns] over valid steps."""

    def variance(x: Any) -> Any:
        return masked_mean((x - masked_mean(x, mask)) ** 2, mask)

    return 1.0 - tf.math.divide_no_nan(variance(returns - values), variance(returns))
