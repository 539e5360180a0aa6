"""Wall-clock seconds from process start until an agent has learned its task.

`kerasmeta train` runs in a process of its own and is ended as soon as the behaviour of
its last measured iterations, averaged, reaches the criterion. Those are fresh lifetimes
of the agent as it was then; the average lags behind, so the time is not flattered.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context
from benchmarks.timing import environment

WINDOW = 4  # measured iterations that are averaged
EVERY = 4  # iterations between two measured ones
SEEDS = (0, 1, 2)
POLL = 0.2  # seconds between two looks at the run's metrics


class Criterion(NamedTuple):
    """What an agent of a family must reach, and when it is given up."""

    family: str
    thresholds: dict[str, float]
    goal: Goal
    patience: float  # seconds

    def reached(self, rows: Sequence[dict[str, float]]) -> bool:
        """Whether the last measured iterations reach every threshold on average."""
        if len(rows) < WINDOW:
            return False
        means = {
            name: statistics.fmean(row[name] for row in rows[-WINDOW:])
            for name in self.thresholds
        }
        return all(means[name] >= bound for name, bound in self.thresholds.items())


CRITERIA = (
    Criterion(
        "episodic_two_step",
        {"reward_per_trial_cued": 0.77, "episodic_contrast": 1.5},
        Goal("<=", 120.0),
        patience=170.0,
    ),
    Criterion("two_step", {"reward_per_trial": 0.69}, Goal("<=", 60.0), patience=85.0),
)


def measure(context: Context) -> list[Figure]:
    """The median seed's seconds for each family."""
    return [_measure(context, criterion) for criterion in CRITERIA]


def _measure(context: Context, criterion: Criterion) -> Figure:
    seeds = SEEDS[:1] if context.quick else SEEDS
    if context.quick:  # a criterion that the first measured iterations meet
        thresholds = dict.fromkeys(criterion.thresholds, -4.0)
        criterion = criterion._replace(thresholds=thresholds)
    found = []
    for seed in seeds:
        context.say(f"criterion: {criterion.family}, seed {seed}")
        out = context.scratch / f"{criterion.family}-{seed}"
        found.append(seconds_to(criterion, seed, out, context.quick))
    bounds = ", ".join(f"{k} ≥ {v:g}" for k, v in criterion.thresholds.items())
    listed = ", ".join("not reached" if math.isinf(s) else f"{s:.0f}" for s in found)
    median = statistics.median(found)
    return Figure(
        row="criterion",
        what=f"{criterion.family} to {bounds}",
        value=math.nan if math.isinf(median) else median,
        unit="s",
        goal=criterion.goal,
        note=f"seeds {', '.join(map(str, seeds))}: {listed}",
    )


def seconds_to(criterion: Criterion, seed: int, out: Path, quick: bool) -> float:
    """Seconds from process start to the criterion; infinite if it is not reached."""
    command = [sys.executable, "-m", "kerasmeta.cli", "train", criterion.family]
    command += ["--seed", str(seed), "--out", str(out)]
    command += ["--set", f"metrics_every={1 if quick else EVERY}"]
    command += ["--steps", "100000000"]
    command += ["--set", "lifetimes=8"] if quick else []
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None:
            elapsed = time.monotonic() - start
            if criterion.reached(_measured_rows(out / "metrics.jsonl")):
                return elapsed
            if elapsed > criterion.patience:
                return math.inf
            time.sleep(POLL)
    finally:
        process.terminate()
        process.wait()
    raise RuntimeError(f"{' '.join(command[2:])} ended with {process.returncode}")


def _measured_rows(path: Path) -> list[dict[str, Any]]:
    """The behaviour metrics in metrics.jsonl, complete lines only."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]
    rows = (json.loads(line) for line in lines)
    return [row["metrics"] for row in rows if "metrics" in row]
