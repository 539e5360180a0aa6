"""What training runs must be like to be published together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasmeta.errors import UserError

if TYPE_CHECKING:
    from kerasmeta.training.config import RunConfig


def check_family(id: str, task: str) -> None:
    """Refuses an id in a family of which the runs' task is not one.

    An id may have a name of its own (`my_task/lstm`), not another family's.
    """
    from kerasmeta.tasks import registry

    family = id.partition("/")[0]
    known = family in registry.names() or registry.is_metaworld(family)
    if known and family != task:
        raise UserError(
            "ID",
            id,
            f"is in the family {family}, and the runs are of {task}",
            f"publish them as {task}/NAME",
        )


def check_alike(configs: Sequence[RunConfig], paths: Sequence[str | Path]) -> None:
    """Refuses runs that differ in more than their seed, or not even in that."""
    if not configs:
        raise UserError("RUN", "", "is missing", "give one run directory for each seed")
    first = configs[0]
    taken: dict[int, str | Path] = {}
    for config, path in zip(configs, paths, strict=True):
        if config.model_copy(update={"seed": first.seed}) != first:
            raise UserError(
                "run",
                str(path),
                f"differs from {paths[0]} in more than its seed",
                "publish runs of one recipe together",
            )
        if (seed := config.seed) in taken:
            problem = f"is of seed {seed}, as {taken[seed]} is"
            raise UserError("run", str(path), problem, "give one run for each seed")
        taken[seed] = path


def check_defined(metrics: dict[str, Any], run: str, what: str, lifetimes: int) -> None:
    """Refuses metrics that are not numbers: what they are over never happened."""
    undefined = [
        name
        for name, found in metrics.items()
        if not all(_is_number(x) for x in (found["mean"], *found["ci95"]))
    ]
    if undefined:
        others = f" and {len(undefined) - 1} more" if len(undefined) > 1 else ""
        raise UserError(
            "run",
            run,
            f"cannot be published: {undefined[0]}{others} is undefined, {what} never "
            f"met what it is measured over in {lifetimes:,} lifetimes",
            "evaluate it over more (--lifetimes), or train it for longer",
        )


def _is_number(x: float | None) -> bool:
    """Estimates have None for NaN, as JSON wants it."""
    return x is not None and math.isfinite(x)
