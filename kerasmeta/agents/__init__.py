"""Agents: the frozen runnable agent, its TF-Agents policy, and TRPO that trains it."""

from kerasmeta.agents.config import TRPOConfig
from kerasmeta.agents.episodic_agent import AgentOutput, AgentState, EpisodicAgent
from kerasmeta.agents.policy import EpisodicPolicy
from kerasmeta.agents.trpo import TRPOAgent

__all__ = [
    "AgentOutput",
    "AgentState",
    "EpisodicAgent",
    "EpisodicPolicy",
    "TRPOAgent",
    "TRPOConfig",
]
