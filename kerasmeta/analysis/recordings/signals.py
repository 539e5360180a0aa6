"""What is recorded of an agent: every signal's name, meaning, unit and axis."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


class Signal(NamedTuple):
    """One recorded quantity, `[B, T]` or, with an axis, `[B, T, size of the axis]`."""

    long_name: str
    unit: str  # "1" for pure numbers
    axis: str | None = None  # "unit": of the actor's LSTM; "critic_unit": the critic's


SIGNALS: Mapping[str, Signal] = MappingProxyType(
    {
        "hidden": Signal("hidden state h of the actor's LSTM", "1", "unit"),
        "cell": Signal("cell state c of the actor's LSTM", "1", "unit"),
        "input_gate": Signal("activation of the input gate i", "1", "unit"),
        "forget_gate": Signal("activation of the forget gate f", "1", "unit"),
        "output_gate": Signal("activation of the output gate o", "1", "unit"),
        "candidate": Signal("candidate cell state g", "1", "unit"),
        "reinstatement_gate": Signal("activation of the gate r", "1", "unit"),
        "retrieved_cell": Signal("cell state m found in memory, 0: none", "1", "unit"),
        "slot": Signal("memory slot that was read, -1: none", "1"),
        "similarity": Signal("cosine of its key to the context, 0: none", "1"),
        "action_parameters": Signal(
            "logits, or means and log standard deviations, of actions", "1", "parameter"
        ),
        "critic_hidden": Signal(
            "hidden state of the critic's LSTM", "1", "critic_unit"
        ),
        "critic_cell": Signal("cell state of the critic's LSTM", "1", "critic_unit"),
        "value": Signal("critic's estimate V_t of the discounted return", "reward"),
        "reward_prediction_error": Signal("r_t + gamma V_{t+1} - V_t", "reward"),
    }
)


def reward_prediction_errors(
    value: np.ndarray, reward: np.ndarray, valid: np.ndarray, gamma: float
) -> np.ndarray:
    """Temporal-difference errors r_t + γ V(t+1) - V(t), `[B, T]`.

    V(t) is the value when the action of step t is chosen and r_t what it is paid, so
    that the error of step t is known when its outcome is. After a lifetime's last step
    there is nothing to come: V = 0. Steps that are not valid have error 0.

    Args:
        value: V, `[B, T]`.
        reward: r, `[B, T]`.
        valid: `[B, T]` bool, true up to each lifetime's last action.
        gamma: γ, the discount per step.
    """
    lived = np.where(valid, value, 0.0)
    following = np.zeros_like(lived)
    following[:, :-1] = lived[:, 1:]
    return np.where(valid, reward + gamma * following - lived, 0.0)
