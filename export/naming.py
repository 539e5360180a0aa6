"""Flat, stable names for an agent's nested state: `state_actor_hidden`, ...

A served model's inputs and outputs are one flat dict. The names are the paths through
the state's NamedTuples, so they hold as long as the fields do.
"""

from __future__ import annotations

from typing import Any

PREFIX = "state"


def flatten_state(state: Any, prefix: str = PREFIX) -> dict[str, Any]:
    """The leaves of a nested NamedTuple by name. Empty tuples have no leaves."""
    flat = {}
    for field, value in zip(getattr(state, "_fields", ()), state, strict=False):
        name = f"{prefix}_{field}"
        if isinstance(value, tuple):
            flat.update(flatten_state(value, name))
        else:
            flat[name] = value
    return flat


def pack_state(flat: dict[str, Any], like: Any, prefix: str = PREFIX) -> Any:
    """The inverse of `flatten_state`, in the structure of `like`.

    Entries of `flat` that belong to no leaf (an observation, say) are left alone.
    """
    if like == ():
        return ()
    leaves = []
    for field, value in zip(like._fields, like, strict=True):
        name = f"{prefix}_{field}"
        nested = isinstance(value, tuple)
        leaves.append(pack_state(flat, value, name) if nested else flat[name])
    return type(like)(*leaves)
