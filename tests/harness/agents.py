"""Small agents and made-up lifetimes for the tests of networks and agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents import EpisodicAgent
from kerasmeta.networks import AgentConfig

STIMULUS, CONTEXT, UNITS, ACTIONS = 3, 4, 5, 2


def action_spec(continuous: bool = False) -> Any:
    """Two choices, or two numbers."""
    bounded = tf_agents.specs.BoundedTensorSpec
    if continuous:
        return bounded([ACTIONS], tf.float32, -1.0, 1.0, name="action")
    return bounded([], tf.int32, 0, ACTIONS - 1, name="action")


def observation_spec(
    continuous: bool = False, image: int | None = None
) -> dict[str, Any]:
    """What a task with these actions shows; `image` is the size of one, in pixels."""
    previous_action = tf.TensorSpec([ACTIONS], tf.float32, "previous_action")
    if not continuous:
        previous_action = tf_agents.specs.BoundedTensorSpec(
            [], tf.int32, -1, ACTIONS - 1, name="previous_action"
        )
    stimulus = tf.TensorSpec([STIMULUS], tf.float32, "stimulus")
    if image is not None:
        stimulus = tf.TensorSpec([image, image, 3], tf.uint8, "stimulus")
    return {
        "stimulus": stimulus,
        "context": tf.TensorSpec([CONTEXT], tf.float32, "context"),
        "episode_start": tf.TensorSpec([], tf.bool, "episode_start"),
        "store": tf.TensorSpec([], tf.bool, "store"),
        "previous_action": previous_action,
        "previous_reward": tf.TensorSpec([], tf.float32, "previous_reward"),
    }


def config(kind: str = "ep_lstm", **changes: Any) -> AgentConfig:
    """A small agent."""
    memory = {"capacity": 3, **changes.pop("memory", {})}
    sizes = {"units": UNITS, "critic_units": 4, "seed": 3}
    return AgentConfig(kind=kind, memory=memory, **{**sizes, **changes})


def observations(
    rng: np.random.Generator,
    batch: int,
    time: int,
    continuous: bool = False,
    image: int | None = None,
) -> dict[str, np.ndarray]:
    """Made-up observations `[B, T, ...]`: contexts repeat, half of the steps store."""
    if continuous:
        previous_action = rng.normal(size=(batch, time, ACTIONS)).astype(np.float32)
    else:
        previous_action = rng.integers(-1, ACTIONS, [batch, time]).astype(np.int32)
    contexts = rng.choice([-1.0, 1.0], [4, CONTEXT])
    contexts[0] = 0.0
    episode_start = rng.random([batch, time]) < 0.2
    episode_start[:, 0] = True
    stimulus = rng.normal(size=(batch, time, STIMULUS)).astype(np.float32)
    if image is not None:  # they repeat
        pool = rng.integers(0, 256, [4, image, image, 3]).astype(np.uint8)
        stimulus = pool[rng.integers(0, 4, [batch, time])]
    return {
        "stimulus": stimulus,
        "context": contexts[rng.integers(0, 4, [batch, time])].astype(np.float32),
        "episode_start": episode_start,
        "store": rng.random([batch, time]) < 0.5,
        "previous_action": previous_action,
        "previous_reward": rng.normal(size=(batch, time)).astype(np.float32),
    }


def over(function: Callable[..., Any], *trees: Any) -> Any:
    """Maps a function over leaves; None (an output an agent lacks) stays None."""
    return tf.nest.map_structure(
        lambda *leaves: None if leaves[0] is None else function(*leaves), *trees
    )


def at(tree: Any, t: int) -> Any:
    """Step `t` of a tree of `[B, T, ...]`."""
    return over(lambda leaf: leaf[:, t], tree)


def take(tree: Any, rows: Any) -> Any:
    """Rows of a batch-first tree."""
    return over(lambda leaf: tf.gather(leaf, rows), tree)


def stack(steps: list[Any]) -> Any:
    """Trees of `[B, ...]`, one a step, as one tree of `[B, T, ...]`."""
    return over(lambda *leaves: tf.stack(leaves, axis=1), *steps)


def assert_same(one: Any, other: Any, atol: float = 0.0) -> None:
    """Leaf by leaf; exactly, unless `atol` allows for rounding."""
    over(lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=atol), one, other)


def shake(variables: list[Any], seed: int = 0, scale: float = 0.5) -> None:
    """Moves weights away from their initial values, so that every part matters."""
    rng = np.random.default_rng(seed)
    for variable in variables:
        variable.assign_add(rng.normal(scale=scale, size=variable.shape))


# Lifetimes as step types, F(IRST) M(ID) L(AST); the last letter is what comes next.
WHOLE = ("FMMMMMMML", "FMMLFMMML", "FMMMMMMLF", "FMLFMLFML")
STEP_TYPES = {"F": 0, "M": 1, "L": 2}


def experience(
    agent: EpisodicAgent,
    rng: np.random.Generator,
    rows: tuple[str, ...] = WHOLE,
    **changes: Any,
) -> Any:
    """Made-up lifetimes `[B, T]` as an agent's `Trajectory`; parts may be given.

    The parameters logged are the agent's own. The discount is 0 before LAST.
    """
    continuous = not agent.action_spec.dtype.is_integer
    step_type = np.array([[STEP_TYPES[s] for s in row] for row in rows], np.int32)
    now, following = step_type[:, :-1], step_type[:, 1:]
    batch, time = now.shape
    stimulus = agent.observation_spec["stimulus"].shape
    image = stimulus[0] if stimulus.rank == 3 else None
    observation = observations(rng, batch, time, continuous, image)
    inputs, info = observation, {}
    if agent.config.has_memory:
        info["memory"] = tf.constant(rng.normal(size=(batch, time, UNITS)), tf.float32)
        inputs = {**observation, **info}
    reset = now == 0
    if agent.config.clear_lstm_at_episode:
        reset |= observation["episode_start"]
    parameters, _ = agent.actor.unroll(
        inputs, tf.constant(reset), agent.actor.zero_state(batch)
    )
    uniform = rng.random([batch, time, agent.distribution.uniforms])
    parts = {
        "step_type": now,
        "observation": observation,
        "action": agent.distribution.sample(parameters, uniform.astype(np.float32)),
        "policy_info": {"parameters": parameters, **info},
        "next_step_type": following,
        "reward": rng.normal(size=(batch, time)).astype(np.float32),
        "discount": (following != 2).astype(np.float32),
    }
    trajectory = tf_agents.trajectories.Trajectory(**{**parts, **changes})
    return tf.nest.map_structure(tf.convert_to_tensor, trajectory)
