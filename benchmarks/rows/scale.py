"""How cost and memory grow with lifetimes, time, units and memory slots.

Each axis is one process that goes through its sizes in ascending order. The exponent is
the slope of log(seconds of an iteration) over log(size); of the whole range and of its
last two sizes, where fixed costs count least, the larger one is reported.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context
from benchmarks.timing import environment

GOAL = Goal("<=", 1.05)
# Fewer contexts than slots, so that the number of slots does not grow with T.
FEW_CONTEXTS = ["task.uncued_trials=16", "task.cued_trials=33"]


class Axis(NamedTuple):
    """One size that is varied."""

    name: str
    sizes: tuple[int, ...]
    options: str  # `--set` options with {size}, and {cued} for T - 17
    goal: Goal | None = None


AXES = (
    Axis("lifetimes", (1, 8, 64, 512, 4096), "lifetimes={size}", GOAL),
    Axis("T", (50, 100, 200, 400, 800), "lifetimes=64 task.cued_trials={cued}", GOAL),
    Axis("units", (32, 64, 128, 256, 512), "lifetimes=32 agent.units={size}"),
    Axis(
        "slots", (16, 64, 256, 1024, 4096), "lifetimes=32 agent.memory.capacity={size}"
    ),
)


def measure(context: Context) -> list[Figure]:
    """Exponents of time and of memory for each axis."""
    figures = []
    for axis in AXES:
        sizes = axis.sizes[:2] if context.quick else axis.sizes
        context.say(f"scale: {axis.name} {', '.join(map(str, sizes))}")
        points = _points(axis, sizes)
        figures += [_time_figure(axis, sizes, points), _memory_figure(axis, points)]
    return figures


def exponent(sizes: Any, costs: Any) -> float:
    """The least-squares slope of log(cost) over log(size)."""
    slope, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(slope)


def _time_figure(axis: Axis, sizes: Any, points: list[dict[str, Any]]) -> Figure:
    done = [point["size"] for point in points]
    seconds = [point["seconds"] for point in points]
    value, note = math.nan, ""
    if len(points) >= 2:
        value = max(exponent(done, seconds), exponent(done[-2:], seconds[-2:]))
        ends = zip((done[0], done[-1]), (seconds[0], seconds[-1]), strict=True)
        note = "; ".join(f"{size}: {1e3 * s:.0f} ms" for size, s in ends)
    if len(points) < len(sizes):
        value, note = math.nan, f"FAILED after {done or 'no size'}"
    return Figure(
        "scale", f"time over {axis.name}", value, "exponent", goal=axis.goal, note=note
    )


def _memory_figure(axis: Axis, points: list[dict[str, Any]]) -> Figure:
    """Resident memory beyond the process's own, where it is the larger part."""
    what = f"resident memory over {axis.name}"
    if len(points) < 2:
        return Figure("scale", what, math.nan, "exponent")
    (one, two), base = points[-2:], points[0]["base"]
    grown = [max(point["peak"] - base, 1) for point in (one, two)]
    value = exponent([one["size"], two["size"]], grown)
    note = f"{two['size']}: {two['peak'] / 2**20:.0f} MiB, {base / 2**20:.0f} at rest"
    return Figure("scale", what, value, "exponent", goal=axis.goal, note=note)


def _points(axis: Axis, sizes: Any) -> list[dict[str, Any]]:
    """Runs an axis; what it managed before a failure counts."""
    command = [sys.executable, "-m", "benchmarks.scale_worker"]
    options = [
        [
            str(size),
            *FEW_CONTEXTS,
            *axis.options.format(size=size, cued=size - 17).split(),
        ]
        for size in sizes
    ]
    ended = subprocess.run(
        [*command, json.dumps(options)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        check=False,
    )
    return [json.loads(line) for line in ended.stdout.splitlines() if line[:1] == "{"]
