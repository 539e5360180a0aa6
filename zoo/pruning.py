"""Removing what is not needed from the cache, beside processes that use it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from export.directories import TEMPORARY
from kerasmeta.errors import UserError

from . import files, identifiers
from .cache import DIGITS, Cache, Cached, discard
from .documents import from_bytes
from .files import digest
from .identifiers import AgentReference
from .manifest import Manifest


class Pruned(NamedTuple):
    """What was removed."""

    versions: tuple[Cached, ...]
    bytes: int  # of everything, whole versions and leftovers


def prune(cache: Cache, ids: Sequence[str] = (), everything: bool = False) -> Pruned:
    """Removes damaged versions and what killed pulls left; or these, or everything.

    A version that another process is pulling is left alone.

    Args:
        cache: The cache.
        ids: Versions to remove as well: `family/agent` (all of them) or
            `family/agent@version`.
        everything: Every version, index and manifest.

    Raises:
        UserError: An id is none, or the cache cannot be written.
    """
    wanted = [identifiers.parse(id) for id in ids]
    before, removed = _size(cache.root), []
    with cache.writing():
        for cached in cache.list():
            if everything or _is_one_of(cached, wanted) or _is_damaged(cached):
                removed += _remove(cached)
        _remove_leftovers(cache, everything)
    return Pruned(tuple(removed), before - _size(cache.root))


def _is_one_of(cached: Cached, wanted: Sequence[AgentReference]) -> bool:
    named = ((cached.id, None), (cached.id, cached.version))
    return any(tuple(reference) in named for reference in wanted)


def _is_damaged(cached: Cached) -> bool:
    key = cached.path.parents[2].name  # how its manifest's hash begins
    path = cached.path / files.MANIFEST
    try:
        if not digest(path).startswith(key):
            return True
        manifest = from_bytes(Manifest, path.read_bytes(), path)
        files.check(cached.path, manifest.files)
    except (OSError, UserError):
        return True
    return False


def _remove(cached: Cached) -> list[Cached]:
    key = cached.path.parents[2]
    with contextlib.suppress(Timeout), FileLock(key.with_suffix(".lock"), timeout=0):
        discard(cached.path)
        return [cached]
    return []


def _remove_leftovers(cache: Cache, everything: bool) -> None:
    for key in (cache.root / "agents").glob("[0-9a-f]" * DIGITS):
        lock = FileLock(key.with_suffix(".lock"), timeout=0)
        with contextlib.suppress(Timeout), lock:
            for path in key.glob(f"*/*/{TEMPORARY}*"):
                shutil.rmtree(path)
            _remove_empty(key)
    for folder in ("indexes", "manifests"):
        pattern = "*" if everything else f"{TEMPORARY}*"
        for path in (cache.root / folder).glob(pattern):
            path.unlink(missing_ok=True)
    if everything:
        shutil.rmtree(cache.root / "hub", ignore_errors=True)


def _remove_empty(directory: Path) -> None:
    for folder, _, _ in os.walk(directory, topdown=False):
        with contextlib.suppress(OSError):  # not empty
            Path(folder).rmdir()


def _size(root: Path) -> int:
    return sum((root / path).lstat().st_size for path in files.listing(root))
