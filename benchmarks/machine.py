"""The machine: its name, the versions of what runs on it, and its measured ceilings."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import Limit

PACKAGES = (
    "kerasmeta",
    "tensorflow",
    "tf-keras",
    "tf-agents",
    "numpy",
    "jax",
    "jaxlib",
    "torch",
    "stable-baselines3",
    "sb3-contrib",
    "gymnasium",
)


class Ceilings(NamedTuple):
    """What all the processors together reach."""

    flops: float  # float32 operations per second, in a large matrix product
    bytes: float  # bytes moved per second, read and written, in a large copy

    def limit(self, flops: float, moved: float, seconds: float) -> Limit:
        """The least seconds for some work, beside the seconds it took."""
        by_flops, by_bytes = flops / self.flops, moved / self.bytes
        least = max(by_flops, by_bytes)
        kind = "FLOPs" if by_flops >= by_bytes else "bytes"
        return Limit(kind, least, least / seconds)


def measure_ceilings(size: int = 1536, megabytes: int = 256) -> Ceilings:
    """The best of five large matrix products and of five large copies."""
    a = np.random.default_rng(0).random((size, size), np.float32)
    product = _fastest(lambda: a @ a)
    source = np.ones(megabytes * 2**18, np.float32)
    target = np.empty_like(source)
    copy = _fastest(lambda: np.copyto(target, source))
    return Ceilings(2.0 * size**3 / product, 2.0 * source.nbytes / copy)


def describe() -> dict[str, Any]:
    """The machine and the versions, as JSON data."""
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(_memory() / 2**30, 1),
        "accelerator": None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def load_average() -> float:
    """How many processes wanted a processor in the last minute."""
    return os.getloadavg()[0]


def _fastest(call: Any) -> float:
    seconds = []
    for _ in range(6):  # the first one warms up
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":")[1] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.machine()


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
