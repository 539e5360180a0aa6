"""Searches for a task's settings, by keras-tuner: `kerasmeta tune`.

Only `search` needs keras-tuner, and imports it when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerasmeta.training.tuning.configuration import SearchConfig
from kerasmeta.training.tuning.results import Trial, best_config, finished_trials
from kerasmeta.training.tuning.space import DIMENSIONS, Dimension, dimensions

if TYPE_CHECKING:
    from kerasmeta.training.tuning.searching import search

__all__ = [
    "DIMENSIONS",
    "Dimension",
    "SearchConfig",
    "Trial",
    "best_config",
    "dimensions",
    "finished_trials",
    "search",
]


def __getattr__(name: str) -> Any:
    if name != "search":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kerasmeta.training.tuning.searching import search

    return search
