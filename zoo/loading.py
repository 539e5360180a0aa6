"""`zoo.load`: a published agent, verified and rebuilt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasmeta.errors import UserError

from . import files, programs, signing
from .card import Card
from .documents import printable
from .manifest import Manifest
from .opening import Registries, open_registry

if TYPE_CHECKING:
    from kerasmeta.agents import EpisodicAgent


def load(
    id: str,
    registry: Registries = None,
    seed: int | None = None,
    offline: bool | None = None,
    require_signature: str | Path | None = None,
) -> EpisodicAgent:
    """Loads a trained agent.

    The size and SHA-256 of every file are checked first. The networks are rebuilt from
    `config.json` and `weights.safetensors`; no code of the artifact runs.

    Args:
        id: `family/agent` for the latest version, `family/agent@version` or
            `family/agent@alias`.
        registry: A registry, its folder or its address, or several; see
            `zoo.open_registry`. By default the agents in this package, or those where
            the environment variable KERASMETA_REGISTRY says.
        seed: The training seed whose weights to load, one of `agent.card.seeds`; by
            default the published one, whose headline metric is the median.
        offline: Use no network; by default as KERASMETA_OFFLINE says.
        require_signature: The file of a public key. Load only what the holder of the
            private key has signed; by default as KERASMETA_REQUIRE_SIGNATURE says.

    Returns:
        The agent. Its `card` holds the metrics and where the weights come from.

    Raises:
        UserError: There is no such agent or seed, or a file is not the one published.
    """
    manifest, directory = checked(id, registry, offline, require_signature)
    weights = _weights(manifest, seed)
    _check_parts(directory, {entry.path for entry in manifest.files})

    from kerasmeta.agents import storage  # imports TensorFlow

    config = directory / files.CONFIG
    path = directory / weights
    agent = storage.build(_read(config), str(config), limit=path.stat().st_size)
    storage.load_weights(agent, path)
    agent.card = Card(manifest, seed)
    return agent


def load_saved_model(
    id: str,
    registry: Registries = None,
    offline: bool | None = None,
    require_signature: str | Path | None = None,
) -> Any:
    """Loads an agent's SavedModel, the program that TensorFlow Serving serves.

    It is run only after every file had its hash and every operation in it was found on
    a list of harmless ones: no Python, no network, no files but its own variables.

    Args:
        id, registry, offline, require_signature: See `load`.

    Returns:
        What `tf.saved_model.load` gives.

    Raises:
        UserError: There is no such agent, or it is not to be run.
    """
    _, directory = checked(id, registry, offline, require_signature)
    programs.check(directory)
    from kerasmeta._keras import tf

    try:
        return tf.saved_model.load(str(directory))
    except Exception as error:  # published as it is; TensorFlow has many names for it
        path, said = directory / programs.SAVED_MODEL, " ".join(str(error).split())
        raise UserError(
            programs.SAVED_MODEL,
            str(path),
            f"cannot be loaded ({type(error).__name__}: {printable(said)})",
            "ask its publisher for another version, or load the agent with zoo.load",
        ) from None


def checked(
    id: str,
    registry: Registries = None,
    offline: bool | None = None,
    require_signature: str | Path | None = None,
) -> tuple[Manifest, Path]:
    """The manifest and the directory of a version, every file of which has its hash."""
    key = signing.required_key(require_signature)
    source = open_registry(registry, offline).where(id)
    reference = source.resolve(id)
    manifest, directory = source.show(reference), source.directory(reference)
    if key:
        signing.check(directory, key)
    files.check(directory, manifest.files)
    return manifest, directory


def verified(
    id: str, registry: Registries = None, require_signature: str | Path | None = None
) -> Manifest:
    """Checks a version as `checked` does, for other files, and its program."""
    key = signing.required_key(require_signature)
    source = open_registry(registry).where(id)
    reference = source.resolve(id)
    manifest = source.verify(reference)
    directory = source.directory(reference)
    if key:
        signing.check(directory, key)
    programs.check(directory)
    return manifest


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


def _read(config: Path) -> Any:
    try:
        return json.loads(config.read_bytes())
    except (ValueError, RecursionError) as error:
        problem = f"is not valid JSON ({type(error).__name__})"
        fix = "publish the agent anew"
        raise UserError(files.CONFIG, str(config), problem, fix) from None


def _check_parts(directory: Path, listed: set[str]) -> None:
    for name in (files.CONFIG, files.WEIGHTS):
        if name not in listed:
            raise UserError(
                files.MANIFEST,
                str(directory / files.MANIFEST),
                f"does not list {name}",
                "publish the agent anew",
            )
