"""The metrics of every task family, by family name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kerasmeta.analysis.estimates import Estimate, mean_over_lifetimes
from kerasmeta.analysis.families.bandit import bandit_metrics
from kerasmeta.analysis.families.barcode_bandit import barcode_bandit_metrics
from kerasmeta.analysis.families.harlow import episodic_harlow_metrics, harlow_metrics
from kerasmeta.analysis.families.matching import matching_metrics
from kerasmeta.analysis.families.metaworld import metaworld_metrics
from kerasmeta.analysis.families.reversal import reversal_metrics
from kerasmeta.analysis.families.risky_safe import risky_safe_metrics
from kerasmeta.analysis.families.two_step import (
    episodic_two_step_metrics,
    two_step_drift_metrics,
    two_step_metrics,
)
from kerasmeta.analysis.families.volatile_bandit import volatile_bandit_metrics
from kerasmeta.analysis.families.water_maze import water_maze_metrics
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

MetricsFunction = Callable[[Lifetimes], dict[str, Estimate]]

_FAMILIES: dict[str, MetricsFunction] = {
    "two_step": two_step_metrics,
    "two_step_drift": two_step_drift_metrics,
    "episodic_two_step": episodic_two_step_metrics,
    "bandit": bandit_metrics,
    "barcode_bandit": barcode_bandit_metrics,
    "matching": matching_metrics,
    "volatile_bandit": volatile_bandit_metrics,
    "reversal": reversal_metrics,
    "risky_safe": risky_safe_metrics,
    "harlow": harlow_metrics,
    "episodic_harlow": episodic_harlow_metrics,
    "visual_harlow": harlow_metrics,
    "episodic_visual_harlow": episodic_harlow_metrics,
    "water_maze": water_maze_metrics,
}


def metrics(task_name: str, lifetimes: Lifetimes) -> dict[str, Estimate]:
    """A family's behaviour metrics, each with its 95% interval over lifetimes.

    Families without metrics of their own (any Gymnasium id) get `return`, the sum of
    a lifetime's rewards, and `length`, the number of its steps. How intervals are
    made, and what few or no data give, is told in `kerasmeta.analysis.estimates`.

    Args:
        task_name: The task family the lifetimes were recorded on.
        lifetimes: `B >= 1` recorded lifetimes.

    Raises:
        UserError: There is no lifetime, or the lifetimes are of another task.
    """
    if not lifetimes.valid.any():
        raise UserError(
            "lifetimes",
            lifetimes.valid.shape,
            "no step was recorded",
            "record at least one lifetime",
        )
    if task_name.startswith("metaworld_"):
        return metaworld_metrics(lifetimes)
    return _FAMILIES.get(task_name, return_and_length)(lifetimes)


def register(task_name: str, function: MetricsFunction) -> None:
    """Gives a task family metrics of its own."""
    if task_name in _FAMILIES:
        raise UserError(
            "task_name",
            task_name,
            "this family has metrics already",
            "choose another name",
        )
    _FAMILIES[task_name] = function


def return_and_length(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`return` and `length` of a lifetime, whatever the task."""
    paid = np.where(lifetimes.valid, lifetimes.reward, 0.0)
    return {
        "return": mean_over_lifetimes(paid.sum(axis=1)),
        "length": mean_over_lifetimes(lifetimes.valid.sum(axis=1)),
    }
