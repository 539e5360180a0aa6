"""Cold starts: what a user waits for in a fresh process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context
from benchmarks.timing import environment

# The project's own interpreter starts as a user's does; without it, this one.
PROJECT = Path(".venv/bin/python")
PYTHON = str(PROJECT) if PROJECT.exists() else sys.executable


def measure(context: Context) -> list[Figure]:
    """Medians over fresh processes."""
    times = 1 if context.quick else 7
    context.say("cold: kerasmeta --help")
    usage = _median([PYTHON, "-m", "kerasmeta.cli", "--help"], times)
    context.say("cold: import zoo")
    imported = _median([PYTHON, "-c", "import zoo"], times)
    bare = _median([PYTHON, "-c", "pass"], times)
    context.say("cold: zoo.load and the first action")
    times = 1 if context.quick else 3
    first = [_answer("first_action", str(context.scratch)) for _ in range(times)]
    seconds = statistics.median(answer["seconds"] for answer in first)
    tensorflow = statistics.median(answer["tensorflow"] for answer in first)
    context.say("cold: a training run's first iteration")
    compiled = _answer("compilation", "quick" if context.quick else "full")
    return [
        Figure("cold", "kerasmeta --help", usage, "s", goal=Goal("<=", 0.5)),
        Figure("cold", "import zoo", imported - bare, "s", note="beyond Python itself"),
        Figure(
            "cold",
            "zoo.load and first action",
            seconds,
            "s",
            goal=Goal("<=", 2.5),
            note=f"beyond import tensorflow ({tensorflow:.1f} s); {first[0]['agent']}",
        ),
        Figure(
            "cold",
            "tracing and XLA compilation of a training run",
            compiled["seconds"],
            "s",
            goal=Goal("<=", 15.0),
            note="the first iteration less the second",
        ),
    ]


def _median(command: Sequence[str], times: int) -> float:
    """Seconds of a command, the median of several runs after one that warms caches."""
    seconds = []
    for _ in range(times + 1):
        start = time.perf_counter()
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, env=environment()
        )
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def _answer(name: str, argument: str) -> dict:
    """What a function of `benchmarks.cold_worker` measured in a fresh process."""
    command = [PYTHON, "-m", "benchmarks.cold_worker", name, argument]
    ended = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment()
    )
    return json.loads(ended.stdout.splitlines()[-1])
