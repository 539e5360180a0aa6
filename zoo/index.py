"""`index.json`, the root of trust of a registry: the SHA-256 of every manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from kerasmeta.errors import UserError

from .documents import from_bytes, to_bytes, write_atomically
from .files import Sha256
from .identifiers import LATEST, AgentName, Alias

INDEX = "index.json"


class IndexEntry(BaseModel):
    """One version of an agent: the hashes of its manifest and, if any, signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest_sha256: Sha256
    signature_sha256: Sha256 | None = None


Versions = Annotated[dict[PositiveInt, IndexEntry], Field(min_length=1)]


class Index(BaseModel):
    """The versions of every agent, and the names that some versions have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    agents: dict[AgentName, Versions] = {}
    aliases: dict[AgentName, dict[Alias, PositiveInt]] = {}

    @model_validator(mode="after")
    def _aliases_lead_somewhere(self) -> Index:
        for name, aliases in self.aliases.items():
            for alias, version in aliases.items():
                if alias == LATEST or version not in self.agents.get(name, {}):
                    raise ValueError(f"{name}@{alias} names no version")
        return self

    def with_version(self, name: str, version: int, entry: IndexEntry) -> Index:
        """The index with one version more."""
        versions = {**self.agents.get(name, {}), version: entry}
        agents = {**self.agents, name: versions}
        return self.model_copy(update={"agents": agents})

    def with_alias(self, name: str, alias: str, version: int | None) -> Index:
        """The index with an alias that names this version; None: without the alias."""
        there = dict(self.aliases.get(name, {}))
        there.pop(alias, None)
        if version is not None:
            there[alias] = version
        others = {key: known for key, known in self.aliases.items() if key != name}
        aliases = {**others, name: there} if there else others
        return self.model_copy(update={"aliases": aliases})


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
    data = index.model_dump(mode="json", exclude_none=True)
    write_atomically(root / INDEX, to_bytes(data))
