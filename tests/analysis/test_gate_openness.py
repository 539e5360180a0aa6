"""Mean gates over the steps that read memory, and the units they select."""

from __future__ import annotations

import numpy as np
import pytest

from kerasmeta import UserError
from kerasmeta.analysis.lesions.gate_openness import (
    gate_openness,
    most_open_first,
    open_units,
)
from kerasmeta.analysis.study import Recordings
from kerasmeta.lifetimes import Lifetimes


def recorded(gate: np.ndarray, slot: np.ndarray, valid: np.ndarray) -> Recordings:
    nothing = np.zeros(slot.shape)
    lifetimes = Lifetimes({}, nothing, nothing, valid)
    return Recordings(lifetimes, {"reinstatement_gate": gate, "slot": slot}, {}, 0.9)


def test_only_steps_that_retrieved_something_count():
    slot = np.array([[-1, 0, 2], [1, 2, -1]])
    valid = np.array([[True, True, True], [True, False, False]])
    gate = np.full([2, 3, 2], 9.0, np.float32)  # where nothing was read
    gate[0, 1], gate[0, 2], gate[1, 0] = [0.2, 1.0], [0.4, 0.9], [0.9, 0.8]
    found = gate_openness(recorded(gate, slot, valid))
    np.testing.assert_allclose(found, [0.5, 0.9], rtol=1e-6)


def test_the_threshold_itself_is_open():
    openness = np.array([0.9, 0.25, 0.89, 1.0])
    assert open_units(openness, 0.9) == (0, 3)
    assert open_units(openness, 0.0) == (0, 1, 2, 3)
    assert open_units(np.array([0.3]), 0.9) == ()


def test_most_open_first_and_equals_by_number():
    assert most_open_first(np.array([0.1, 0.5, 0.9, 0.5])).tolist() == [2, 1, 3, 0]


def test_recordings_without_a_read_are_refused():
    valid = np.ones([2, 3], bool)
    nothing = recorded(np.zeros([2, 3, 4]), np.full([2, 3], -1), valid)
    with pytest.raises(UserError, match="nothing was ever retrieved"):
        gate_openness(nothing)
    with pytest.raises(UserError, match="has no reinstatement gate"):
        gate_openness(nothing._replace(signals={"hidden": np.zeros([2, 3, 4])}))
