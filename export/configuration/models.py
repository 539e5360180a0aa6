"""The server's own files, in the text form of its protocol buffers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..batching import ALLOWED_BATCH_SIZES

MODELS = "/models"  # where the server's container has the agents
KEPT = 2  # versions that are loaded at a time: lifetimes end with the one they began

METRICS = "/monitoring/prometheus/metrics"


class ServedModel(NamedTuple):
    """An agent to serve."""

    name: str  # that clients ask for
    directory: Path  # on this machine, with a directory for each version
    versions: tuple[int, ...] = ()  # to serve, the last one first in line; (): newest

    @property
    def base_path(self) -> str:
        """Where the container has the directory."""
        return f"{MODELS}/{self.name}"


def served_name(id: str) -> str:
    """The name that `family/agent` is served under: a `/` would end it in a URL."""
    return id.replace("/", "_")


def models_config(models: Iterable[ServedModel]) -> str:
    """`models.config`, a `ModelServerConfig`."""
    entries = "".join(_model(model) for model in models)
    return f"model_config_list {{\n{entries}}}\n"


def batching_config(threads: int) -> str:
    """`batching.config`, a `BatchingParameters`: merges requests of several clients.

    Nothing waits while a thread is free; otherwise for 1 ms, about as long as a small
    agent's step takes.
    """
    largest = max(ALLOWED_BATCH_SIZES)
    values = {
        "max_batch_size": largest,
        "batch_timeout_micros": 1000,
        "max_enqueued_batches": 1024,
        "num_batch_threads": threads,
    }
    lines = [f"{name} {{ value: {value} }}" for name, value in values.items()]
    lines += [f"allowed_batch_sizes: {size}" for size in ALLOWED_BATCH_SIZES]
    return "\n".join(lines) + "\n"


def monitoring_config() -> str:
    """`monitoring.config`, a `MonitoringConfig`: metrics for Prometheus, over REST."""
    return f'prometheus_config {{\n  enable: true\n  path: "{METRICS}"\n}}\n'


def _model(model: ServedModel) -> str:
    """One agent; the versions asked for under labels, which clients may ask for."""
    policy, labels = f"latest {{ num_versions: {KEPT} }}", ""
    if model.versions:
        listed = " ".join(f"versions: {version}" for version in model.versions)
        policy = f"specific {{ {listed} }}"
        named = zip(("stable", "previous"), reversed(model.versions), strict=False)
        labels = "".join(
            f'    version_labels {{ key: "{label}" value: {version} }}\n'
            for label, version in named
        )
    return (
        "  config {\n"
        f'    name: "{model.name}"\n'
        f'    base_path: "{model.base_path}"\n'
        '    model_platform: "tensorflow"\n'
        f"    model_version_policy {{ {policy} }}\n"
        f"{labels}"
        "  }\n"
    )
