"""Checks of a task's parameters, for `__post_init__`."""

from __future__ import annotations

import math
import numbers
from typing import Any

from kerasmeta.errors import UserError


def check_probability(name: str, value: Any, minimum: float = 0) -> None:
    """Refuses anything but a number from `minimum` to 1."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:
        raise UserError(name, value, "is not a probability", "use a number in [0, 1]")
    if value < minimum:
        raise UserError(
            name, value, "is too small", f"use a number in [{minimum:g}, 1]"
        )


def check_reward_chances(high_reward: Any, low_reward: Any) -> None:
    """Refuses chances that are none, or a good choice that pays less than a bad one."""
    check_probability("high_reward", high_reward)
    check_probability("low_reward", low_reward)
    if low_reward > high_reward:
        raise UserError(
            "low_reward",
            low_reward,
            f"is larger than high_reward {high_reward}",
            "exchange the two",
        )


def check_count(name: str, value: Any, minimum: int = 1) -> None:
    """Refuses anything but a whole number of at least `minimum`."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or value < minimum:
        raise UserError(
            name, value, "is not a usable count", f"use a whole number >= {minimum}"
        )


def check_amount(name: str, value: Any) -> None:
    """Refuses anything but a finite number of at least 0."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise UserError(name, value, "is not a usable amount", "use a number >= 0")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuses anything but one of a few words."""
    if value not in choices:
        raise UserError(name, value, "is not known", f"use {' or '.join(choices)}")
