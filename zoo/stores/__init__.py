"""Where registries are read from: the web, object stores, the Hub, one zip file.

Each module here knows one protocol and nothing of agents. It is imported, and what it
needs is, when an address asks for it.
"""

from .base import BrokenError, MissingError, Sink, Store, open_store, read, receive

__all__ = [
    "BrokenError",
    "MissingError",
    "Sink",
    "Store",
    "open_store",
    "read",
    "receive",
]
