"""Every shipped agent still gives the numbers it gave when it was published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import golden
from safetensors.numpy import load_file

import zoo
from zoo.registry import Registry

TOLERANCE = 1e-5
REGISTRY = Registry(golden.EMBEDDED)
SHIPPED = golden.shipped()
WITH_MEMORY = [id for id in SHIPPED if REGISTRY.show(id).kind == "ep_lstm"]


def load(id: str) -> Any:
    return zoo.load(id, registry=REGISTRY)


def test_the_promised_agents_are_shipped() -> None:
    promised = {
        f"{family}/{agent}@1"
        for family in ("two_step", "episodic_two_step")
        for agent in ("lstm", "ep_lstm")
    }
    assert promised <= set(SHIPPED)


@pytest.mark.parametrize("id", SHIPPED)
def test_an_agent_has_its_golden_file(id: str) -> None:
    assert golden.path_of(id).exists(), "call make golden, and commit what it writes"


def test_a_golden_file_has_its_agent() -> None:
    files = set(golden.DIRECTORY.glob("**/*.safetensors"))
    assert files <= {golden.path_of(id) for id in SHIPPED}, "a version was removed"


@pytest.mark.parametrize("id", SHIPPED)
def test_the_answers_are_those_of_the_golden_file(id: str) -> None:
    observations, expected = golden.read(id)
    given = golden.answers(load(id), observations)
    assert given.keys() == expected.keys()
    assert given["value"].shape == (golden.BATCH, golden.STEPS)
    for name, array in expected.items():
        assert np.isfinite(array).all()
        assert given[name].dtype == array.dtype
        np.testing.assert_allclose(
            given[name], array, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name
        )


@pytest.mark.parametrize("id", SHIPPED)
def test_the_sequence_exercises_the_memory(id: str) -> None:
    observations, _ = golden.read(id)
    shown = np.abs(observations["context"]).max(axis=-1) > 0  # [B, T]
    store = observations["store"]
    assert (shown & store).any(axis=1).all()
    assert (shown & ~store).any(axis=1).all()


@pytest.mark.parametrize("id", SHIPPED)
def test_every_weight_is_consumed(id: str) -> None:
    agent = load(id)
    stored = load_file(REGISTRY.directory(id) / "weights.safetensors")
    named = agent.named_weights()
    assert named.keys() == stored.keys()
    for name, variable in named.items():
        np.testing.assert_array_equal(variable.numpy(), stored[name], err_msg=name)
    in_networks = {v.ref() for network in agent.networks for v in network.variables}
    assert in_networks == {variable.ref() for variable in named.values()}


@pytest.mark.parametrize("id", WITH_MEMORY)
def test_the_lesion_changes_what_follows_the_first_read(id: str) -> None:
    agent = load(id)
    observations, expected = golden.read(id)
    lesioned = golden.answers(agent.lesioned("memory"), observations)
    first_read = golden.STEPS // 2  # all the steps before it store
    key = "logits" if "logits" in expected else "mean"
    difference = np.abs(lesioned[key] - expected[key]).max(axis=-1)  # [B, T]
    assert difference[:, :first_read].max() <= TOLERANCE
    assert (difference[:, first_read:].max(axis=1) > 100 * TOLERANCE).all()


def test_nothing_is_overwritten(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(golden, "DIRECTORY", tmp_path)
    path = golden.write(SHIPPED[0], REGISTRY)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        golden.write(SHIPPED[0], REGISTRY)
    assert path.read_bytes() == before
