"""What pydantic says of a refused value, in the words of a `UserError`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pydantic import ValidationError

# Turns "Input should be WANTED" into what to give.
_REWORDED = (
    ("a valid integer", "an integer"),
    ("a valid tuple", "a list, such as [64, 32]"),
    ("a valid ", "a "),
    ("greater than", "a number greater than"),
    ("less than", "a number less than"),
)


class Refusal(NamedTuple):
    """The first fault of a `ValidationError`."""

    key: str  # dotted, "" for the whole
    value: Any
    problem: str
    fix: str


def refusal(error: ValidationError) -> Refusal:
    """The first fault of a validation, as the parts of a `UserError`."""
    fault = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return Refusal(key, "missing", "is needed", "add it")
    message = fault["msg"].removeprefix("Value error, ")
    wanted = re.sub(", (unable to|got) .*", "", message)  # the value is told anyway
    wanted = re.sub(" or instance of .*", "", wanted)  # a class of ours says nothing
    wanted = wanted.removeprefix("Input should be ")
    if wanted == message:
        problem = f"is not valid ({message[:1].lower()}{message[1:]})"
        return Refusal(key, fault["input"], problem, "correct it")
    for theirs, ours in _REWORDED:
        wanted = wanted.replace(theirs, ours)
    return Refusal(key, fault["input"], "is not valid", f"give {wanted}")
