"""client: a served agent with the `initial_state` and `step` of a local one.

Nothing here needs TensorFlow.
"""

from .served_agent import ServedAgent, ServedOutput
from .states import ServedState

__all__ = ["ServedAgent", "ServedOutput", "ServedState"]
