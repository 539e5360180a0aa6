"""A critic that is told what is hidden, for a learner's use alone."""

from __future__ import annotations

from typing import Any

from kerasmeta.agents.episodic_agent import EpisodicAgent
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import HIDDEN
from kerasmeta.networks import CriticNetwork, ready


def informed_critic(
    agent: EpisodicAgent, observation_spec: dict[str, Any]
) -> CriticNetwork:
    """A critic like an agent's, which sees hidden variables besides.

    Images it sees as the agent's critic does now.

    Args:
        agent: Whose configuration it has.
        observation_spec: What the agent sees, and `hidden/...`.

    Raises:
        UserError: Nothing hidden is among the observations.
    """
    if not any(key.startswith(HIDDEN) for key in observation_spec):
        raise UserError(
            "trpo.baseline",
            "informed",
            "needs a family that tells what is hidden in it",
            "set trpo.baseline=critic",
        )
    network = CriticNetwork(observation_spec, agent.action_spec, agent.config)
    ready(network)
    image = agent.critic.encoder.image
    if image is not None:
        pairs = zip(network.encoder.image.variables, image.variables, strict=True)
        for mine, theirs in pairs:
            mine.assign(theirs)
    return network
