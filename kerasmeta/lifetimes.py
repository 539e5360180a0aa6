"""Recorded behaviour as plain NumPy arrays: what players make and analyses read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

HIDDEN = "hidden/"  # begins the name of a hidden variable among the observations


class Lifetimes(NamedTuple):
    """`B` recorded lifetimes of at most `T` steps."""

    observation: dict[str, np.ndarray]  # each [B, T, ...], what the agent saw
    action: np.ndarray  # [B, T] int32 (discrete) or [B, T, A] float32
    reward: np.ndarray  # [B, T] float32, paid for the action of the same step
    valid: np.ndarray  # [B, T] bool, false after a lifetime's last action
    # [B, T] float32, 1 where the task is solved (Meta-World); () where nothing says so
    success: Any = ()
    task: Any = ()  # [B, T] str, which of a benchmark's tasks; () where there is one
    # By name, [B, T, ...]: what agents were not shown and metrics need; or ()
    hidden: Any = ()
