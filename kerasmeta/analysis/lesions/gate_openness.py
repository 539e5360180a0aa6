"""How open each unit's reinstatement gate is, and the units where it is open.

AlKhamissi, ElNokrashy & Spranger (2021), "The emergence of abstract and episodic
neurons in episodic meta-RL", arXiv:2104.02959: units whose mean gate r* is near 1 take
over what memory retrieves ("episodic"), units where it is near 0 do not ("abstract").
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.study import Recordings
from kerasmeta.errors import UserError


def gate_openness(recordings: Recordings) -> np.ndarray:
    """r*, each unit's mean reinstatement gate over the steps that read memory, `[H]`.

    A step without anything retrieved tells nothing: its gate multiplies zeros.

    Raises:
        UserError: The agent has no memory, or no step retrieved anything.
    """
    if "slot" not in recordings.signals:
        raise UserError(
            "recordings",
            sorted(recordings.signals),
            "an agent without memory has no reinstatement gate",
            "record an ep_lstm agent",
        )
    cued = recordings.lifetimes.valid & (recordings.signals["slot"] >= 0)  # [B, T]
    if not cued.any():
        raise UserError(
            "recordings",
            cued.shape,
            "nothing was ever retrieved from memory",
            "record more lifetimes, of a task that shows contexts again",
        )
    gate = recordings.signals["reinstatement_gate"]  # [B, T, H]
    return gate[cued].mean(axis=0, dtype=np.float64)


def open_units(openness: np.ndarray, threshold: float) -> tuple[int, ...]:
    """The units with r* >= `threshold`. openness: `[H]`."""
    return tuple(int(unit) for unit in np.flatnonzero(openness >= threshold))


def most_open_first(openness: np.ndarray) -> np.ndarray:
    """All units, int `[H]`, by falling r*; equals in the order of their numbers."""
    return np.argsort(-openness, kind="stable")
