"""Small agents to export, with weights large enough to matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents import EpisodicAgent
from kerasmeta.networks import AgentConfig

OBSERVATION = {
    "stimulus": tf.TensorSpec([4], tf.float32),
    "context": tf.TensorSpec([6], tf.float32),
    "episode_start": tf.TensorSpec([], tf.bool),
    "store": tf.TensorSpec([], tf.bool),
    "previous_reward": tf.TensorSpec([], tf.float32),
}
BoundedTensorSpec = tf_agents.specs.BoundedTensorSpec
DISCRETE = BoundedTensorSpec([], tf.int32, 0, 2)
CONTINUOUS = BoundedTensorSpec([2], tf.float32, [-1.0, -2.0], [1.0, 2.0])

IMAGE = tf.TensorSpec([8, 8, 3], tf.uint8)

# Between them: both kinds, both sorts of action, every way to read and to evict, and
# one that sees images.
AGENTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "ep_lstm": (DISCRETE, {"memory": {"capacity": 5}}),
    "lstm": (DISCRETE, {"kind": "lstm", "encoder": (7,)}),
    "ep_lstm_continuous": (
        CONTINUOUS,
        {
            "clear_lstm_at_episode": True,
            "memory": {
                "capacity": 5,
                "read": "inverse_distance",
                "eviction": "least_recently_used",
            },
        },
    ),
    "lstm_continuous": (CONTINUOUS, {"kind": "lstm", "clear_lstm_at_episode": True}),
    "ep_lstm_softmax": (DISCRETE, {"memory": {"capacity": 5, "read": "softmax"}}),
    "ep_lstm_image": (
        DISCRETE,
        {
            "memory": {"capacity": 5},
            "convolutions": ((4, 3, 2), (5, 2, 2)),
            "image_features": 6,
        },
    ),
}


def make_agent(name: str) -> EpisodicAgent:
    action, options = AGENTS[name]
    config = AgentConfig.model_validate({"units": 4, "critic_units": 3, **options})
    previous = (
        BoundedTensorSpec([], tf.int32, -1, 2)
        if action is DISCRETE
        else tf.TensorSpec([2], tf.float32)
    )
    observation = {**OBSERVATION, "previous_action": previous}
    if name.endswith("_image"):
        observation["stimulus"] = IMAGE
    agent = EpisodicAgent(observation, action, config)
    rng = np.random.default_rng(0)
    for variable in agent.variables:
        variable.assign(rng.normal(0.0, 0.7, variable.shape))
    return agent


@pytest.fixture(scope="session")
def agents() -> dict[str, EpisodicAgent]:
    """One agent of each sort, by name."""
    return {name: make_agent(name) for name in AGENTS}
