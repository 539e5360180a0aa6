"""kerasmeta: trained episodic meta-reinforcement-learning agents, and how to make them.

Importing this package does not import TensorFlow; its subpackages do.

Letters used for shapes everywhere: `B` batch (parallel lifetimes), `T` time steps,
`H` units, `N` memory slots, `K` key (context) size, `F` features, `A` actions,
`P` policy parameters. Public tensors are `[B, T, ...]`; inside scans `[T, B, ...]`.
"""

from kerasmeta.errors import UserError
from kerasmeta.version import __version__

__all__ = ["UserError", "__version__"]
