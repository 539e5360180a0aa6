"""Runs a program that `benchmarks.hlo` wrote, on the best device jaxlib finds.

`python benchmarks/hlo_run.py DIRECTORY [REPEATS]` needs jax and NumPy alone. It prints
one JSON object: the device, seconds to compile and of a run (the median), and how far
the results are from those of TensorFlow's CPU.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxlib import _jax


def load_arrays(path: Path) -> list[np.ndarray]:
    """The arrays "0", "1", ... of a file."""
    arrays = np.load(path)
    return [arrays[str(n)] for n in range(len(arrays.files))]


def compile_program(path: Path, device: Any) -> Any:
    """Compiles serialized HLO for a device."""
    program = path.read_bytes()
    if hasattr(_jax.mlir, "hlo_to_stablehlo"):
        module = _jax.mlir.hlo_to_stablehlo(program)
    else:  # other releases of jaxlib
        from jaxlib import xla_client

        module = _jax.mlir.xla_computation_to_mlir_module(
            xla_client.XlaComputation(program)
        )
    return device.client.compile_and_load(module, _jax.DeviceList((device,)))


def fit(array: np.ndarray, shape: list[int]) -> np.ndarray:
    """Repeats an array's rows until it has a shape."""
    if list(array.shape) == shape:
        return array
    return np.tile(array, [shape[0] // array.shape[0]] + [1] * (array.ndim - 1))


def main() -> None:
    """See the module."""
    jax.config.update("jax_enable_x64", True)  # arrays keep the types they come in
    directory = Path(sys.argv[1])
    repeats = int(sys.argv[2]) if sys.argv[2:] else 10
    description = json.loads((directory / "program.json").read_text())
    shapes = [parameter["shape"] for parameter in description["parameters"]]
    inputs = load_arrays(directory / "inputs.npz")
    inputs = [fit(a, shape) for a, shape in zip(inputs, shapes, strict=True)]
    device = jax.devices()[0]
    start = time.perf_counter()
    executable = compile_program(directory / "program.hlo", device)
    compiled = time.perf_counter() - start
    buffers = [jax.device_put(array, device) for array in inputs]
    seconds = []
    for _ in range(repeats + 1):
        # A variable's old value is given up to its new one: put it there again.
        buffers = [
            jax.device_put(array, device) if buffer.is_deleted() else buffer
            for array, buffer in zip(inputs, buffers, strict=True)
        ]
        jax.block_until_ready(buffers)
        start = time.perf_counter()
        results = executable.execute(buffers)
        jax.block_until_ready(results)
        seconds.append(time.perf_counter() - start)
    expected = load_arrays(directory / "expected.npz")
    found = [np.asarray(result) for result in results]
    answer = {
        "device": f"{device.device_kind} ({device.platform})",
        "tile": description["tile"],
        "compile_seconds": compiled,
        "seconds": statistics.median(seconds[1:]),
        "largest_difference": largest_difference(found, expected),
    }
    print(json.dumps(answer))


def largest_difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The largest difference of any element, relative to its array's largest."""
    differences = []
    for ours, theirs in zip(found, expected, strict=True):
        ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
        scale = max(np.max(np.abs(theirs)), 1e-12)
        differences.append(float(np.max(np.abs(ours - theirs)) / scale))
    return max(differences)


if __name__ == "__main__":
    main()
