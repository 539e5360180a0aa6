"""`zoo.load`: a published agent, verified and rebuilt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kerasmeta.errors import UserError

from . import files
from .card import Card
from .manifest import Manifest
from .registry import Registry, open_registry

if TYPE_CHECKING:
    from kerasmeta.agents import EpisodicAgent


def load(
    id: str, registry: Registry | str | Path | None = None, seed: int | None = None
) -> EpisodicAgent:
    """Loads a trained agent.

    The size and SHA-256 of every file are checked first. The networks are rebuilt from
    `config.json` and `weights.safetensors`; no code of the artifact runs.

    Args:
        id: `family/agent` for the latest version, or `family/agent@version`.
        registry: A registry or its folder; by default the agents in this package, or
            the folder that the environment variable KERASMETA_REGISTRY names.
        seed: The training seed whose weights to load, one of `agent.card.seeds`; by
            default the published one, whose headline metric is the median.

    Returns:
        The agent. Its `card` holds the metrics and where the weights come from.

    Raises:
        UserError: There is no such agent or seed, or a file is not the one published.
    """
    registry = open_registry(registry)
    reference = registry.resolve(id)
    manifest = registry.show(reference)
    directory = registry.directory(reference)
    weights = _weights(manifest, seed)
    _check_parts(directory, {entry.path for entry in manifest.files})
    files.check(directory, manifest.files)

    from kerasmeta.agents import storage  # imports TensorFlow

    config = directory / files.CONFIG
    agent = storage.build(json.loads(config.read_bytes()), source=str(config))
    storage.load_weights(agent, directory / weights)
    agent.card = Card(manifest, seed)
    return agent


def _weights(manifest: Manifest, seed: int | None) -> str:
    """The path of the weights that a training seed gave."""
    if seed is None:
        return files.WEIGHTS
    paths = manifest.weights()
    if seed not in paths:
        kept = ", ".join(str(known) for known in paths)
        problem = f"has no weights in {manifest.id}@{manifest.version}"
        raise UserError("seed", seed, problem, f"use one of those it has: {kept}")
    return paths[seed]


def _check_parts(directory: Path, listed: set[str]) -> None:
    for name in (files.CONFIG, files.WEIGHTS):
        if name not in listed:
            raise UserError(
                files.MANIFEST,
                str(directory / files.MANIFEST),
                f"does not list {name}",
                "publish the agent anew",
            )
