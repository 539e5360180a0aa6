"""`zoo.load`: a published agent, verified and rebuilt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kerasmeta.errors import UserError

from . import files
from .card import Card
from .registry import Registry, open_registry

if TYPE_CHECKING:
    from kerasmeta.agents import EpisodicAgent


def load(id: str, registry: Registry | str | Path | None = None) -> EpisodicAgent:
    """Loads a trained agent.

    The size and SHA-256 of every file are checked first. The networks are rebuilt from
    `config.json` and `weights.safetensors`; no code of the artifact runs.

    Args:
        id: `family/agent` for the latest version, or `family/agent@version`.
        registry: A registry or its folder; by default the agents in this package, or
            the folder that the environment variable KERASMETA_REGISTRY names.

    Returns:
        The agent. Its `card` holds the metrics and where the weights come from.

    Raises:
        UserError: There is no such agent, or a file is not the one published.
    """
    registry = open_registry(registry)
    reference = registry.resolve(id)
    manifest = registry.show(reference)
    directory = registry.directory(reference)
    _check_parts(directory, {entry.path for entry in manifest.files})
    files.check(directory, manifest.files)

    from kerasmeta.agents import storage  # imports TensorFlow

    config = directory / files.CONFIG
    agent = storage.build(json.loads(config.read_bytes()), source=str(config))
    storage.load_weights(agent, directory / files.WEIGHTS)
    agent.card = Card(manifest)
    return agent


def _check_parts(directory: Path, listed: set[str]) -> None:
    for name in (files.CONFIG, files.WEIGHTS):
        if name not in listed:
            raise UserError(
                files.MANIFEST,
                str(directory / files.MANIFEST),
                f"does not list {name}",
                "publish the agent anew",
            )
