"""kerasmeta: trained episodic meta-reinforcement-learning agents, and how to make them.

Importing this package does not import TensorFlow; its subpackages do. It registers the
task families with Gymnasium: `kerasmeta/TwoStep-v0` and the others.

Letters used for shapes everywhere: `B` batch (parallel lifetimes), `T` time steps,
`H` units, `N` memory slots, `K` key (context) size, `F` features, `A` actions,
`P` policy parameters. Public tensors are `[B, T, ...]`; inside scans `[T, B, ...]`.
"""

import os
import sys

from kerasmeta import registration as _registration
from kerasmeta.errors import UserError
from kerasmeta.version import __version__

if "tensorflow" not in sys.modules:
    # TensorFlow chooses its Keras at its own import; TF-Agents needs Keras 2. See
    # kerasmeta/_keras.py, which fails with the fix where the choice was another.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

_registration.register_families()

__all__ = ["UserError", "__version__"]
