"""Networks: observation encoders, recurrent actor and critic, action distributions."""

from kerasmeta.networks.config import AgentConfig, MemoryConfig
from kerasmeta.networks.distributions import (
    Categorical,
    DiagonalGaussian,
    distribution_for,
)
from kerasmeta.networks.recurrent import (
    ActorNetwork,
    CriticNetwork,
    NetworkStep,
    RecurrentNetwork,
    ready,
)

__all__ = [
    "ActorNetwork",
    "AgentConfig",
    "Categorical",
    "CriticNetwork",
    "DiagonalGaussian",
    "MemoryConfig",
    "NetworkStep",
    "RecurrentNetwork",
    "distribution_for",
    "ready",
]
