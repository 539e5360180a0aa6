"""The agents' networks in JAX: epLSTM, DND, actor and critic, and the rollout.

The rollout is one jitted call. What a specialist may use here and the library may not:
all lifetimes are at the same step, so the uncued trials, which store and do not read,
and the cued ones, which read and do not store, are a `lax.scan` each (a third faster
than one scan with masks, half as fast again as one with `lax.cond`); contexts are
distinct within a lifetime, so that a write is one `dynamic_update_slice` into the next
slot, without a search for an equal key; keys are stored at unit length; and only what
the update needs is logged.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchmarks.peers import jax_task
from benchmarks.peers.jax_task import Rules


class Network(NamedTuple):
    """One recurrent network. Gate order i, f, o, (r,) g, as in kerasmeta."""

    kernel: Any  # [F, gates * H]
    recurrent_kernel: Any  # [H, gates * H]
    bias: Any  # [gates * H]
    head_kernel: Any  # [H, outputs]
    head_bias: Any  # [outputs]


class Memory(NamedTuple):
    """A DND of `N` slots whose lifetimes store in step with each other."""

    keys: Any  # [N, K, B], of unit length
    values: Any  # [N, B, H], cell states


class Batch(NamedTuple):
    """Lifetimes as the update needs them."""

    features: Any  # [T, B, F]: stimulus, previous action, previous reward
    remembered: Any  # [T, B, H], tanh of the retrieved cell state
    action: Any  # [T, B] int32
    logits: Any  # [T, B, A], of the policy that acted
    reward: Any  # [T, B]


def empty_memory(slots: int, key_size: int, batch: int, units: int) -> Memory:
    """No slot is written: keys of zeros have similarity 0 with everything."""
    return Memory(jnp.zeros([slots, key_size, batch]), jnp.zeros([slots, batch, units]))


def write(memory: Memory, slot: Any, key: Any, value: Any) -> Memory:
    """Stores `key [K, B]`, `value [B, H]` in one slot of every lifetime."""
    key = key / jnp.linalg.norm(key, axis=0, keepdims=True)
    return Memory(
        jax.lax.dynamic_update_index_in_dim(memory.keys, key, slot, 0),
        jax.lax.dynamic_update_index_in_dim(memory.values, value, slot, 0),
    )


def read(memory: Memory, stored: int, query: Any) -> Any:
    """The value `[B, H]` whose key is nearest to `query [K, B]` by cosine.

    `stored` is n, how many slots are written. Of equal keys the newest counts.
    """
    similarity = jnp.sum(memory.keys[:stored] * query, axis=1)  # [n, B], x |query|
    slots = jnp.arange(stored)[:, None]
    best = jnp.max(similarity, axis=0)
    slot = jnp.max(jnp.where(similarity >= best, slots, 0), axis=0)  # [B]
    return memory.values[slot, jnp.arange(slot.shape[0])]


def cell_step(z: Any, remembered: Any, cell: Any) -> tuple[Any, Any]:
    """(hidden, cell) from preactivations `[B, gates * H]`; `remembered` or None."""
    units = cell.shape[-1]
    gates = jax.nn.sigmoid(z[:, :-units])
    new = gates[:, :units] * jnp.tanh(z[:, -units:])
    new += gates[:, units : 2 * units] * cell
    if remembered is not None:
        new += gates[:, 3 * units :] * remembered
    return gates[:, 2 * units : 3 * units] * jnp.tanh(new), new


def unroll(network: Network, features: Any, remembered: Any = None) -> Any:
    """The network's outputs `[T, B, outputs]` over whole lifetimes `[T, B, ...]`."""
    projected = features @ network.kernel + network.bias  # [T, B, gates * H]

    def body(carry: Any, inputs: Any) -> tuple[Any, Any]:
        (hidden, cell), (z, m) = carry, inputs
        z = z + hidden @ network.recurrent_kernel
        hidden, cell = cell_step(z, m, cell)
        return (hidden, cell), hidden

    units = network.recurrent_kernel.shape[0]
    zeros = jnp.zeros([features.shape[1], units])
    _, hiddens = jax.lax.scan(body, (zeros, zeros), (projected, remembered))
    return hiddens @ network.head_kernel + network.head_bias


