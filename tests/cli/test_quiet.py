"""Garbage collection around TensorFlow's import."""

from __future__ import annotations

import contextlib
import gc
import sys

import pytest

from kerasmeta.cli.quiet import uncollected


@pytest.fixture
def counted() -> int:
    """How many objects are left alone so far."""
    return gc.get_freeze_count()


def test_what_is_imported_is_left_alone(
    counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with contextlib.suppress(ImportError), uncollected():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
    assert gc.get_freeze_count() > counted


def test_a_process_that_has_it_goes_on_as_before(
    counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    with uncollected():
        assert gc.isenabled()
    assert gc.get_freeze_count() == counted


def test_who_switched_it_off_keeps_it_off(
    counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert gc.get_freeze_count() == counted
