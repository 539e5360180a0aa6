"""The one error for bad input: the thing, its value and the fix, in one line."""

from __future__ import annotations

from typing import Any


class UserError(ValueError):
    """Bad input from the user. The command line prints it and exits with status 2.

    Args:
        argument: The name of the thing that is wrong (`--agent`, `observation`).
        value: The value received.
        problem: What is wrong with it, as the end of a sentence.
        fix: What to do about it, as an imperative.
    """

    def __init__(self, argument: str, value: Any, problem: str, fix: str) -> None:
        self.argument = argument
        self.value = value
        self.problem = problem
        self.fix = fix
        text = f"{argument} {_shorten(value)}: {problem}; {fix}"
        super().__init__(" ".join(text.split()))


def _shorten(value: Any, limit: int = 120) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = f"'{text}'" if isinstance(value, str) else text
    return text if len(text) <= limit else text[: limit - 3] + "..."
