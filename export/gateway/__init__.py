"""gateway: keeps the states of served agents, so that clients send observations only.

    kerasmeta gateway --serving grpc://localhost:8500

TensorFlow Serving keeps nothing between requests. A gateway in front of it does: a
client begins a session, sends an observation at each step and gets the action. Nothing
here needs TensorFlow; the extra `gateway` installs what it does need.
"""

from .client import GatewayClient, GatewaySession

__all__ = ["GatewayClient", "GatewaySession"]
