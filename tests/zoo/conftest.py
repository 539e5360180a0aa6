"""Submissions, and a writer of files that stands in for an agent where one will do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from export import Contract, Signature, TensorContract
from zoo.manifest import Submission


def _estimate(mean: float) -> dict[str, Any]:
    return {"mean": mean, "ci95": [mean - 0.01, mean + 0.01]}


METRICS = {"reward_per_trial": _estimate(0.71), "stay": _estimate(0.9)}
OTHER = {"reward_per_trial": _estimate(0.65), "stay": _estimate(0.7)}

SUBMISSION: dict[str, Any] = {
    "task": {"name": "two_step", "parameters": {"trials": 50, "probs": (0.8, 0.2)}},
    "description": "A tiny agent.",
    "papers": ["Wang et al. (2018). Prefrontal cortex. Nature Neuroscience."],
    "headline": ["reward_per_trial"],
    "licence": "Apache-2.0",
    "evaluation": {
        "lifetimes": 100,
        "seed": 9,
        "metrics": METRICS,
        "lesions": {"memory": OTHER},
        "references": {
            "optimal": {"reward_per_trial": 0.75},
            "random": {"reward_per_trial": 0.5, "stay": 0.5},
            "sources": {"wang_2018": {"source": "Wang, figure 3", "stay": 0.99}},
        },
        "seeds": [{"seed": 3, "metrics": METRICS}, {"seed": 4, "metrics": OTHER}],
        "chosen_seed": 3,
    },
    "provenance": {
        "commit": "0123abc",
        "config_hash": "f" * 64,
        "config": {"trpo": {"delta": 0.01}},
        "command": "kerasmeta train two_step",
        "seeds": [3, 4],
        "steps": 1000,
        "wall_seconds": 12.5,
        "hardware": "2 cores",
        "libraries": {"tensorflow": "2.20.0", "python": "3.11"},
    },
}


def write_files(directory: Path) -> Contract:
    """Files named like an agent's, and the contract of some agent."""
    (directory / "variables").mkdir()
    for name in ("saved_model.pb", "weights.safetensors", "variables/variables.index"):
        (directory / name).write_bytes(name.encode() * 3)
    (directory / "config.json").write_bytes(b"{}\n")
    tensor = TensorContract(dtype="int32", shape=(None,))
    step = Signature(inputs={"state_step": tensor}, outputs={"state_step": tensor})
    return Contract.of({"step": step}, {"state_step": tensor})


@pytest.fixture(scope="session")
def whole() -> dict[str, Any]:
    """The arguments of `zoo.publish` besides agent, id and registry; not to change."""
    return SUBMISSION


@pytest.fixture
def data() -> dict[str, Any]:
    """The same, to change."""
    return json.loads(json.dumps(SUBMISSION))  # nothing in it shared


@pytest.fixture
def submission() -> Submission:
    return Submission.model_validate({"kind": "ep_lstm", **SUBMISSION})


@pytest.fixture
def write() -> Callable[[Path], Contract]:
    return write_files


@pytest.fixture
def registry(tmp_path: Path, submission: Submission) -> zoo.Registry:
    """A registry with `two_step/ep_lstm` version 1."""
    registry = zoo.Registry(tmp_path / "registry")
    registry.publish("two_step/ep_lstm", submission, write_files)
    return registry
