"""Meta-World's families by name, without importing Meta-World."""

from __future__ import annotations

import difflib
from typing import NamedTuple

from kerasmeta.errors import UserError

PREFIX = "metaworld_"
CONTEXTUAL = "_contextual"
VERSION = "-v3"

TASKS = (
    "assembly", "basketball", "bin-picking", "box-close", "button-press",
    "button-press-topdown", "button-press-topdown-wall", "button-press-wall",
    "coffee-button", "coffee-pull", "coffee-push", "dial-turn", "disassemble",
    "door-close", "door-lock", "door-open", "door-unlock", "drawer-close",
    "drawer-open", "faucet-close", "faucet-open", "hammer", "hand-insert",
    "handle-press", "handle-press-side", "handle-pull", "handle-pull-side",
    "lever-pull", "peg-insert-side", "peg-unplug-side", "pick-out-of-hole",
    "pick-place", "pick-place-wall", "plate-slide", "plate-slide-back",
    "plate-slide-back-side", "plate-slide-side", "push", "push-back", "push-wall",
    "reach", "reach-wall", "shelf-place", "soccer", "stick-pull", "stick-push",
    "sweep", "sweep-into", "window-close", "window-open",
)  # fmt: skip


class Name(NamedTuple):
    """What a family's name says."""

    benchmark: str  # "ML1", "ML10" or "ML45"
    task: str  # of ML1, `reach-v3`; else empty
    contextual: bool


def families() -> tuple[str, ...]:
    """All families: ML1 of every task, ML10 and ML45, plain and contextual."""
    plain = [f"{PREFIX}ml1_{task}" for task in TASKS]
    plain += [f"{PREFIX}ml10", f"{PREFIX}ml45"]
    return (*plain, *[f"{name}{CONTEXTUAL}" for name in plain])


def is_metaworld(name: str) -> bool:
    """Whether a name is, or is meant to be, a family of Meta-World."""
    return name.lower().startswith(PREFIX)


def check(name: str) -> None:
    """Refuses a name that is no family of Meta-World.

    Raises:
        UserError: With the names that come closest.
    """
    known = families()
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    guess = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise UserError(
        "task",
        name,
        "is no family of Meta-World",
        f"{guess}use metaworld_ml1_TASK (reach, push, door-open, ...), metaworld_ml10 "
        "or metaworld_ml45, each with or without _contextual",
    )


def parse(name: str) -> Name:
    """What a family's name says; see `check`."""
    check(name)
    contextual = name.endswith(CONTEXTUAL)
    rest = name.removeprefix(PREFIX).removesuffix(CONTEXTUAL)
    benchmark, _, task = rest.partition("_")
    return Name(benchmark.upper(), f"{task}{VERSION}" if task else "", contextual)
