"""What the gallery knows of an agent: its manifest, its files, what was found of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo import Manifest, curves, files

# Families whose rules are in static/js/tasks, so that their agents play in the browser.
PLAYABLE = (
    "two_step",
    "episodic_two_step",
    "harlow",
    "episodic_harlow",
    "barcode_bandit",
)

STATISTICS = "statistics.json"


class Entry(NamedTuple):
    """One agent of the gallery, in its latest version."""

    manifest: Manifest
    directory: Path  # the version's files
    versions: tuple[int, ...]
    found: Path  # where `kerasmeta analyse` wrote figures of it; may not exist

    @property
    def id(self) -> str:
        """`family/agent@version`."""
        return f"{self.manifest.id}@{self.manifest.version}"

    @property
    def family(self) -> str:
        return self.manifest.task.name

    @property
    def has_memory(self) -> bool:
        return self.manifest.kind == "ep_lstm"

    @property
    def page(self) -> str:
        """The folder of its page in the site."""
        return f"agents/{self.manifest.id}"

    @property
    def plays(self) -> bool:
        """Whether it runs in the browser: a family with rules there, no pictures."""
        shape = self.config["observation"]["stimulus"]["shape"]
        return self.family in PLAYABLE and len(shape) == 1

    @property
    def config(self) -> dict[str, Any]:
        """The published config.json."""
        return _read(self.directory / files.CONFIG)

    @property
    def curves(self) -> Mapping[int, Sequence[Mapping[str, Any]]]:
        """Rows of training by seed: of the version, else kept beside its analyses."""
        return curves.read(self.directory) or curves.read(self.found)

    @property
    def statistics(self) -> dict[str, Any]:
        """What `kerasmeta analyse` wrote of this very version; empty if nothing."""
        path = self.found / STATISTICS
        if not path.exists():
            return {}
        found = _read(path)
        return found if found.get("manifest_sha256") == self.sha256 else {}

    @property
    def sha256(self) -> str:
        """Of the manifest: ids and versions of different registries may be equal."""
        return files.digest(self.directory / files.MANIFEST)


def entries(registry: Any, analyses: Path) -> list[Entry]:
    """The latest version of every agent of a registry, by id.

    Args:
        registry: As `zoo.open_registry` gives it.
        analyses: The folder that `found_in` looks in.
    """
    found = []
    for manifest in registry.list():
        directory = registry.directory(f"{manifest.id}@{manifest.version}")
        versions = tuple(registry.versions(manifest.id))
        place = found_in(analyses, manifest)
        found.append(Entry(manifest, directory, versions, place))
    return found


def found_in(analyses: Path, manifest: Manifest) -> Path:
    """Where the analyses of a version are kept."""
    return analyses / manifest.id / str(manifest.version)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
