"""Runs a SavedModel through TensorFlow's C API, without Python's TensorFlow.

    python run_c_api.py LIBRARY MODEL SIGNATURES.json IN.npz OUT.npz [IN.npz ...]

One session lives them all, whatever their batches. IN has `seed` `[B, 2]` and
observations `[T, B, ...]`; OUT gets what each step gave.
Not a test; `test_foreign_runtimes.py` runs it.
"""

import json
import pathlib
import sys

import numpy as np

from benchmarks import c_api

c_api.TYPES["uint8"] = 4


def main():
    library, model, signatures, *files = sys.argv[1:]
    described = json.loads(pathlib.Path(signatures).read_text())
    session = c_api.Session(c_api.bind(library), model)
    begin, step = (
        c_api.Signature(session, described[name]) for name in ("initial_state", "step")
    )
    for inputs, outputs in zip(files[::2], files[1::2], strict=True):
        live(session, begin, step, inputs, outputs)
    loaded = {"tensorflow", "keras", "tf_keras"} & set(sys.modules)
    assert not loaded, f"{loaded} imported"


def live(session, begin, step, inputs, outputs):
    """The lifetimes of one file."""
    shown = dict(np.load(inputs))
    seed = shown.pop("seed")
    state = run(session, begin, {"seed": seed}, len(seed))
    rows = []
    for t in range(len(next(iter(shown.values())))):
        now = {key: array[t] for key, array in shown.items()}
        given = run(session, step, {**now, **state}, len(seed))
        state = {key: given.pop(key) for key in state}
        rows.append(given)
    np.savez(outputs, **{k: np.stack([row[k] for row in rows]) for k in rows[0]})


def run(session, signature, arrays, batch):
    """The outputs of a signature by name."""
    fed = [session.tensor(np.asarray(arrays[name])) for name in signature.inputs]
    results = session.run(signature.feeds, fed, signature.fetches)
    found = {}
    for (name, tensor), result in zip(signature.outputs.items(), results, strict=True):
        shape = (batch, *tensor["shape"][1:])
        found[name] = session.array(result, shape, tensor["dtype"]).copy()
    for tensor in [*fed, *results]:
        session.delete(tensor)
    return found


if __name__ == "__main__":
    main()
