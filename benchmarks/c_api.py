"""A SavedModel through TensorFlow's C API, without Python's TensorFlow: latency.

`python -m benchmarks.c_api LIBRARY MODEL BATCH CALLS` loads the model as a C or C++
program would, by ctypes from the wheel's `libtensorflow_cc.so.2`, and lets the agent
live: each step's state is the next one's input, without a copy. It prints p50 and p99
of a step in seconds, and the last value. `MODEL/signatures.json` (written by
benchmarks.export_model) names the graph's tensors, which otherwise takes a
protocol-buffer parser.

https://github.com/tensorflow/tensorflow/blob/v2.20.0/tensorflow/c/c_api.h
"""

from __future__ import annotations

import ctypes as c
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

# ConfigProto: one intra-op and one inter-op thread, which suits a single request.
ONE_THREAD = b"\x10\x01\x28\x01"
TYPES = {"float32": 1, "int32": 3, "bool": 10}  # TF_DataType
STATE = "state_"


class Output(c.Structure):
    """TF_Output: one output of an operation of the graph."""

    _fields_ = (("operation", c.c_void_p), ("index", c.c_int))


def bind(path: str) -> Any:
    """The library with the result types of the functions used here."""
    library = c.CDLL(path)
    pointers = "NewStatus NewSessionOptions NewGraph LoadSessionFromSavedModel"
    pointers += " GraphOperationByName AllocateTensor TensorData"
    for name in pointers.split():
        getattr(library, f"TF_{name}").restype = c.c_void_p
    library.TF_Message.restype = c.c_char_p
    return library


class Session:
    """A loaded SavedModel whose tensors are fed and fetched by name."""

    def __init__(self, library: Any, model: str) -> None:
        self.library = library
        self.status = c.c_void_p(library.TF_NewStatus())
        self.graph = c.c_void_p(library.TF_NewGraph())
        options = c.c_void_p(library.TF_NewSessionOptions())
        library.TF_SetConfig(options, ONE_THREAD, c.c_size_t(4), self.status)
        self._check()
        tags = (c.c_char_p * 1)(b"serve")
        loaded = library.TF_LoadSessionFromSavedModel(
            *(options, None, model.encode(), tags, 1, self.graph, None, self.status)
        )
        self._check()
        self.session = c.c_void_p(loaded)

    def outputs(self, names: list[str]) -> Any:
        """TF_Outputs of tensors such as "StatefulPartitionedCall:3"."""
        found = (Output * len(names))()
        for place, name in enumerate(names):
            operation, index = name.rsplit(":", 1)
            pointer = self.library.TF_GraphOperationByName(
                self.graph, operation.encode()
            )
            if not pointer:
                raise ValueError(f"the graph has no {operation}")
            found[place] = Output(pointer, int(index))
        return found

    def tensor(self, array: np.ndarray) -> int:
        """A TF_Tensor with a copy of an array."""
        dimensions = (c.c_int64 * array.ndim)(*array.shape)
        pointer = self.library.TF_AllocateTensor(
            TYPES[array.dtype.name], dimensions, array.ndim, c.c_size_t(array.nbytes)
        )
        data = self.library.TF_TensorData(c.c_void_p(pointer))
        c.memmove(data, np.ascontiguousarray(array).ctypes.data, array.nbytes)
        return pointer

    def array(self, pointer: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """A copy of a TF_Tensor."""
        data = self.library.TF_TensorData(c.c_void_p(pointer))
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.frombuffer(c.string_at(data, size), dtype).reshape(shape)

    def run(self, inputs: Any, fed: list[int], outputs: Any) -> list[int]:
        """Runs the graph; the caller owns the TF_Tensors it gets."""
        values = (c.c_void_p * len(fed))(*fed)
        results = (c.c_void_p * len(outputs))()
        self.library.TF_SessionRun(
            *(self.session, None, inputs, values, len(fed)),
            *(outputs, results, len(outputs), None, 0, None, self.status),
        )
        self._check()
        return list(results)

    def delete(self, tensor: int) -> None:
        """Frees a TF_Tensor."""
        self.library.TF_DeleteTensor(c.c_void_p(tensor))

    def _check(self) -> None:
        if self.library.TF_GetCode(self.status):
            raise RuntimeError(self.library.TF_Message(self.status).decode())


class Signature:
    """A signature's inputs and outputs, in the order of their names."""

    def __init__(self, session: Session, described: dict[str, Any]) -> None:
        self.inputs, self.outputs = described["inputs"], described["outputs"]
        self.feeds = session.outputs([v["tensor"] for v in self.inputs.values()])
        self.fetches = session.outputs([v["tensor"] for v in self.outputs.values()])


def live(library: str, model: str, batch: int, calls: int) -> tuple[list[float], float]:
    """Seconds of each step of `batch` lifetimes that see zeros; the last value."""
    session = Session(bind(library), model)
    described = json.loads((Path(model) / "signatures.json").read_text())
    begin, step = (
        Signature(session, described[name]) for name in ("initial_state", "step")
    )
    seeds = session.tensor(np.zeros([batch, 2], np.int32))
    state = session.run(begin.feeds, [seeds], begin.fetches)
    tensors = dict(zip(begin.outputs, state, strict=True))
    for name, described_input in step.inputs.items():
        if not name.startswith(STATE):
            shape = [batch, *described_input["shape"][1:]]
            tensors[name] = session.tensor(np.zeros(shape, described_input["dtype"]))
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        fed = [tensors[name] for name in step.inputs]
        results = session.run(step.feeds, fed, step.fetches)
        seconds.append(time.perf_counter() - start)
        for name, result in zip(step.outputs, results, strict=True):
            if name == "value":
                value = float(session.array(result, (batch,), "float32")[0])
            old = tensors.pop(name) if name.startswith(STATE) else result
            session.delete(old)
            if name.startswith(STATE):
                tensors[name] = result
    return seconds, value


def main() -> None:
    """See the module."""
    library, model, batch, calls = sys.argv[1:]
    assert "tensorflow" not in sys.modules
    seconds, value = live(library, model, int(batch), int(calls))
    p50, p99 = np.percentile(seconds[int(calls) // 10 :], [50, 99])
    print(json.dumps({"p50": p50, "p99": p99, "value": value}))


if __name__ == "__main__":
    main()
