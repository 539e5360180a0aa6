"""Runs a SavedModel's only signature with OpenVINO, where no TensorFlow is imported.

    python run_openvino.py MODEL IN.npz OUT.npz [IN.npz OUT.npz ...]

Converted and compiled once for all of them, whatever their batches. IN has the first
state and observations `[T, B, ...]` by name; OUT gets what each step gave.
Not a test; `test_foreign_runtimes.py` runs it.
"""

import re
import sys

import numpy as np
import openvino


def main():
    model, *files = sys.argv[1:]
    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(openvino.convert_model(model), "CPU", options)
    for inputs, outputs in zip(files[::2], files[1::2], strict=True):
        live(compiled, inputs, outputs)
    loaded = {"tensorflow", "keras", "tf_keras"} & set(sys.modules)
    assert not loaded, f"{loaded} imported"


def live(compiled, inputs, outputs):
    """The lifetimes of one file."""
    shown = dict(np.load(inputs))
    state = {key: shown.pop(key) for key in list(shown) if key.startswith("state_")}
    rows = []
    for t in range(len(next(iter(shown.values())))):
        given = run(compiled, {**{k: v[t] for k, v in shown.items()}, **state})
        state = {key: given.pop(key) for key in state}
        rows.append(given)
    np.savez(outputs, **{k: np.stack([row[k] for row in rows]) for k in rows[0]})


def run(compiled, arrays):
    """The outputs by the signature's names.

    An output that is called like an input gets a number behind its name.
    """
    fed = {}
    for port in compiled.inputs:
        [name] = [n for n in arrays if n in port.get_names()]
        fed[port] = arrays[name]
    results = compiled(fed)
    wanted = {*arrays, "greedy_action", "logits", "mean", "scale", "value"}
    return {
        name: results[port].copy()
        for port in compiled.outputs
        for name in wanted & {re.sub(r"_\d+$", "", n) for n in port.get_names()}
    }


if __name__ == "__main__":
    main()
