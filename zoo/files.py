"""The files of a published version: their hashes, and whether they are intact."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    StringConstraints,
)

from kerasmeta.errors import UserError

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
CARD = "README.md"
SIGNATURE = "model.sig"  # of everything else; where the publisher has signed
SEED_WEIGHTS = "seeds/{seed}/weights.safetensors"  # of a seed that was not chosen
CURVES = "learning_curves.json"  # what every seed earned as it learnt

CHANGED = "is not the file that was published (SHA-256 differs)"


def _inside(path: str) -> str:
    """Refuses a path that is not plainly below its directory."""
    parts = path.split("/")
    bad = {"", ".", ".."} & set(parts) or "\\" in path or ":" in path
    if bad or not path.isprintable() or PurePosixPath(path).is_absolute():
        raise ValueError("a path must stay below its directory")
    return path


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SafePath = Annotated[str, AfterValidator(_inside)]


class FileEntry(BaseModel):
    """One file of a version: its path relative to the version's directory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: SafePath
    size: NonNegativeInt  # bytes
    sha256: Sha256


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entries(directory: Path) -> tuple[FileEntry, ...]:
    """Every file below a directory but the manifest, which cannot list itself."""
    return tuple(
        FileEntry(
            path=path,
            size=(directory / path).stat().st_size,
            sha256=digest(directory / path),
        )
        for path in listing(directory)
        if path != MANIFEST
    )


def listing(directory: Path) -> list[str]:
    """The paths of everything below a directory that is no plain directory."""
    found = []
    for folder, names, files in os.walk(directory):
        links = [name for name in names if Path(folder, name).is_symlink()]
        for name in files + links:
            found.append(Path(folder, name).relative_to(directory).as_posix())
    return sorted(found)


def check(directory: Path, expected: tuple[FileEntry, ...]) -> None:
    """Refuses a missing, linked or changed file.

    Raises:
        UserError: For the first such file.
    """
    for entry in expected:
        if problem := _problem(directory, entry):
            raise _damaged(directory, entry.path, problem)


def _problem(directory: Path, entry: FileEntry) -> str | None:
    path = directory / entry.path
    try:
        if _passes_link(directory, entry.path):
            return "is reached through a symbolic link"
        if not path.is_file():
            return "is missing"
        if (size := path.stat().st_size) != entry.size:
            return f"has {size} bytes, not the {entry.size} published"
        return None if digest(path) == entry.sha256 else CHANGED
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def check_all(
    directory: Path, expected: tuple[FileEntry, ...], signature_sha256: str | None
) -> None:
    """Like `check`, and refuses a changed signature and any other file.

    The signature's hash is in the index: it is made last, over manifest and files.
    """
    check(directory, expected)
    known = {entry.path for entry in expected} | {MANIFEST}
    if signature_sha256:
        read_checked(directory / SIGNATURE, signature_sha256)
        known.add(SIGNATURE)
    if others := [path for path in listing(directory) if path not in known]:
        raise UserError(
            "file",
            others[0],
            f"in {directory} is not part of this version",
            "remove it; a published version never changes",
        )


def read_checked(path: Path, sha256: str) -> bytes:
    """The content of a file, if it has this hash."""
    if path.is_symlink():
        raise _damaged(path.parent, path.name, "is a symbolic link")
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise _damaged(path.parent, path.name, problem) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _damaged(path.parent, path.name, CHANGED)
    return data


def _passes_link(directory: Path, path: str) -> bool:
    step = directory
    for part in path.split("/"):
        step = step / part
        if step.is_symlink():
            return True
    return False


def _damaged(directory: Path, name: str, problem: str) -> UserError:
    fix = "restore it, or publish the agent anew"
    return UserError("file", name, f"in {directory} {problem}", fix)
