"""A directory appears complete or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from export.directories import appearing
from kerasmeta.errors import UserError


def test_appears_with_its_content(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "1"
    with appearing(target, "directory") as directory:
        (directory / "file").write_text("content")
        assert not target.exists()
        assert directory.parent == target.parent  # the same file system
        assert not directory.name.isdecimal()
    assert (target / "file").read_text() == "content"
    assert [path.name for path in target.parent.iterdir()] == ["1"]


def test_others_may_read_it(tmp_path: Path) -> None:
    """A server runs as another user."""
    umask = os.umask(0o022)
    try:
        with appearing(tmp_path / "1", "directory"):
            pass
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "1").stat().st_mode) == 0o755


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> None:
        with appearing(tmp_path / "new" / "er" / "1", "directory") as directory:
            (directory / "half").write_text("")
            raise error

    with pytest.raises(error):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "model" / "1").mkdir(parents=True)
    full = OSError(errno.ENOSPC, "No space left on device")
    appears = appearing(tmp_path / "model" / "2", "directory")
    with pytest.raises(UserError, match="cannot be written"), appears:
        raise full
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "1"]


@pytest.mark.parametrize("early", [True, False])
def test_never_replaces(tmp_path: Path, early: bool) -> None:
    target = tmp_path / "1"

    def claim() -> None:
        target.mkdir()
        (target / "other").write_text("")

    if early:
        claim()
    appears = appearing(target, "directory")
    with pytest.raises(UserError, match="exists already"), appears:
        claim()
    assert [path.name for path in tmp_path.rglob("*")] == ["1", "other"]


def test_a_dangling_link_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "1").symlink_to(tmp_path / "nowhere")
    appears = appearing(tmp_path / "1", "directory")
    with pytest.raises(UserError, match="exists already"), appears:
        pass


def test_importing_export_does_not_import_tensorflow() -> None:
    code = "import export, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
