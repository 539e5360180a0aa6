"""Compiled programs as files that any PJRT runtime can run.

TensorFlow writes the HLO of a `tf.function(jit_compile=True)`; `benchmarks.hlo_run`,
which needs jaxlib and NumPy alone, compiles it for whatever accelerator is at hand, so
that the programs run there without a CUDA build of TensorFlow.

`python -m benchmarks.hlo DIRECTORY [LIFETIMES]` writes two programs of the episodic
two-step recipe for so many lifetimes (1,024 by default): `collect`, whole lifetimes in
one loop, and `update`, the TRPO step.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.environments import TaskEnvironment
from kerasmeta.training.fused_driver import FusedEpisodeDriver

PROGRAM, INPUTS, EXPECTED, DESCRIPTION = (
    "program.hlo",
    "inputs.npz",
    "expected.npz",
    "program.json",
)


def write_program(
    function: Any,
    arguments: tuple[Any, ...],
    directory: Path,
    batch: int | None = None,
    tile: int = 1,
) -> None:
    """Writes a compiled program, its inputs, and what it gives here.

    The program's parameters are the flat arguments, then the variables that `function`
    captures (any other captured tensor must be an argument). Its results are the flat
    results, then the variables that it assigns, in the same order.

    Args:
        function: A `tf.function` with `jit_compile=True`.
        arguments: Nests of tensors.
        directory: Made if need be.
        batch: The leading axis of the arguments that `tile` is about.
        tile: Compile for so many times as many rows. The inputs are kept as they are;
            `hlo_run` repeats their rows, which changes no mean over rows, so that the
            expected results still hold for programs that return only means.
    """
    directory.mkdir(parents=True, exist_ok=True)
    specs = tf.nest.map_structure(lambda leaf: _spec(leaf, batch, tile), arguments)
    tf.random.set_seed(0)  # TensorFlow asks for the device with a random number
    compiler_ir = function.experimental_get_compiler_ir(*specs)
    program = compiler_ir(stage="hlo_serialized", platform_name="CPU")
    (directory / PROGRAM).write_bytes(program)
    variables = _captured_variables(function.get_concrete_function(*arguments))
    inputs = [leaf.numpy() for leaf in tf.nest.flatten(arguments)]
    before = [variable.numpy() for variable in variables]
    results = [leaf.numpy() for leaf in tf.nest.flatten(function(*arguments))]
    after = [variable.numpy() for variable in variables]
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    assigned = [
        new
        for old, new in zip(before, after, strict=True)
        if not np.array_equal(old, new)
    ]
    _save(directory / INPUTS, [*inputs, *before])
    _save(directory / EXPECTED, [*results, *assigned])
    description = {
        "tensorflow": tf.__version__,
        "batch": batch,
        "tile": tile,
        "results": len(results),
        "parameters": [_describe(spec) for spec in tf.nest.flatten(specs)]
        + [_describe(variable) for variable in variables],
    }
    (directory / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n")


def write_update(
    directory: Path, lifetimes: int, rows: int = 64, overrides: tuple[str, ...] = ()
) -> None:
    """The TRPO update of the recipe, on the experience of `rows` lifetimes repeated."""
    from benchmarks.ours import collect_batch, make_trainer

    rows = min(rows, lifetimes)
    # Of repeated rows, only the whole has the same Fisher matrix however often.
    whole = "trpo.fisher_fraction=1.0"
    trainer = make_trainer([f"lifetimes={rows}", whole, *overrides])
    batch = collect_batch(trainer)

    @tf.function(jit_compile=True)
    def update(*leaves: Any) -> Any:
        search, entropy, norm = trainer.learner._update_policy(
            tf.nest.pack_sequence_as(batch, leaves)
        )
        return search.surrogate, search.kl, entropy, norm

    leaves = tuple(tf.nest.flatten(batch))
    write_program(update, leaves, directory, batch=rows, tile=lifetimes // rows)


def write_collection(
    directory: Path, lifetimes: int, overrides: tuple[str, ...] = ()
) -> None:
    """The collection of the recipe: every lifetime in one group, all that is logged."""
    from benchmarks.ours import make_trainer

    trainer = make_trainer([f"lifetimes={lifetimes}", *overrides])
    environment = TaskEnvironment(trainer.task, lifetimes)
    driver = FusedEpisodeDriver(environment, trainer.collector.policy, [])
    time_step = environment.reset_with_seed(0)
    task_state, key, counter = environment.snapshot()
    state = trainer.collector.policy.get_initial_state(lifetimes)
    start = (task_state, time_step, state, key, counter)

    @tf.function(jit_compile=True)
    def collect(*leaves: Any) -> Any:
        arguments = tf.nest.pack_sequence_as(start, leaves)
        experience, *_ = driver.lifetimes(*arguments)
        return tf.nest.flatten(experience)

    write_program(collect, tuple(tf.nest.flatten(start)), directory)


def _spec(leaf: Any, batch: int | None, tile: int) -> Any:
    shape = leaf.shape.as_list()
    if batch is not None and shape and shape[0] == batch:
        shape[0] *= tile
    return tf.TensorSpec(shape, leaf.dtype)


def _captured_variables(concrete: Any) -> list[Any]:
    """The captured variables, in the order of the program's parameters."""
    variables = {id(variable.handle): variable for variable in concrete.variables}
    found = []
    for captured in concrete.captured_inputs:
        if captured.dtype != tf.resource:
            raise ValueError(f"{concrete.name} captures a tensor {captured.shape}")
        found.append(variables[id(captured)])
    return found


def _describe(spec: Any) -> dict[str, Any]:
    return {"shape": spec.shape.as_list(), "dtype": spec.dtype.name}


def _save(path: Path, arrays: list[np.ndarray]) -> None:
    np.savez(path, **{str(n): array for n, array in enumerate(arrays)})


if __name__ == "__main__":
    count = int(sys.argv[2]) if sys.argv[2:] else 1024
    write_collection(Path(sys.argv[1]) / "collect", count)
    write_update(Path(sys.argv[1]) / "update", count)
