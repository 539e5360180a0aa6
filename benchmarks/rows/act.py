"""Acting: latency of one step, in Python and through TensorFlow's C API."""

from __future__ import annotations

import json
import math
import subprocess
import sys

from benchmarks.export_model import library
from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context
from benchmarks.timing import environment

BATCHES = (1, 64)
GOALS = {
    ("agent.step", 1): Goal("<=", 1.0),
    ("C API", 1): Goal("<=", 0.3),
}


def measure(context: Context) -> list[Figure]:
    """Milliseconds of a step: the median, and the 99th percentile in the note."""
    calls = 50 if context.quick else 3000
    model = context.scratch / "model"
    context.say("act: exporting an agent")
    _run("benchmarks.export_model", str(model))
    figures = []
    for batch in BATCHES:
        context.say(f"act: agent.step and the C API, batch {batch}")
        sizes = (str(batch), str(calls))
        python = _answer("benchmarks.latency", *sizes)
        native = _answer("benchmarks.c_api", str(library()), str(model), *sizes)
        if not math.isclose(python["value"], native["value"], rel_tol=1e-3):
            raise RuntimeError(f"{native} is not what the agent does: {python}")
        for name, found in (("agent.step", python), ("C API", native)):
            figure = Figure(
                row="act",
                what=f"{name}, batch {batch}",
                value=1e3 * found["p50"],
                unit="ms",
                goal=GOALS.get((name, batch)),
                note=f"p99 {1e3 * found['p99']:.2f} ms",
            )
            figures.append(figure)
    return figures


def _answer(module: str, *arguments: str) -> dict[str, float]:
    """The JSON object a module prints last."""
    return json.loads(_run(module, *arguments).splitlines()[-1])


def _run(module: str, *arguments: str) -> str:
    """What a module prints in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    return ended.stdout
