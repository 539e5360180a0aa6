"""What a training run is, as plain data: config.json."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from kerasmeta.agents.config import TRPOConfig
from kerasmeta.errors import UserError
from kerasmeta.networks.config import AgentConfig
from kerasmeta.refusals import refusal

# The layout of run directories; a directory of another number is refused.
RUN_FORMAT = 1


class TaskConfig(BaseModel):
    """A task family and the parameters that differ from its defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    parameters: dict[str, Any] = {}


class StartConfig(BaseModel):
    """What a fine-tuned agent starts from.

    Attributes:
        agent: The parent: `family/agent@version`, or a few words about an unpublished
            one.
        weights_sha256: Of the parent's weights (safetensors).
        fresh: Parts that begin with weights of their own (`kerasmeta.agents.parts`).
        freeze: Parts that stay as the parent has them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: str
    weights_sha256: str
    fresh: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()


class RunConfig(BaseModel):
    """A training run.

    Attributes:
        task: What is trained on.
        agent: What is trained.
        trpo: How.
        lifetimes: Parallel lifetimes of an iteration, all of them new.
        steps: Environment steps in all, summed over lifetimes.
        seed: Of the initial weights, the lifetimes and the actions.
        checkpoint_every: Iterations between checkpoints.
        metrics_every: Iterations between rows of metrics.jsonl with behaviour metrics.
        start: The agent that is fine-tuned; None: a new one is trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: TaskConfig
    agent: AgentConfig = AgentConfig()
    trpo: TRPOConfig = TRPOConfig()
    lifetimes: PositiveInt = 128
    steps: PositiveInt = 5_000_000
    seed: int = Field(0, ge=0, lt=2**30)
    checkpoint_every: PositiveInt = 50
    metrics_every: PositiveInt = 20
    start: StartConfig | None = None

    def with_overrides(self, overrides: Iterable[str]) -> RunConfig:
        """A copy with `--set` options applied: `trpo.delta=0.02`, `task.common=0.7`.

        Raises:
            UserError: An override has no `=`, an unknown key, or a value of no use.
        """
        data = self.model_dump(mode="json")
        for override in overrides:
            key, equals, value = override.partition("=")
            if not equals or not key.strip():
                problem = "has no key before the =" if equals else "has no ="
                raise UserError("--set", override, problem, "write --set key=value")
            _assign(data, key.strip(), _parse(value.strip(), override), override)
        return validate(RunConfig, data, "--set")

    def settings(self) -> dict[str, Any]:
        """Every number by its key in `--set`: `{"trpo.delta": 0.01, ...}`."""
        data = self.model_dump(mode="json")
        data["task"] = {"name": self.task.name, **data["task"]["parameters"]}
        return dict(_flat(data))


def validate(model: Any, data: Any, source: str) -> Any:
    """`model.model_validate`, with its first complaint as a `UserError`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        key, value, problem, fix = refusal(error)
        raise UserError(f"{source} {key}".strip(), value, problem, fix) from None


def _flat(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _assign(data: dict[str, Any], key: str, value: Any, override: str) -> None:
    """Sets a dotted key of nested dicts; `task.x` is a parameter of the task."""
    *parents, last = key.split(".")
    place = data
    for parent in parents:
        if parent not in place:
            raise _unknown(override, parent, place)
        place = place[parent]
        if not isinstance(place, dict):
            raise UserError(
                "--set", override, f"{parent} holds no keys", f"set {parent} itself"
            )
    if parents == ["task"] and last != "name":
        data["task"]["parameters"][last] = value  # the task checks its own parameters
        return
    if last not in place:
        raise _unknown(override, last, place)
    if isinstance(place[last], dict):
        keys = ", ".join(f"{key}.{inner}" for inner in sorted(place[last]))
        raise UserError("--set", override, f"{key} holds keys", f"set one of {keys}")
    place[last] = value


def _unknown(override: str, key: str, place: dict[str, Any]) -> UserError:
    close = difflib.get_close_matches(key, place, n=1)
    guess = f"did you mean '{close[0]}'? " if close else ""
    known = ", ".join(sorted(place))
    return UserError(
        "--set", override, f"{key} is not known", f"{guess}use one of {known}"
    )


def _parse(text: str, override: str) -> Any:
    """Numbers, true, false, null and lists as JSON has them; anything else is text."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if not _is_finite(value):
        raise UserError("--set", override, "is not finite", "give a finite number")
    return value


def _is_finite(value: Any) -> bool:
    """False for NaN and infinities, as numbers or as text that reads as one."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return True  # no number at all, or a whole one too large for a float
