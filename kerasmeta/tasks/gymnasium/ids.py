"""Gymnasium's registry: which ids there are, and environments made from them.

Everything that may be wrong with an id is told in one line. TensorFlow is not imported.
"""

from __future__ import annotations

import difflib
import importlib
import re
from typing import Any

import gymnasium

from kerasmeta.errors import UserError


def looks_like_id(name: str) -> bool:
    """Whether a name is, or is meant to be, a Gymnasium id: `CartPole-v1`, `module:A`.

    Task families have lower-case names without any of `-`, `/` and `:`.
    """
    return name in gymnasium.registry or re.search(r"[A-Z/:]|-v\d+$", name) is not None


def check(id: str) -> None:
    """Refuses an id that Gymnasium does not know.

    Raises:
        UserError: With the ids that come closest.
    """
    module, colon, name = id.rpartition(":")
    if colon:
        _import(module, id)
    try:
        gymnasium.spec(name)
    except gymnasium.error.Error as error:
        raise UserError(
            "task",
            id,
            f"is no registered Gymnasium id ({_sentence(error)})",
            f"{_guess(id)}install the package that registers it, or import it by "
            "module:Id-v0",
        ) from None


def _import(module: str, id: str) -> None:
    """Imports what registers an id of the form `module:Id-v0`."""
    try:
        importlib.import_module(module)
    except Exception as error:  # a module may raise anything
        raise UserError(
            "task",
            id,
            f"its module cannot be imported ({_sentence(error)})",
            "install it, or correct the name before the colon",
        ) from None


def make(id: str, arguments: dict[str, Any]) -> Any:
    """`gymnasium.make(id, **arguments)`.

    Raises:
        UserError: The id is unknown, a package it needs is missing, or the environment
            refuses its arguments.
    """
    check(id)
    try:
        return gymnasium.make(id, **arguments)
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        problem = f"needs a package that is not installed ({_sentence(error)})"
        raise UserError("task", id, problem, "install it") from None
    except Exception as error:  # an environment's own code may raise anything
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise UserError(
            "task",
            id,
            f"cannot be made with {given or 'no arguments'} ({_sentence(error)})",
            "correct --set task.NAME=VALUE, or the environment",
        ) from None


def _guess(id: str) -> str:
    """Suggests ids of the same name in another version or spelling."""
    by_lower = {known.lower(): known for known in gymnasium.registry}
    close = difflib.get_close_matches(id.lower(), by_lower, n=3, cutoff=0.7)
    names = " or ".join(f"'{by_lower[match]}'" for match in close)
    return f"did you mean {names}? " if close else ""


def _sentence(error: Exception) -> str:
    """An exception's message in one line, without its final full stop."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")
