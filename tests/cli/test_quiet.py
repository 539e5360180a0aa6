"""Garbage collection around TensorFlow's import."""

from __future__ import annotations

import contextlib
import gc
import sys

import pytest

from kerasmeta.cli.quiet import uncollected


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An entry for each time that all objects of now are left alone."""
    calls: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: calls.append("freeze"))
    return calls


def test_what_is_imported_is_left_alone(
    frozen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the import fails, too: collection goes on."""
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with contextlib.suppress(ImportError), uncollected():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
    assert frozen == ["freeze"]


def test_a_process_that_has_it_goes_on_as_before(
    frozen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    with uncollected():
        assert gc.isenabled()
    assert not frozen


def test_who_switched_it_off_keeps_it_off(
    frozen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert not frozen