class _Carry(NamedTuple):
    task: jax_task.TaskState
    memory: Memory
    hidden: Any  # [B, H]
    cell: Any  # [B, H]
    reached: Any  # [B] int32
    action: Any  # [B] int32, the previous one, -1 for none
    reward: Any  # [B], the previous one


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def rollout(rules: Rules, slots: int, batch: int, actor: Network, key: Any) -> Batch:
    """`batch` whole lifetimes, everything drawn from `key`."""
    task_key, action_key = jax.random.split(key)
    draws = jax_task.draw(rules, batch, task_key)
    uniforms = jax.random.uniform(action_key, (rules.steps, batch))
    return run(rules, slots, actor, draws, uniforms)


def run(
    rules: Rules, slots: int, actor: Network, draws: jax_task.Draws, uniforms: Any
) -> Batch:
    """Whole lifetimes from draws of the tasks and `[T, B]` uniforms of the actions."""
    batch, units = uniforms.shape[1], actor.recurrent_kernel.shape[0]
    none = jnp.full([batch], -1, jnp.int32)
    zeros = jnp.zeros([batch, units])
    carry = _Carry(
        jax_task.reset(rules, draws),
        empty_memory(slots, rules.context_size, batch, units),
        *(zeros, zeros, none, none, jnp.zeros([batch])),
    )
    before = jnp.concatenate([draws.cues[:1], draws.cues[:-1]])  # of the step before
    inputs = (jnp.arange(rules.steps), draws.uniforms, before, uniforms)
    phases = []
    for is_cued in (False, True):
        first = rules.uncued_trials + 1
        span = slice(first, None) if is_cued else slice(first)
        body = functools.partial(_step, is_cued, rules, actor, draws.codes)
        steps = jax.tree.map(lambda leaf, span=span: leaf[span], inputs)
        carry, logged = jax.lax.scan(body, carry, steps)
        phases.append(logged)
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *phases)


def _step(
    is_cued: bool, rules: Rules, actor: Network, codes: Any, carry: _Carry, inputs: Any
) -> tuple[_Carry, Batch]:
    t, task_uniforms, cue_uniform, action_uniform = inputs
    cue = jax_task.cue_after(rules, t - 1, cue_uniform)
    if is_cued:
        code = jnp.take_along_axis(codes, cue[None], axis=0)[0]
    else:  # step 0 writes to slot 0 what step 1 overwrites
        trial = jnp.maximum(t - 1, 0)
        code = jax.lax.dynamic_index_in_dim(codes, trial, 0, keepdims=False)
    context = jax_task.context_of(rules, code)  # [K, B]
    remembered = jnp.zeros_like(carry.cell)
    if is_cued:
        remembered = jnp.tanh(read(carry.memory, rules.uncued_trials, context))
    features = _features(carry, is_cued)
    z = features @ actor.kernel + carry.hidden @ actor.recurrent_kernel + actor.bias
    hidden, cell = cell_step(z, remembered, carry.cell)
    logits = hidden @ actor.head_kernel + actor.head_bias
    action = sample(logits, action_uniform)
    memory = carry.memory
    if not is_cued:
        memory = write(memory, trial, context, cell)
    task, reached, reward = jax_task.step(
        rules, carry.task, t, cue, action, task_uniforms
    )
    carry = _Carry(task, memory, hidden, cell, reached, action, reward)
    return carry, Batch(features, remembered, action, logits, reward)


def _features(carry: _Carry, is_cued: bool) -> Any:
    """`[B, 7]`: state reached (none, S1, S2), cue shown, action one-hot, reward."""
    reached = jax.nn.one_hot(carry.reached + 1, 3)
    cue = jnp.full(carry.reward.shape, float(is_cued))
    action = jax.nn.one_hot(carry.action, 2)
    return jnp.concatenate(
        [reached, cue[:, None], action, carry.reward[:, None]], axis=1
    )


def sample(logits: Any, uniform: Any) -> Any:
    """Inverse-CDF sample, int32 `[B]`, from uniforms `[B]`."""
    cumulative = jnp.cumsum(jax.nn.softmax(logits), axis=-1)[:, :-1]
    return jnp.sum(uniform[:, None] >= cumulative, axis=-1).astype(jnp.int32)
