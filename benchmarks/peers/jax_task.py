"""Episodic two-step in JAX: the rules of `kerasmeta.tasks.two_step.episodic`.

Written for speed: all lifetimes are at the same step, so the step number is a scalar;
lifetimes are the last axis of every table, where XLA's CPU code vectorises; every draw
of a lifetime is made before the scan. The rules take their draws as arguments, so that
a test can hand them the draws of the TensorFlow task.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Rules(NamedTuple):
    """The numbers of the task; hashable, so a static argument of jitted functions."""

    uncued_trials: int = 50  # U
    cued_trials: int = 50
    common: float = 0.9
    high_reward: float = 0.9
    low_reward: float = 0.1
    reversal: float = 0.1
    context_size: int = 20  # K, at most 30: codes are int32

    @property
    def steps(self) -> int:
        """T, the steps of a lifetime: uncued trials, the pause, cued trials."""
        return self.uncued_trials + 1 + self.cued_trials


class TaskState(NamedTuple):
    """The hidden state of `B` lifetimes."""

    good: Any  # [B] int32, the state that pays more often
    reached: Any  # [U, B] int32, where each uncued trial led
    rewards: Any  # [U, B], what it paid


class Draws(NamedTuple):
    """All the randomness of the tasks of `B` lifetimes."""

    good: Any  # [B] int32, the good state at the beginning
    codes: Any  # [U, B] int32, the context of each uncued trial
    uniforms: Any  # [T, 3, B], of transition, reward and reversal of each step
    cues: Any  # [T, B], which past trial is the cue after each step


def draw(rules: Rules, batch: int, key: Any) -> Draws:
    """Makes all draws at once."""
    keys = jax.random.split(key, 5)
    trials = (rules.uncued_trials, batch)
    highest = 2**rules.context_size - rules.uncued_trials + 1
    sorted_draws = jnp.sort(jax.random.randint(keys[0], trials, 0, highest), axis=0)
    distinct = sorted_draws + jnp.arange(rules.uncued_trials)[:, None]  # [U, B]
    order = jnp.argsort(jax.random.uniform(keys[1], trials), axis=0)
    return Draws(
        good=jax.random.randint(keys[2], (batch,), 0, 2),
        codes=jnp.take_along_axis(distinct, order, axis=0),
        uniforms=jax.random.uniform(keys[3], (rules.steps, 3, batch)),
        cues=jax.random.uniform(keys[4], (rules.steps, batch)),
    )


def reset(rules: Rules, draws: Draws) -> TaskState:
    """The hidden state at the beginning."""
    trials = draws.codes.shape
    nowhere = jnp.full(trials, -1, jnp.int32)
    return TaskState(draws.good, nowhere, jnp.zeros(trials))


def cue_after(rules: Rules, t: Any, uniform: Any) -> Any:
    """The uncued trial `[B]` that is the cue of step t + 1, if that is a cued one."""
    half = rules.uncued_trials // 2
    first = t - rules.uncued_trials < rules.cued_trials // 2
    lowest = jnp.where(first, 0, half)
    count = jnp.where(first, half, rules.uncued_trials - half)
    return lowest + (uniform * count).astype(jnp.int32)


def context_of(rules: Rules, code: Any) -> Any:
    """Codes int32 `[B]` as contexts of +-1, `[K, B]`."""
    places = jnp.arange(rules.context_size, dtype=jnp.int32)[:, None]
    return 2.0 * (jnp.right_shift(code, places) & 1).astype(jnp.float32) - 1.0


def step(
    rules: Rules, state: TaskState, t: Any, cue: Any, action: Any, uniforms: Any
) -> tuple[TaskState, Any, Any]:
    """Carries out the actions `[B]` of step t.

    Args:
        rules: The task.
        state: The hidden state.
        t: The step, a scalar.
        cue: int32 `[B]`, the uncued trial that is the cue; of use in cued trials only.
        action: int32 `[B]`.
        uniforms: `[3, B]`.

    Returns:
        The state, the second-stage state reached (-1 in the pause) and the reward.
    """
    to_state, to_reward, to_reversal = uniforms
    is_trial, is_cued = t != rules.uncued_trials, t > rules.uncued_trials
    reached = jnp.where(to_state < rules.common, action, 1 - action)
    chance = jnp.where(reached == state.good, rules.high_reward, rules.low_reward)
    fresh = (to_reward < chance).astype(jnp.float32)
    past_reached = jnp.take_along_axis(state.reached, cue[None], axis=0)[0]
    past_reward = jnp.take_along_axis(state.rewards, cue[None], axis=0)[0]
    reward = jnp.where(is_cued & (reached == past_reached), past_reward, fresh)
    reached = jnp.where(is_trial, reached, -1)
    reward = jnp.where(is_trial, reward, 0.0)
    flips = is_trial & (to_reversal < rules.reversal)
    good = jnp.where(flips, 1 - state.good, state.good)
    return _remember(rules, state, t, reached, reward, good), reached, reward


def _remember(
    rules: Rules, state: TaskState, t: Any, reached: Any, reward: Any, good: Any
) -> TaskState:
    """Notes the outcome of an uncued trial; in later steps writes what was there."""
    last = rules.uncued_trials - 1
    trial, is_uncued = jnp.minimum(t, last), t <= last

    def note(table: Any, new: Any) -> Any:
        old = jax.lax.dynamic_index_in_dim(table, trial, 0, keepdims=False)
        return jax.lax.dynamic_update_index_in_dim(
            table, jnp.where(is_uncued, new, old), trial, 0
        )

    return TaskState(good, note(state.reached, reached), note(state.rewards, reward))
