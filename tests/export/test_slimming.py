"""The smaller file computes the same, and leaves out only what nobody needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorflow.core.protobuf import saved_model_pb2

import export
from export import saved_model
from export.slimming import slim
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent

NAMES = ("ep_lstm_continuous", "ep_lstm_image")


@pytest.fixture(scope="module", params=NAMES)
def both(
    request: pytest.FixtureRequest,
    agents: dict[str, EpisodicAgent],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path]:
    """An export as TensorFlow writes it, and the same made smaller."""
    root = tmp_path_factory.mktemp("slim")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_model, "slim", lambda directory: None)
        whole = export.export_agent(agents[request.param], root / "whole")
    slimmed = export.export_agent(agents[request.param], root / "slim")
    return whole, slimmed


def functions(directory: Path) -> dict[str, Any]:
    data = (directory / "saved_model.pb").read_bytes()
    [graph] = saved_model_pb2.SavedModel.FromString(data).meta_graphs
    return {f.signature.name: f for f in graph.graph_def.library.function}


def test_it_computes_the_same(both: tuple[Path, Path]) -> None:
    whole, slimmed = (tf.saved_model.load(str(path)) for path in both)
    rng = np.random.default_rng(0)
    seeds = tf.constant([[1, 0], [1, 1], [2, 5]])
    state = whole.signatures["initial_state"](seed=seeds)
    inputs = whole.signatures["step"].structured_input_signature[1]
    for _ in range(20):
        shown = {
            name: tf.constant(made(rng, spec, rows=3))
            for name, spec in inputs.items()
            if name not in state
        }
        for name in ("deterministic", "step"):
            expected = whole.signatures[name](**shown, **state)
            found = slimmed.signatures[name](**shown, **state)
            assert set(found) == set(expected)
            for key, tensor in expected.items():
                np.testing.assert_array_equal(found[key], tensor, err_msg=key)
        state = {name: found[name] for name in state}


def made(rng: np.random.Generator, spec: Any, rows: int) -> np.ndarray:
    shape = (rows, *spec.shape[1:])
    if spec.dtype == tf.bool:
        return rng.random(shape) < 0.5
    if spec.dtype.is_integer:
        return rng.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)
    return rng.choice([-1.0, 1.0], shape).astype(np.float32)


def test_it_is_much_smaller(both: tuple[Path, Path]) -> None:
    whole, slimmed = ((p / "saved_model.pb").stat().st_size for p in both)
    assert slimmed < 0.65 * whole


def test_nothing_is_left_to_remove(both: tuple[Path, Path]) -> None:
    path = both[1]
    before = (path / "saved_model.pb").read_bytes()
    for function in functions(path).values():
        used = {
            name.lstrip("^").split(":")[0]
            for n in function.node_def
            for name in n.input
        }
        used |= {v.split(":")[0] for v in function.ret.values()}
        used |= set(function.control_ret.values())
        assert {node.name for node in function.node_def} <= used
    assert len(before) == (path / "saved_model.pb").stat().st_size


def test_effects_are_kept(both: tuple[Path, Path]) -> None:
    """What restores a variable gives nothing back; it must run all the same."""
    whole, slimmed = (functions(path) for path in both)
    for kind in ("traced_restore", "traced_save"):
        [before] = [f for name, f in whole.items() if kind in name]
        [after] = [f for name, f in slimmed.items() if kind in name]
        effects = ("AssignVariableOp", "RestoreV2", "SaveV2", "MergeV2Checkpoints")
        for op in effects:
            count = [sum(n.op == op for n in f.node_def) for f in (before, after)]
            assert count[0] == count[1], op


def test_equal_constants_are_one_and_others_are_not(both: tuple[Path, Path]) -> None:
    before, after = (
        [node for node in function.node_def if node.op == "Const"]
        for path in both
        for name, function in functions(path).items()
        if "inference_deterministic" in name
    )
    assert 1 < len(after) < len(before)
    values = [node.attr["value"].SerializeToString() for node in after]
    assert len(set(values)) == len(values)
    assert set(values) <= {node.attr["value"].SerializeToString() for node in before}


def test_serving_default_is_step(both: tuple[Path, Path]) -> None:
    data = (both[1] / "saved_model.pb").read_bytes()
    [graph] = saved_model_pb2.SavedModel.FromString(data).meta_graphs
    assert graph.signature_def["serving_default"] == graph.signature_def["step"]
    assert not (both[1] / "fingerprint.pb").exists()


def test_what_is_no_saved_model_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(Exception, match="parsing"):
        slim(tmp_path)
    assert (tmp_path / "saved_model.pb").read_bytes() == b"no model"
