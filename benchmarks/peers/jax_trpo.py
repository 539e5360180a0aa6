"""TRPO in JAX: `linearize` and its transpose for the Fisher products, one jitted call.

The arithmetic is that of `kerasmeta.agents`: GAE, surrogate, conjugate gradient on the
Gauss-Newton Fisher, line search on improvement and KL, and a critic fitted by Adam. The
linearisation stores its activations once for all products; where the Fisher is taken
over the whole batch, the gradient comes out of the same one.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from benchmarks.peers import jax_agent
from benchmarks.peers.jax_agent import Batch, Network, unroll
from benchmarks.peers.jax_task import Rules


class TRPO(NamedTuple):
    """The fields of `kerasmeta.agents.TRPOConfig`; a static argument."""

    delta: float
    damping: float
    cg_iterations: int
    fisher_fraction: float
    gamma: float
    td_lambda: float
    backtrack: float
    max_backtracks: int
    critic_learning_rate: float
    critic_passes: int
    critic_minibatches: int


class Update(NamedTuple):
    """How an update of the policy ended."""

    actor: Network
    surrogate: Any
    kl: Any
    accepted: Any  # bool
    trials: Any  # int32


class Adam(NamedTuple):
    """Moments of the critic's flat parameters."""

    mean: Any
    square: Any
    count: Any  # int32


class TrainState(NamedTuple):
    """What a training loop carries."""

    actor: Network
    critic: Network
    adam: Adam
    key: Any


def advantages(values: Any, rewards: Any, gamma: float, lam: float) -> Any:
    """GAE `[T, B]` of whole lifetimes: nothing follows the last step."""
    following = jnp.concatenate([values[1:], jnp.zeros_like(values[:1])])
    errors = rewards + gamma * following - values

    def body(carry: Any, error: Any) -> tuple[Any, Any]:
        carry = error + gamma * lam * carry
        return carry, carry

    return jax.lax.scan(body, jnp.zeros_like(values[0]), errors, reverse=True)[1]


def log_prob(logits: Any, action: Any) -> Any:
    """log p(a)."""
    log_p = jax.nn.log_softmax(logits)
    return jnp.take_along_axis(log_p, action[..., None], axis=-1)[..., 0]


def mean_kl(old: Any, new: Any) -> Any:
    """Mean KL(old || new)."""
    log_old, log_new = jax.nn.log_softmax(old), jax.nn.log_softmax(new)
    return jnp.mean(jnp.sum(jnp.exp(log_old) * (log_old - log_new), axis=-1))


def fisher_product(push: Any, pull: Any, logits: Any, damping: float) -> Any:
    """v -> (F + damping) v from the linear maps J (`push`) and J^T (`pull`)."""
    p = jax.nn.softmax(logits)
    weight = 1.0 / (logits.shape[0] * logits.shape[1])

    def product(vector: Any) -> Any:
        moved = push(vector)
        metric = p * (moved - jnp.sum(p * moved, axis=-1, keepdims=True))
        return pull(weight * metric)[0] + damping * vector

    return product


def conjugate_gradient(product: Any, b: Any, iterations: int) -> Any:
    """Solves A x = b; stops early where |r|^2 falls below 1e-10 |b|^2."""
    threshold = 1e-10 * jnp.vdot(b, b)

    def running(carry: Any) -> Any:
        n, _, _, _, rr = carry
        return (n < iterations) & (rr > threshold)

    def body(carry: Any) -> Any:
        n, x, r, p, rr = carry
        a_p = product(p)
        alpha = rr / jnp.vdot(p, a_p)
        x, r = x + alpha * p, r - alpha * a_p
        new = jnp.vdot(r, r)
        return n + 1, x, r, r + new / rr * p, new

    start = (0, jnp.zeros_like(b), b, b, jnp.vdot(b, b))
    return jax.lax.while_loop(running, body, start)[1]


