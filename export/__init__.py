"""export: agents as TensorFlow SavedModels, in TensorFlow Serving's layout.

Importing this package does not import TensorFlow; exporting does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .contracts import Contract, Signature, TensorContract

if TYPE_CHECKING:
    from .saved_model import contract, export_agent, write_saved_model

__all__ = [
    "Contract",
    "Signature",
    "TensorContract",
    "contract",
    "export_agent",
    "write_saved_model",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import saved_model

    return getattr(saved_model, name)
