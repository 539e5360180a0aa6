"""What may be published: complete, finite, and every seed of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import zoo
from kerasmeta.analysis import Estimate
from kerasmeta.errors import UserError
from zoo.documents import from_bytes, to_bytes, validated
from zoo.manifest import Manifest, Submission


def _submit(data: dict[str, Any]) -> Submission:
    return validated(Submission, {"kind": "lstm", **data}, "publish")


def _at(data: dict[str, Any], path: str) -> tuple[Any, Any]:
    """The container and the key a dotted path leads to."""
    *parents, last = [int(p) if p.isdecimal() else p for p in path.split(".")]
    for parent in parents:
        data = data[parent]
    return data, last


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None, "high"])
@pytest.mark.parametrize(
    "path",
    [
        "evaluation.metrics.stay.mean",
        "evaluation.metrics.stay.ci95.1",
        "evaluation.lesions.memory.stay.mean",
        "evaluation.references.random.stay",
        "evaluation.seeds.1.metrics.stay.ci95.0",
        "provenance.wall_seconds",
    ],
)
def test_refuses_what_is_no_number(data: dict[str, Any], path: str, bad: Any) -> None:
    container, key = _at(data, path)
    container[key] = bad
    with pytest.raises(UserError) as caught:
        _submit(data)
    assert path.rsplit(".", 1)[0] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "task",
        "task.name",
        "description",
        "papers",
        "headline",
        "licence",
        "evaluation",
        "evaluation.metrics",
        "evaluation.seeds",
        "evaluation.chosen_seed",
        "evaluation.lifetimes",
        "provenance",
        "provenance.commit",
        "provenance.config_hash",
        "provenance.seeds",
        "provenance.steps",
        "provenance.wall_seconds",
        "provenance.hardware",
        "provenance.libraries",
    ],
)
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_refuses_a_gap_in_the_card(data: dict[str, Any], path: str, how: str) -> None:
    container, key = _at(data, path)
    if how == "missing":
        del container[key]
    else:
        empty: dict[type, Any] = {str: "  ", list: [], dict: {}}
        container[key] = empty.get(type(container[key]), 0)
    with pytest.raises(UserError, match=path.split(".")[-1]):
        _submit(data)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("evaluation.metrics.stay", "stay is missing"),
        ("evaluation.seeds.1.metrics.stay", "stay is missing, of seed 4"),
        ("evaluation.lesions.memory.stay", "stay is missing, of lesion memory"),
        ("evaluation.seeds.1", "every trained seed must be evaluated"),
        ("provenance.seeds.1", "every trained seed must be evaluated"),
    ],
)
def test_refuses_a_missing_result(
    data: dict[str, Any], path: str, problem: str
) -> None:
    container, key = _at(data, path)
    del container[key]
    with pytest.raises(UserError, match=problem):
        _submit(data)


def test_refuses_other_inconsistencies(data: dict[str, Any]) -> None:
    for path, value, problem in (
        ("headline.0", "nonsense", "headline nonsense is no metric"),
        ("evaluation.chosen_seed", 5, "chosen_seed 5 is not among the seeds"),
        ("evaluation.seeds.1.seed", 3, "a seed is listed twice"),
        ("evaluation.metrics.stay.ci95", [0.9, 0.8], "lower end is above"),
        ("evaluation.lifetimes", 0, "greater than 0"),
        ("task.parameters", {"x": math.nan}, "not JSON compliant"),
        ("task.parameters", {"x": object()}, "not JSON serializable"),
    ):
        container, key = _at(data, path)
        before, container[key] = container[key], value
        with pytest.raises(UserError, match=problem):
            _submit(data)
        container[key] = before
    _submit(data)


def test_an_unknown_field_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="surprise"):
        _submit({**data, "surprise": 1})


def test_takes_the_estimates_of_the_analysis(data: dict[str, Any]) -> None:
    estimate = Estimate(np.float64(0.7), (np.float64(0.6), np.float64(0.8)))
    found = zoo.Estimate.model_validate(estimate)
    assert (found.mean, found.ci95) == (0.7, (0.6, 0.8))
    with pytest.raises(ValidationError, match="finite"):
        zoo.Estimate.model_validate(Estimate(0.7, (math.nan, math.nan)))
    data["evaluation"]["metrics"] = {"stay": estimate, "reward_per_trial": estimate}
    assert _submit(data).evaluation.metrics["stay"] == found


def test_sources_may_come_with_the_references(data: dict[str, Any]) -> None:
    evaluation = _submit(data).evaluation
    assert set(evaluation.references) == {"optimal", "random"}
    assert evaluation.sources["wang_2018"].source == "Wang, figure 3"
    assert evaluation.sources["wang_2018"].metrics == {"stay": 0.99}
    assert zoo.Evaluation.model_validate(evaluation.model_dump()) == evaluation


def test_json_is_the_same_every_time(registry: zoo.Registry) -> None:
    path = registry.directory("two_step/ep_lstm") / "manifest.json"
    data = path.read_bytes()
    manifest = from_bytes(Manifest, data, path)
    assert to_bytes(manifest) == data
    shuffled = Manifest.model_validate(dict(reversed(manifest.model_dump().items())))
    assert to_bytes(shuffled) == data
    assert data.endswith(b"}\n")
    assert manifest.task.parameters["probs"] == [0.8, 0.2]
