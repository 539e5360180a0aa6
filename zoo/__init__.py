"""zoo: the registry of trained agents.

    import zoo
    agent = zoo.load("episodic_two_step/ep_lstm")

Importing this package does not import TensorFlow; loading and publishing do.
"""

from .card import Card
from .loading import load, load_saved_model
from .manifest import Estimate, Evaluation, Manifest, Provenance, SeedResult, Task
from .opening import default_registry, open_registry
from .publishing import publish
from .registry import Registry
from .remote import RemoteRegistry
from .writing import Published

__all__ = [
    "Card",
    "Estimate",
    "Evaluation",
    "Manifest",
    "Provenance",
    "Published",
    "Registry",
    "RemoteRegistry",
    "SeedResult",
    "Task",
    "default_registry",
    "load",
    "load_saved_model",
    "open_registry",
    "publish",
]
