"""The registry of metrics, and what families without metrics of their own get."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from kerasmeta.analysis import Estimate, metrics, register
from kerasmeta.analysis import metrics as metrics_function
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes


def continuous_lifetimes(lengths: list[int]) -> Lifetimes:
    steps = np.arange(max(lengths))
    valid = steps < np.array(lengths)[:, np.newaxis]
    reward = np.where(valid, 0.5, 100.0).astype(np.float32)
    action = np.zeros((*valid.shape, 3), np.float32)
    return Lifetimes({"stimulus": np.zeros((*valid.shape, 7))}, action, reward, valid)


def test_any_other_task_gets_return_and_length() -> None:
    found = metrics("Pendulum-v1", continuous_lifetimes([10, 20, 30]))
    assert set(found) == {"return", "length"}
    assert found["length"].mean == 20.0
    assert found["return"].mean == 10.0
    # t interval of three values: 4.3027 standard errors of 10 / sqrt(3)
    np.testing.assert_allclose(found["length"].ci95, (-4.8414, 44.8414), rtol=1e-4)


def test_nothing_recorded_is_refused() -> None:
    lifetimes = continuous_lifetimes([3, 2])
    empty = lifetimes._replace(valid=np.zeros_like(lifetimes.valid))
    with pytest.raises(UserError, match="no step was recorded; record at least one"):
        metrics("two_step", empty)


def test_register_and_refuse_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    families = sys.modules["kerasmeta.analysis.metrics"]
    monkeypatch.setattr(families, "_FAMILIES", dict(families._FAMILIES))
    register("my_task", lambda lifetimes: {"one": Estimate(1.0, (1.0, 1.0))})
    assert metrics_function("my_task", continuous_lifetimes([3])) == {
        "one": Estimate(1.0, (1.0, 1.0))
    }
    with pytest.raises(UserError, match=r"two_step.*already"):
        register("two_step", lambda lifetimes: {})


def test_neither_tensorflow_nor_pyplot_is_imported() -> None:
    program = (
        "import sys, kerasmeta.analysis; "
        "sys.exit(bool({'tensorflow', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
