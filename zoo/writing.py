"""Changes of a registry: under its lock, and complete or not at all.

A version appears by a rename, and counts from the moment the index names it. A process
killed in between leaves a directory that no reader sees and no later version reuses.
"""

from __future__ import annotations

import contextlib
import datetime
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from export.contracts import Contract
from export.directories import TEMPORARY, appearing
from kerasmeta.errors import UserError

from . import files, signing
from .card import render
from .documents import from_bytes, to_bytes
from .index import INDEX, Index, IndexEntry, read_index, write_index
from .manifest import Manifest, Submission

LOCK = ".lock"
LOCK_SECONDS = 120.0

# Puts an agent's files into an empty directory.
Writer = Callable[[Path], Contract]


class Published(NamedTuple):
    """A version of an agent and where it is."""

    id: str  # family/agent
    version: int
    path: Path
    manifest: Manifest


def add_version(
    root: Path,
    name: str,
    submission: Submission,
    write: Writer,
    version: int | None,
    sign: Path | None = None,
) -> Published:
    """Adds a version (by default the next) of `family/agent` to the registry `root`."""
    with _locked(root):
        index = _index_for_publishing(root)
        _remove_leftovers(root, name)
        version = version or _next_version(root, index, name)
        target = root / name / str(version)
        _check_free(name, version, index, target)
        with appearing(target, "version") as directory:
            manifest = _write_version(name, version, submission, write, directory)
            if sign:
                signing.sign(directory, sign)
        write_index(root, index.with_version(name, version, _entry(target)))
    return Published(name, version, target, manifest)


def rebuild(root: Path) -> Index:
    """Writes the index anew from the versions there, each of which must be intact."""
    with _locked(root):
        index, before = Index(), _index_or_none(root)
        for path in sorted(root.glob(f"*/*/*/{files.MANIFEST}")):
            manifest = from_bytes(Manifest, path.read_bytes(), path)
            check_place(path, manifest, root)
            entry = _entry(path.parent)
            files.check_all(path.parent, manifest.files, entry.signature_sha256)
            index = index.with_version(manifest.id, manifest.version, entry)
        for name, aliases in before.aliases.items():
            for alias, version in aliases.items():
                if version in index.agents.get(name, {}):
                    index = index.with_alias(name, alias, version)
        write_index(root, index)
    return index


def change_alias(root: Path, name: str, alias: str, version: int | None) -> None:
    """Lets an alias of `family/agent` name a version of the index; None: removes it."""
    with _locked(root):
        write_index(root, read_index(root).with_alias(name, alias, version))


def check_free(root: Path, name: str, version: int | None) -> None:
    """Refuses a version that exists, in the index or as a directory."""
    there = root.is_dir() and (root / INDEX).exists()
    index = read_index(root) if there else Index()
    _check_free(name, version or 0, index, root / name / str(version))


def check_place(path: Path, manifest: Manifest, root: Path) -> None:
    """Refuses a manifest that is not in the directory of its id and version."""
    if path.parent != root / manifest.id / str(manifest.version):
        raise UserError(
            files.MANIFEST,
            str(path),
            f"is that of {manifest.id}@{manifest.version}",
            "move the directory to where it belongs, or publish the agent anew",
        )


def _write_version(
    name: str, version: int, submission: Submission, write: Writer, directory: Path
) -> Manifest:
    """Writes everything a version holds; the manifest, which lists the rest, last."""
    contract = write(directory)
    manifest = Manifest(
        **dict(submission),
        id=name,
        version=version,
        created=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
        contract=contract,
    )
    (directory / files.CARD).write_text(render(manifest), encoding="utf-8")
    manifest = manifest.model_copy(update={"files": files.entries(directory)})
    (directory / files.MANIFEST).write_bytes(to_bytes(manifest))
    for path in files.listing(directory):
        (directory / path).chmod(0o644)  # safetensors lets the owner alone read
    return manifest


def _entry(directory: Path) -> IndexEntry:
    """What the index says of a version, from its files."""
    signature = directory / files.SIGNATURE
    return IndexEntry(
        manifest_sha256=files.digest(directory / files.MANIFEST),
        signature_sha256=files.digest(signature) if signature.exists() else None,
    )


def _index_or_none(root: Path) -> Index:
    """The index there is, or an empty one where it is damaged or missing."""
    try:
        return read_index(root)
    except UserError:
        return Index()


def _index_for_publishing(root: Path) -> Index:
    """The index; written here for a folder that holds no agents yet."""
    manifests = root.glob(f"*/*/*/{files.MANIFEST}")
    if not (root / INDEX).exists() and not any(manifests):
        write_index(root, Index())
    return read_index(root)


def _next_version(root: Path, index: Index, name: str) -> int:
    """One more than any version, including directories the index lacks."""
    there = [path.name for path in (root / name).glob("*")]
    taken = {int(version) for version in there if version.isdecimal()}
    return max(taken | set(index.agents.get(name, {})), default=0) + 1


def _check_free(name: str, version: int, index: Index, target: Path) -> None:
    """Refuses a version that exists, in the index or as a directory."""
    if version in index.agents.get(name, {}) or target.exists():
        raise UserError(
            "version",
            version,
            f"of {name} exists already, and nothing is overwritten",
            "leave the version out to get the next one",
        )


def _remove_leftovers(root: Path, name: str) -> None:
    """Removes what a killed publish left. Only while holding the lock."""
    for path in (root / name).glob(f"{TEMPORARY}*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in root.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Holds the registry's lock; the body's `OSError`s become `UserError`s."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / LOCK, timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise UserError(
            "registry",
            str(root),
            f"has been locked by another publish for {LOCK_SECONDS:.0f} seconds",
            "try again when it has ended",
        ) from None
    except OSError as error:
        raise UserError(
            "registry",
            str(root),
            f"cannot be written ({error.strerror or error})",
            "give a directory that can be written to",
        ) from None
