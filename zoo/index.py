"""`index.json`, the root of trust of a registry: the SHA-256 of every manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from kerasmeta.errors import UserError

from .documents import from_bytes, to_bytes, write_atomically
from .files import Sha256
from .identifiers import AgentName

INDEX = "index.json"


class IndexEntry(BaseModel):
    """One version of an agent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest_sha256: Sha256


Versions = Annotated[dict[PositiveInt, IndexEntry], Field(min_length=1)]


class Index(BaseModel):
    """The versions of every agent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    agents: dict[AgentName, Versions] = {}

    def with_version(self, name: str, version: int, manifest_sha256: str) -> Index:
        """The index with one version more."""
        entry = IndexEntry(manifest_sha256=manifest_sha256)
        versions = {**self.agents.get(name, {}), version: entry}
        return Index(agents={**self.agents, name: versions})


def read_index(root: Path) -> Index:
    """The index of the registry at `root`.

    Raises:
        UserError: There is no registry, or its index is damaged.
    """
    path = root / INDEX
    if not root.is_dir():
        raise UserError(
            "registry",
            str(root),
            "is not a directory",
            "give the directory of a registry, or publish an agent there first",
        )
    try:
        return from_bytes(Index, path.read_bytes(), path)
    except OSError as error:
        raise UserError(
            "registry",
            str(root),
            f"has no readable {INDEX} ({error.strerror})",
            "restore it; if you trust the files as they are, call "
            "zoo.Registry(path).rebuild_index()",
        ) from None


def write_index(root: Path, index: Index) -> None:
    """Replaces the index of the registry at `root`, atomically."""
    write_atomically(root / INDEX, to_bytes(index))
