"""The registry of analyses: every line leads somewhere, and refusals say what to do."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from kerasmeta import tasks
from kerasmeta.analysis import analyses, analysis
from kerasmeta.analysis.registry import Analysis, choose, register
from kerasmeta.errors import UserError

EVERYTHING = {
    *("players", "recordings", "hidden_variables", "training", "memory_lesion"),
}


@pytest.mark.parametrize("one", analyses(), ids=lambda one: one.name)
def test_every_line_leads_to_a_documented_function(one: Analysis) -> None:
    module, _, name = one.function.partition(":")
    function: Any = getattr(importlib.import_module(module), name)
    assert inspect.getdoc(function)
    assert list(inspect.signature(function).parameters) == ["study"]
    assert one.summary[0].islower() or one.summary.startswith(("P(", "RPE"))
    assert not one.summary.endswith(".")
    assert set(one.families) <= set(tasks.names())


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="registered already"):
        register(analyses()[0])


def test_by_default_all_that_fit_and_can_be_done() -> None:
    chosen = [one.name for one in choose((), "two_step", EVERYTHING)]
    assert {"metrics", "stay", "learning_curve", "decoding"} <= set(chosen)
    assert chosen == [one.name for one in analyses() if one.name in chosen]
    assert "recordings" not in chosen  # on request
    without = [one.name for one in choose((), "two_step", {"players"})]
    assert "learning_curve" not in without
    assert "stay" in without
    assert "stay" not in [one.name for one in choose((), "bandit", EVERYTHING)]


def test_named_analyses_are_done_once_in_the_order_named() -> None:
    chosen = choose(("stay", "metrics", "stay"), "two_step", EVERYTHING)
    assert [one.name for one in chosen] == ["stay", "metrics"]


@pytest.mark.parametrize(
    ("name", "family", "offered", "words"),
    [
        ("stays", "two_step", EVERYTHING, "did you mean 'stay'"),
        ("stay", "bandit", EVERYTHING, "is of two_step and episodic_two_step"),
        ("learning_curve", "two_step", {"players"}, "give run directories"),
    ],
)
def test_refusals(name: str, family: str, offered: set[str], words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        choose((name,), family, offered)
    assert error.value.argument == "--analysis"
    assert error.value.value == name


def test_an_analysis_is_found_by_name() -> None:
    assert analysis("stay").families[0] == "two_step"
