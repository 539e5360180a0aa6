"""The child process of one axis of `scale`: a training iteration at each size.

`python -m benchmarks.scale_worker '[["64", "lifetimes=64"], ...]'` prints a JSON object
a size: seconds of an iteration, and resident memory before and at its peak, in bytes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import psutil

LONG_ENOUGH = 0.5  # seconds of measurement; at least two iterations


def main() -> None:
    """Goes through the sizes in the order given."""
    from benchmarks.ours import make_trainer

    base = psutil.Process().memory_info().rss
    for size, *options in json.loads(sys.argv[1]):
        _forget_peak()
        trainer = make_trainer(options)
        seconds = _seconds(trainer)
        point = {"size": int(size), "seconds": seconds, "base": base, "peak": _peak()}
        print(json.dumps(point), flush=True)
        del trainer
        gc.collect()


def _seconds(trainer: Any) -> float:
    """The median iteration after the first two, which trace, compile and warm up."""
    for _ in range(2):
        trainer.row(*trainer.iterate())
    seconds: list[float] = []
    while len(seconds) < 2 or sum(seconds) < LONG_ENOUGH:
        start = time.perf_counter()
        trainer.row(*trainer.iterate())
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[len(seconds) // 2]


def _forget_peak() -> None:
    """Makes Linux count the peak of resident memory from here on."""
    # Elsewhere the peak is the process's; sizes ascend, so it is the size's as well.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The peak of resident memory in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
