"""The JAX peer as subjects: rollout, update and training loop of episodic two-step.

Networks and, for the update, the experience are those that `benchmarks.ours` wrote, so
that both sides compute the same numbers; the row compares them.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers import jax_agent, jax_trpo
from benchmarks.peers.jax_agent import Batch, Network
from benchmarks.peers.jax_task import Rules
from benchmarks.peers.jax_trpo import TRPO, Adam, TrainState
from benchmarks.worker import Prepared

# Names of kerasmeta's weights, and the fields of `Network` that hold them.
WEIGHTS = {
    "cell/kernel": "kernel",
    "cell/recurrent_kernel": "recurrent_kernel",
    "cell/bias": "bias",
    "head/kernel": "head_kernel",
    "head/bias": "head_bias",
}


def fast_key(seed: int) -> Any:
    """A key of the fast generator: threefry, JAX's default, is several times slower."""
    return jax.random.key(seed, impl="rbg")


def load_network(arrays: Any, part: str) -> Network:
    """The network `part` ("actor", "critic") of an agent's named weights."""
    fields = {
        field: jnp.asarray(arrays[f"{part}/{name}"]) for name, field in WEIGHTS.items()
    }
    return Network(**fields)


def load_batch(arrays: Any) -> tuple[Batch, Any]:
    """The experience (time-major) and its advantages that `ours` wrote."""

    def time_major(name: str) -> Any:
        return jnp.asarray(np.swapaxes(arrays[f"batch/{name}"], 0, 1))

    batch = Batch(
        features=time_major("features"),
        remembered=jnp.tanh(time_major("memory")),
        action=time_major("action"),
        logits=time_major("parameters"),
        reward=time_major("reward"),
    )
    return batch, time_major("advantage")


def load_settings(arrays: Any) -> tuple[Rules, int, int, TRPO]:
    """The task, the memory's slots, the parallel lifetimes and TRPO's numbers."""
    settings = json.loads(str(arrays["settings"]))
    trpo = {name: settings["trpo"][name] for name in TRPO._fields}
    rules = Rules(**settings["task"])
    return rules, settings["slots"], settings["lifetimes"], TRPO(**trpo)


def rollout(share: str) -> Prepared:
    """Collects whole lifetimes; the work is environment steps."""
    arrays = np.load(share)
    rules, slots, lifetimes, _ = load_settings(arrays)
    actor = load_network(arrays, "actor")
    seed = 0

    def call() -> None:
        nonlocal seed
        seed += 1
        key = fast_key(seed)
        batch = jax_agent.rollout(rules, slots, lifetimes, actor, key)
        jax.block_until_ready(batch)

    return Prepared(call, lifetimes * rules.steps)


def update(share: str) -> Prepared:
    """The policy's TRPO step, from the same parameters each time."""
    arrays = np.load(share)
    *_, config = load_settings(arrays)
    actor = load_network(arrays, "actor")
    batch, advantage = load_batch(arrays)
    step = jax.jit(jax_trpo.update_policy, static_argnums=0)

    def call() -> Any:
        return jax.block_until_ready(step(config, actor, batch, advantage))

    result = call()
    facts = {name: float(getattr(result, name)) for name in ("surrogate", "kl")}
    return Prepared(call, 1.0, {**facts, "trials": float(result.trials)})


def train(share: str) -> Prepared:
    """The whole loop; the work is environment steps."""
    arrays = np.load(share)
    rules, slots, lifetimes, config = load_settings(arrays)
    state = first_state(arrays)
    warnings.filterwarnings("ignore", "Some donated buffers")

    def call() -> None:
        nonlocal state
        state, reward = jax_trpo.iterate(rules, slots, lifetimes, config, state)
        float(reward)  # a training loop reports its reward

    return Prepared(call, lifetimes * rules.steps)


def first_state(arrays: Any) -> TrainState:
    """The shared networks, a fresh optimiser and a key."""
    critic = load_network(arrays, "critic")
    parameters = sum(leaf.size for leaf in critic)
    moments = [jnp.zeros([parameters]) for _ in range(2)]
    adam = Adam(*moments, jnp.array(0, jnp.int32))
    return TrainState(load_network(arrays, "actor"), critic, adam, fast_key(0))
