"""Directories that appear complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from kerasmeta.errors import UserError

# A directory still being written; TensorFlow Serving ignores names that are no number.
TEMPORARY = ".tmp-"


@contextlib.contextmanager
def appearing(target: Path, argument: str) -> Iterator[Path]:
    """Yields a new directory beside `target`, and renames it to `target` at the end.

    Where the body fails, the directory and the parents made for it are removed.

    Args:
        target: The directory to make. It must not exist.
        argument: What errors call it.

    Raises:
        UserError: `target` exists, or the file system refuses.
    """
    made: list[Path] = []
    temporary = target.parent / f"{TEMPORARY}{target.name}-{secrets.token_hex(8)}"
    try:
        if target.exists() or target.is_symlink():
            raise _taken(target, argument)
        made = _make_parents(target)
        temporary.mkdir()
        yield temporary
        sync_tree(temporary)
        if target.exists():
            raise _taken(target, argument)
        os.rename(temporary, target)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        _remove_empty(made)
        if isinstance(error, OSError):
            lost = error.errno in (errno.EEXIST, errno.ENOTEMPTY) and target.exists()
            reason = _taken(target, argument) if lost else None
            raise reason or _refused(target, argument, error) from None
        raise
    sync(target.parent)


def sync_tree(directory: Path) -> None:
    """Has the operating system write every file and directory below to the disk."""
    for folder, _, names in os.walk(directory):
        for name in names:
            sync(Path(folder, name))
        sync(Path(folder))


def sync(path: Path) -> None:
    """`fsync` of a file or a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_parents(target: Path) -> list[Path]:
    """Makes the parents of `target`; returns those that were missing, outer first."""
    missing = [parent for parent in reversed(target.parents) if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_empty(directories: list[Path]) -> None:
    for directory in reversed(directories):
        with contextlib.suppress(OSError):
            directory.rmdir()


def _taken(target: Path, argument: str) -> UserError:
    return UserError(
        argument,
        str(target),
        "exists already, and nothing is overwritten",
        "give another name, or remove it first",
    )


def _refused(target: Path, argument: str, error: OSError) -> UserError:
    return UserError(
        argument,
        str(target),
        f"cannot be written ({error.strerror or error})",
        "give a directory that can be written to, with space for it",
    )
