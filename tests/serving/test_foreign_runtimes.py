"""Zoo agents in runtimes without Python's TensorFlow: the C API, C++, OpenVINO.

The same 200 steps as the live policy's, at batch 1, 7 and 64, in a process of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import lives
from serving.conftest import EACH, FAST, FEW, VERSIONS, load
from serving.lives import BATCHES, Lives
from serving.processes import ROOT, ZOO
from tensorflow.core.protobuf import saved_model_pb2

import export
from benchmarks.export_model import describe, library
from export.naming import flatten_state

HERE = Path(__file__).parent
C_API, OPENVINO = HERE / "run_c_api.py", HERE / "run_openvino.py"


def directory(id: str) -> Path:
    return ZOO / id / str(VERSIONS[id])


def attempt(*command: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program without a word of TensorFlow's on its standard error."""
    environment = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def run(*command: Any) -> None:
    """Runs a program that must succeed."""
    done = attempt(*command)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("id", EACH)
def test_the_c_api(id: str, recorded: Callable[..., Lives], tmp_path: Path) -> None:
    model = directory(id)
    (tmp_path / "signatures.json").write_text(json.dumps(describe(model)))
    signatures, files = tmp_path / "signatures.json", []
    batches = BATCHES if id != FAST else (7,)
    for batch in batches:
        expected = recorded(id, batch)
        files += [tmp_path / f"in{batch}.npz", tmp_path / f"out{batch}.npz"]
        np.savez(files[-2], seed=expected.seeds, **expected.shown)
    run(sys.executable, C_API, library(), model, signatures, *files)
    for batch in batches:
        expected = recorded(id, batch)
        given = dict(np.load(tmp_path / f"out{batch}.npz"))
        lives.assert_equal(given, expected.given, expected.within)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C++ program, compiled against the wheel's headers and libraries."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++ (Debian's package g++)")
    spec = importlib.util.find_spec("tensorflow")
    assert spec is not None
    assert spec.origin is not None
    wheel, built = Path(spec.origin).parent, tmp_path_factory.mktemp("c++") / "run"
    libraries = ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    run(
        *(compiler, "-std=c++17", "-O0", "-D_GLIBCXX_USE_CXX11_ABI=1", "-w"),
        *(f"-I{wheel / 'include'}", HERE / "run_saved_model.cc", "-o", built),
        *(f"-L{wheel}", f"-Wl,-rpath,{wheel}", "-Wl,--no-as-needed", *libraries),
    )
    return built


@pytest.mark.slow
@pytest.mark.parametrize("id", FEW)
def test_cpp(
    id: str, program: Path, recorded: Callable[..., Lives], tmp_path: Path
) -> None:
    for batch in BATCHES:
        expected = recorded(id, batch)
        for name, array in {"seed": expected.seeds, **expected.shown}.items():
            np.ascontiguousarray(array).tofile(tmp_path / f"in.{name}")
        steps = len(next(iter(expected.shown.values())))
        run(program, directory(id), tmp_path, steps, batch)
        given = {
            name: np.fromfile(tmp_path / f"out.{name}", array.dtype).reshape(
                array.shape
            )
            for name, array in expected.given.items()
        }
        lives.assert_equal(given, expected.given, expected.within)


def only(model: Path, signature: str) -> None:
    """Takes all signatures but one from a SavedModel: OpenVINO converts all it finds.

    Neither the graph nor the weights change.
    """
    path = model / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    definitions = saved.meta_graphs[0].signature_def
    kept = definitions[signature].SerializeToString()
    definitions.clear()
    definitions["serving_default"].ParseFromString(kept)
    path.write_bytes(saved.SerializeToString())


def own_functions(expected: Lives, greedy: dict[str, Any]) -> dict[str, float]:
    """How far OpenVINO's numbers may be, which has functions of its own, by output.

    Convolutions: 2e-5 in 5 of 38,400 logits after 200 steps. Sigmoids and hyperbolic
    tangents: 1.1e-5 in 1 of 25,600 logits of bandit/lstm, so that logits have the last
    places of their largest; and 5.4e-5 in 28 of 12,800 values of two_step/lstm@3, whose
    critic differs by as much where stimuli differ by one unit in the last place.
    """
    if expected.shown["stimulus"].dtype == np.uint8:
        return dict.fromkeys(greedy, 1e-4)
    largest = float(np.abs(greedy["logits"]).max()) if "logits" in greedy else 0.0
    return {
        "logits": lives.TOLERANCE + lives.ROUNDING * largest,
        "value": max(1e-4, expected.within["value"]),
    }


NO_RULE = "No conversion rule found for operations: Bitcast\n"


@pytest.mark.slow
@pytest.mark.parametrize("id", FEW)
def test_openvino(id: str, recorded: Callable[..., Lives], tmp_path: Path) -> None:
    """The deterministic signature, in a runtime that shares no code with TensorFlow.

    OpenVINO 2026.4 has no operation like Bitcast, which images are compared by; all
    other agents convert.
    """
    pytest.importorskip("openvino", reason="the package openvino is not installed")
    agent = load(id)
    model = export.export_agent(agent, tmp_path / "model")
    only(model, "deterministic")
    files = []
    for batch in BATCHES:
        expected = recorded(id, batch)
        state = flatten_state(agent.state_from_seeds(expected.seeds))
        arrays = {key: np.asarray(value) for key, value in state.items()}
        files += [tmp_path / f"in{batch}.npz", tmp_path / f"out{batch}.npz"]
        np.savez(files[-2], **arrays, **expected.shown)
    done = attempt(sys.executable, OPENVINO, model, *files)
    if NO_RULE in done.stderr and expected.shown["stimulus"].dtype == np.uint8:
        pytest.skip(f"OpenVINO cannot convert {id}: it has no rule for Bitcast")
    assert done.returncode == 0, done.stderr[-3000:]
    for batch in BATCHES:
        expected = recorded(id, batch)
        greedy = {k: v for k, v in expected.given.items() if k != "action"}
        given = dict(np.load(tmp_path / f"out{batch}.npz"))
        lives.assert_equal(given, greedy, own_functions(expected, greedy))
