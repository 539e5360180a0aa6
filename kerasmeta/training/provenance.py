"""What a run's numbers depend on besides its configuration."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from kerasmeta.training.config import RunConfig
from kerasmeta.version import __version__

_LIBRARIES = ("tensorflow", "tf-keras", "tensorflow-probability", "tf-agents", "numpy")


def provenance() -> dict[str, Any]:
    """Commit, hardware and library versions of this process, as JSON data."""
    return {
        "commit": commit(),
        "hardware": f"{_processor()}, {os.cpu_count()} cores",
        "libraries": {
            "kerasmeta": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _LIBRARIES},
        },
    }


def commit() -> str:
    """The checkout's commit, `-dirty` if it has changes; the version outside of one."""
    here = Path(__file__).resolve().parent
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(
            command, cwd=here, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return f"kerasmeta {__version__}"
    return done.stdout.strip()


def config_hash(config: RunConfig) -> str:
    """SHA-256 of a configuration without its seed: equal for all seeds of a recipe."""
    data = config.model_dump(mode="json", exclude={"seed": True})
    if config.start is None:  # as before there was fine-tuning
        del data["start"]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()
