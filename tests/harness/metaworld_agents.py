"""A small agent for tests of Meta-World."""

from __future__ import annotations

from typing import Any, Literal

from harness import agents

from kerasmeta.agents import EpisodicAgent
from kerasmeta.networks import AgentConfig
from kerasmeta.tasks.observation import full_observation_spec

ROWS = 4


def agent_for(task: Any, kind: Literal["lstm", "ep_lstm"] = "lstm") -> EpisodicAgent:
    """A small agent whose actions depend on what it sees."""
    config = AgentConfig(kind=kind, units=5, critic_units=4)
    agent = EpisodicAgent(full_observation_spec(task), task.action_spec, config)
    agents.shake([*agent.actor.trainable_variables, *agent.critic.trainable_variables])
    return agent
