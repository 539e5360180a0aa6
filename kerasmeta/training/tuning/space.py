"""What is searched: settings of a recipe, each with the values it may take."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from kerasmeta.errors import UserError
from kerasmeta.refusals import refusal

Value = float | int | str


class Dimension(BaseModel):
    """One setting: any number of a range, by its logarithm, or one of some values.

    Attributes:
        key: As `--set` has it: `trpo.delta`.
        low, high: The range's ends, both above 0; None where there are choices.
        choices: The values; those that are numbers in ascending order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] = ()

    @property
    def examples(self) -> tuple[Value, ...]:
        """The values between which, or among which, the others are."""
        if self.choices or self.low is None or self.high is None:
            return self.choices
        return self.low, self.high

    @model_validator(mode="after")
    def _check(self) -> Dimension:
        if self.choices:
            if len(set(self.choices)) < 2:
                raise ValueError("fewer than two values")
        elif self.low is None or self.high is None or not 0.0 < self.low < self.high:
            raise ValueError(
                "the range is not two numbers above 0, the lower one first"
            )
        return self


# Ranges about the values that recipes have. Discount and lambda are few values that
# differ: between two of them nothing happens that one of them does not show.
DIMENSIONS = (
    Dimension(key="trpo.delta", low=0.002, high=0.05),
    Dimension(key="trpo.damping", low=0.003, high=0.3),
    Dimension(key="trpo.gamma", choices=(0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)),
    Dimension(key="trpo.td_lambda", choices=(0.3, 0.6, 0.8, 0.9, 0.95, 1.0)),
    Dimension(key="agent.units", choices=(16, 24, 32, 48, 64, 96)),
    Dimension(key="trpo.critic_learning_rate", low=3e-4, high=1e-2),
    Dimension(
        key="agent.memory.read", choices=("nearest", "inverse_distance", "softmax")
    ),
)
_OF_MEMORY = "agent.memory."


def dimensions(kind: str, wanted: Iterable[str] = ()) -> tuple[Dimension, ...]:
    """What a search is over.

    Args:
        kind: "lstm" or "ep_lstm"; only the latter has a memory.
        wanted: Of the command line: a key of `DIMENSIONS`, or any key with its values:
            `trpo.delta=0.001:0.1` or `agent.units=32,64`. None: all of `DIMENSIONS`.

    Raises:
        UserError: A key has no values and is none of `DIMENSIONS`, values are none, or
            a key is named twice or is of a memory that the agent lacks.
    """
    named = [_dimension(text) for text in wanted]
    if not named:
        own = kind == "ep_lstm"
        return tuple(d for d in DIMENSIONS if own or not d.key.startswith(_OF_MEMORY))
    keys = [dimension.key for dimension in named]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError("--search", key, "is named twice", "leave one out")
        if key.startswith(_OF_MEMORY) and kind != "ep_lstm":
            problem = f"is of a memory, which an {kind} agent lacks"
            raise UserError("--search", key, problem, "leave it out, or use ep_lstm")
    return tuple(named)


def _dimension(text: str) -> Dimension:
    key, equals, values = (part.strip() for part in text.partition("="))
    known = {dimension.key: dimension for dimension in DIMENSIONS}
    if not equals:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            guess = f"did you mean '{close[0]}'? " if close else ""
            fix = f"{guess}use {', '.join(known)}, or give values, {key}=0.01:0.1"
            raise UserError("--search", text, "has no values", fix)
        return known[key]
    try:
        if ":" in values:
            low, high = (float(end) for end in values.split(":"))
            return Dimension(key=key, low=low, high=high)
        choices = [_parse(value.strip()) for value in values.split(",")]
        return Dimension(key=key, choices=tuple(choices))
    except ValidationError as error:
        _, _, problem, _ = refusal(error)
    except ValueError:
        problem = "is no range of numbers"
    fix = f"write {key}=LOW:HIGH, as in trpo.delta=0.001:0.1, or {key}=A,B,C"
    raise UserError("--search", text, problem, fix)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def settings(values: dict[str, Any]) -> list[str]:
    """Values by key as `--set` options; keras-tuner's own keys are left out."""
    keys = (key for key in values if not key.startswith("tuner/"))
    return [f"{key}={json.dumps(values[key])}" for key in keys]
