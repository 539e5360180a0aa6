"""stores: where a gateway keeps its sessions; `open_store` chooses by address."""

from .base import Store, open_store

__all__ = ["Store", "open_store"]
