"""What an update asks of the policy's network, as programs that XLA compiles.

Each takes some of a batch's lifetimes and gives what they add to the batch's sums, so
that groups of lifetimes are worked on side by side and their shares are added up. A
Fisher product runs on the activations that `record` kept: it unrolls no network again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.agents.annealing import has_bonus
from kerasmeta.agents.config import TRPOConfig
from kerasmeta.agents.experience import Batch, share
from kerasmeta.agents.trust_region import flatten, gauss_newton_product
from kerasmeta.networks import ActorNetwork

# Different images are filled up to a multiple of this: few sizes, few XLA programs.
_FULL = 64


class PolicyShare(NamedTuple):
    """What some lifetimes add to the surrogate, its gradient `[P]` and the entropy."""

    surrogate: Any
    gradient: Any
    entropy: Any


class Derivatives:
    """The programs of one policy's updates.

    Args:
        actor: The policy's network.
        config: `TRPOConfig`.
        jit_compile: Whether XLA compiles the programs.
        variables: What is trained of it; all by default.
    """

    def __init__(
        self,
        actor: ActorNetwork,
        config: TRPOConfig,
        jit_compile: bool,
        variables: list[Any] | None = None,
    ) -> None:
        self.actor = actor
        self.actor_variables: list[Any] = variables or actor.trainable_variables
        self.distribution = actor.distribution
        self.has_bonus = has_bonus(config)
        self.policy = program(self._policy, jit_compile)
        self.trial = program(self._trial, jit_compile)
        self.record = program(self._record, jit_compile)
        self.fisher = program(self._fisher, jit_compile)

    def _surrogate(
        self, parameters: Any, part: Batch, total: Any, bonus: Any
    ) -> tuple[Any, Any]:
        """E[π(a)/π_old(a) A] + bonus · entropy, and the entropy."""
        log_ratio = self.distribution.log_prob(parameters, part.action)
        log_ratio -= self.distribution.log_prob(part.old_parameters, part.action)
        surrogate = share(tf.exp(log_ratio) * part.advantage, part.valid, total)
        entropy = share(self.distribution.entropy(parameters), part.valid, total)
        if self.has_bonus:
            surrogate += bonus * entropy
        return surrogate, entropy

    def _policy(self, part: Batch, total: Any, bonus: Any = 0.0) -> PolicyShare:
        variables = self.actor_variables
        with tf.GradientTape() as tape:
            parameters = unrolled(self.actor, part)
            surrogate, entropy = self._surrogate(parameters, part, total, bonus)
        gradient = flatten(tape.gradient(surrogate, variables))
        return PolicyShare(surrogate, gradient, entropy)

    def _trial(self, part: Batch, total: Any, bonus: Any = 0.0) -> tuple[Any, Any]:
        """The surrogate and KL(old ‖ new) of the policy as it is now."""
        parameters = unrolled(self.actor, part)
        kl = self.distribution.kl(part.old_parameters, parameters)
        surrogate, _ = self._surrogate(parameters, part, total, bonus)
        return surrogate, share(kl, part.valid, total)

    def _record(self, part: Batch) -> Any:
        """The activations of the actor that `fisher` needs."""
        state = self.actor.zero_state(tf.shape(part.reset)[0])
        return self.actor.record(part.inputs, part.reset, state)

    def _fisher(self, vector: Any, part: Batch, recording: Any, total: Any) -> Any:
        """F v `[P]`, F the exact Gauss-Newton Fisher through time: Jᵀ M J v.

        J v is had by differentiating Jᵀ u with respect to u.
        """
        variables = self.actor_variables
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape(persistent=True) as tape:
                outputs = unrolled(self.actor, part, recording)
            cotangent = tf.zeros_like(outputs)
            outer.watch(cotangent)
            adjoint = tape.gradient(outputs, variables, output_gradients=cotangent)
        weight = (part.valid / total)[..., tf.newaxis]

        def metric(tangent: Any) -> Any:
            fixed = tf.stop_gradient(outputs)
            return weight * self.distribution.fisher_metric(fixed, tangent)

        return gauss_newton_product(
            outputs, variables, tape, adjoint, outer, cotangent, metric
        )(vector)


def program(function: Callable[..., Any], jit_compile: bool) -> Callable[..., Any]:
    """The function as a program of XLA's, or as it is."""
    if not jit_compile:
        return function
    return tf.function(function, jit_compile=True, autograph=False)


def as_seen(part: Batch, network: Any) -> Batch:
    """Lifetimes as the programs of a network take them.

    XLA cannot find which images differ, and need not encode what stays the same.
    """
    encoder = network.encoder.image
    if encoder is None:
        return part
    images = encoder.seen(part.inputs["stimulus"], multiple=_FULL)
    return part._replace(inputs={**part.inputs, "stimulus": images})


def unrolled(network: Any, part: Batch, recording: Any = None) -> Any:
    """What an actor or a critic gives over whole lifetimes, `[B, T, ...]`."""
    state = network.zero_state(tf.shape(part.reset)[0])
    return network.unroll(part.inputs, part.reset, state, recording)[0]
