"""The child process of a measurement: prepares one subject, then times it on demand.

A subject is a function `module:name`. Called with keyword arguments, it builds what is
to be measured and returns a `Prepared`. Here it is called until it is warm; then each
line on standard input asks for one measurement, and each line on standard output is an
answer in JSON. Whatever the subject prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

WARM_UP_CALLS = 2
SHORTEST_MEASUREMENT = 0.25  # seconds; faster calls are repeated within a measurement


class Prepared(NamedTuple):
    """Something to measure."""

    call: Callable[[], Any]  # does the work once and returns when it is done
    work: float  # what a call does, in units of the row (steps, updates)
    facts: Mapping[str, float] = MappingProxyType(
        {}
    )  # results by which two subjects can be compared


def load(target: str) -> Callable[..., Prepared]:
    """The subject `module:name`."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def seconds_of(call: Callable[[], Any], repeats: int) -> float:
    """Wall-clock seconds of one of `repeats` calls, on average."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def prepare(target: str, arguments: dict[str, Any]) -> tuple[Prepared, int, float]:
    """A warm subject, how often to repeat it, and the seconds until it was warm."""
    start = time.perf_counter()
    prepared = load(target)(**arguments)
    prepared.call()
    warm_up = time.perf_counter() - start
    once = seconds_of(prepared.call, WARM_UP_CALLS)
    return prepared, max(1, math.ceil(SHORTEST_MEASUREMENT / once)), warm_up


def main() -> None:
    """Serves measurements until standard input closes."""
    target, arguments = sys.argv[1], json.loads(sys.argv[2])
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    try:
        prepared, repeats, warm_up = prepare(target, arguments)
        answer(work=prepared.work, facts=dict(prepared.facts), warm_up=warm_up)
        for _ in sys.stdin:
            answer(seconds=seconds_of(prepared.call, repeats))
    except Exception as error:
        traceback.print_exc()
        answer(error=f"{type(error).__name__}: {error}".splitlines()[0])


if __name__ == "__main__":
    main()