def update_policy(config: TRPO, actor: Network, batch: Batch, advantage: Any) -> Update:
    """One natural-gradient step within the trust region."""
    flat, unravel = ravel_pytree(actor)
    old_log_prob = log_prob(batch.logits, batch.action)

    def logits_of(vector: Any, part: Batch) -> Any:
        return unroll(unravel(vector), part.features, part.remembered)

    def objective(logits: Any) -> Any:
        ratio = jnp.exp(log_prob(logits, batch.action) - old_log_prob)
        return jnp.mean(ratio * advantage)

    rows = batch.features.shape[1]
    count = math.ceil(rows * config.fisher_fraction)
    part = jax.tree.map(lambda leaf: leaf[:, :count], batch)
    part_logits, push = jax.linearize(lambda v: logits_of(v, part), flat)
    pull = jax.linear_transpose(push, flat)
    if count == rows:
        surrogate, slope = jax.value_and_grad(objective)(part_logits)
        (gradient,) = pull(slope)
    else:
        surrogate, gradient = jax.value_and_grad(
            lambda v: objective(logits_of(v, batch))
        )(flat)
    product = fisher_product(push, pull, part_logits, config.damping)
    direction = conjugate_gradient(product, gradient, config.cg_iterations)
    curvature = jnp.vdot(direction, product(direction))
    full_step = direction * jnp.sqrt(2.0 * config.delta / jnp.maximum(curvature, 1e-12))

    def evaluate(size: Any) -> tuple[Any, Any]:
        logits = logits_of(flat + size * full_step, batch)
        return objective(logits) - surrogate, mean_kl(batch.logits, logits)

    accepted, size, gain, kl, trials = line_search(config, evaluate)
    moved = jnp.where(accepted, flat + size * full_step, flat)
    return Update(unravel(moved), gain, kl, accepted, trials)


def line_search(config: TRPO, evaluate: Any) -> tuple[Any, ...]:
    """Shrinks the step until the surrogate improves and the KL holds."""

    def running(carry: Any) -> Any:
        n, accepted, *_ = carry
        return (n < config.max_backtracks) & ~accepted

    def body(carry: Any) -> Any:
        n, _, size, _, _ = carry
        size = jnp.where(n > 0, size * config.backtrack, size)
        gain, kl = evaluate(size)
        return n + 1, (gain > 0.0) & (kl <= config.delta), size, gain, kl

    start = (0, jnp.array(False), jnp.array(1.0), jnp.array(0.0), jnp.array(0.0))
    trials, accepted, size, gain, kl = jax.lax.while_loop(running, body, start)
    return accepted, size, gain, kl, trials


def critic_values(critic: Network, batch: Batch) -> Any:
    """V `[T, B]`; the critic reads the retrieved memory as a feature."""
    inputs = jnp.concatenate([batch.features, batch.remembered], axis=-1)
    return unroll(critic, inputs)[..., 0]


def fit_critic(
    config: TRPO, critic: Network, adam: Adam, batch: Batch, returns: Any
) -> tuple[Network, Adam]:
    """Adam (as Keras has it) on the squared error, minibatch after minibatch."""
    flat, unravel = ravel_pytree(critic)
    size = batch.features.shape[1] // config.critic_minibatches

    def loss(vector: Any, part: Batch, wanted: Any) -> Any:
        return jnp.mean((critic_values(unravel(vector), part) - wanted) ** 2)

    for n in range(config.critic_passes * config.critic_minibatches):
        start = (n % config.critic_minibatches) * size
        rows = slice(start, start + size)
        part = jax.tree.map(lambda leaf, rows=rows: leaf[:, rows], batch)
        gradient = jax.grad(loss)(flat, part, returns[:, rows])
        flat, adam = adam_step(config.critic_learning_rate, flat, gradient, adam)
    return unravel(flat), adam


def adam_step(rate: float, flat: Any, gradient: Any, adam: Adam) -> tuple[Any, Adam]:
    """One step; Kingma & Ba (2015), with Keras's epsilon."""
    count = adam.count + 1
    mean = adam.mean + 0.1 * (gradient - adam.mean)
    square = adam.square + 0.001 * (gradient**2 - adam.square)
    scale = jnp.sqrt(1.0 - 0.999**count) / (1.0 - 0.9**count)
    flat = flat - rate * scale * mean / (jnp.sqrt(square) + 1e-7)
    return flat, Adam(mean, square, count)


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3), donate_argnums=(4,))
def iterate(
    rules: Rules, slots: int, lifetimes: int, config: TRPO, state: TrainState
) -> tuple[TrainState, Any]:
    """Collection, update and critic's fit as one program: (state, mean reward)."""
    key, rollout_key = jax.random.split(state.key)
    batch = jax_agent.rollout(rules, slots, lifetimes, state.actor, rollout_key)
    values = critic_values(state.critic, batch)
    advantage = advantages(values, batch.reward, config.gamma, config.td_lambda)
    returns = advantage + values
    normal = (advantage - jnp.mean(advantage)) / (jnp.std(advantage) + 1e-8)
    update = update_policy(config, state.actor, batch, normal)
    critic, adam = fit_critic(config, state.critic, state.adam, batch, returns)
    return TrainState(update.actor, critic, adam, key), jnp.mean(batch.reward)
