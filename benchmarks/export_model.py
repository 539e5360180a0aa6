"""An agent's SavedModel for `act`, with the names of its graph's tensors as JSON."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any


def write(directory: Path) -> None:
    """Writes `directory`: a SavedModel of an untrained agent and signatures.json."""
    from benchmarks.ours import make_trainer
    from export import write_saved_model

    directory.mkdir(parents=True)
    write_saved_model(make_trainer([]).agent, directory)
    signatures = json.dumps(describe(directory))
    (directory / "signatures.json").write_text(signatures)


def describe(model: Path) -> dict[str, Any]:
    """`{signature: {"inputs": {name: {tensor, dtype, shape}}, "outputs": ...}}`."""
    from tensorflow.core.protobuf import saved_model_pb2

    from kerasmeta._keras import tf

    program = saved_model_pb2.SavedModel.FromString(
        (model / "saved_model.pb").read_bytes()
    )

    def tensors(infos: Any) -> dict[str, Any]:
        return {
            name: {
                "tensor": infos[name].name,
                "dtype": tf.as_dtype(infos[name].dtype).name,
                "shape": [int(d.size) for d in infos[name].tensor_shape.dim],
            }
            for name in sorted(infos)
        }

    signatures = program.meta_graphs[0].signature_def
    return {
        name: {
            "inputs": tensors(signatures[name].inputs),
            "outputs": tensors(signatures[name].outputs),
        }
        for name in ("initial_state", "step")
    }


def library() -> Path:
    """The wheel's C API library, found without importing TensorFlow."""
    spec = importlib.util.find_spec("tensorflow")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "libtensorflow_cc.so.2"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
