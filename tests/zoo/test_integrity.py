"""Damage and deceit: every changed file is found, and none is followed elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zoo
from kerasmeta.errors import UserError

NAME = "two_step/ep_lstm"


def _files(registry: zoo.Registry) -> list[Path]:
    return sorted(p for p in registry.directory(NAME).rglob("*") if p.is_file())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.integers(0, 5), place=st.floats(0, 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found(
    registry: zoo.Registry, choice: int, place: float, bit: int
) -> None:
    files = _files(registry)
    assert len(files) == 6  # the manifest and the card among them
    path = files[choice]
    good = path.read_bytes()
    bad = bytearray(good)
    bad[min(int(place * len(good)), len(good) - 1)] ^= 1 << bit
    path.write_bytes(bad)
    try:
        with pytest.raises(UserError, match="SHA-256") as caught:
            registry.verify(NAME)
    finally:
        path.write_bytes(good)
    assert path.name in str(caught.value)
    registry.verify(NAME)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), bit=st.integers(0, 7))
def test_a_flipped_bit_in_the_index_never_gives_another_agent(
    registry: zoo.Registry, place: float, bit: int
) -> None:
    path = registry.path / "index.json"
    good, before = path.read_bytes(), registry.show(NAME)
    bad = bytearray(good)
    bad[min(int(place * len(good)), len(good) - 1)] ^= 1 << bit
    path.write_bytes(bad)
    with contextlib.suppress(UserError):  # else a space became a tab, say
        assert registry.verify(NAME) == before
    path.write_bytes(good)


@pytest.mark.parametrize("change", ["truncate", "grow", "empty", "remove"])
def test_every_file_counts(registry: zoo.Registry, change: str) -> None:
    changes: dict[str, Callable[[Path, bytes], Any]] = {
        "truncate": lambda path, data: path.write_bytes(data[:-1]),
        "grow": lambda path, data: path.write_bytes(data + b"\0"),
        "empty": lambda path, data: path.write_bytes(b""),
        "remove": lambda path, data: path.unlink(),
    }
    for path in _files(registry):
        good = path.read_bytes()
        changes[change](path, good)
        with pytest.raises(UserError) as caught:
            registry.verify(NAME)
        assert str(path.name) in str(caught.value)
        path.write_bytes(good)
    registry.verify(NAME)


def test_an_additional_file_is_an_error(registry: zoo.Registry) -> None:
    directory = registry.directory(NAME)
    for name in ("more.bin", ".hidden", "variables/more"):
        (directory / name).write_text("")
        with pytest.raises(UserError, match="not part of this version"):
            registry.verify(NAME)
        (directory / name).unlink()
    (directory / "link").symlink_to(registry.path)
    with pytest.raises(UserError, match="not part of this version"):
        registry.verify(NAME)


def test_links_are_not_followed(registry: zoo.Registry, tmp_path: Path) -> None:
    """Not even to the very same content."""
    directory = registry.directory(NAME)
    for name in ("weights.safetensors", "manifest.json"):
        (directory / name).rename(tmp_path / name)
        (directory / name).symlink_to(tmp_path / name)
        with pytest.raises(UserError, match="symbolic link"):
            registry.verify(NAME)
        (directory / name).unlink()
        (tmp_path / name).rename(directory / name)
    (directory / "variables").rename(tmp_path / "variables")
    (directory / "variables").symlink_to(tmp_path / "variables")
    with pytest.raises(UserError, match="symbolic link"):
        registry.verify(NAME)


def _forge(registry: zoo.Registry, change: Callable[[dict[str, Any]], Any]) -> None:
    """Edits the manifest, and the index to match."""
    path = registry.directory(NAME) / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    index = json.loads((registry.path / "index.json").read_text())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    index["agents"][NAME]["1"]["manifest_sha256"] = sha256
    (registry.path / "index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    "path",
    [
        "../../../secret",
        "/etc/passwd",
        "variables/../../1/config.json",
        "a//b",
        "./config.json",
        "..",
        "",
        "a\\b",
        "C:config",
    ],
)
def test_a_manifest_cannot_point_outside(registry: zoo.Registry, path: str) -> None:
    _forge(registry, lambda manifest: manifest["files"][0].update(path=path))
    with pytest.raises(UserError, match=r"files\.0\.path"):
        registry.verify(NAME)


@pytest.mark.parametrize("name", ["../outside/x", "two_step", "a/b/c", "/a/b", "a/.."])
def test_an_index_cannot_point_outside(registry: zoo.Registry, name: str) -> None:
    index = json.loads((registry.path / "index.json").read_text())
    index["agents"][name] = index["agents"][NAME]
    (registry.path / "index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=r"index\.json"):
        registry.list()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(schema_version=2),
        lambda m: m.update(surprise=1),
        lambda m: m.pop("evaluation"),
        lambda m: m["evaluation"]["metrics"]["stay"].update(mean=float("nan")),
        lambda m: m["contract"].update(sha256="0" * 64),
        lambda m: m.update(version=2),
    ],
)
def test_a_wrong_manifest_is_refused_though_its_hash_fits(
    registry: zoo.Registry, change: Callable[[dict[str, Any]], Any]
) -> None:
    _forge(registry, change)
    with pytest.raises(UserError, match=r"manifest\.json") as caught:
        registry.verify(NAME)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\xff", '{"agents": {}}x'])
def test_a_broken_index_is_one_line(registry: zoo.Registry, text: str) -> None:
    (registry.path / "index.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"index\.json") as caught:
        registry.list()
    assert "\n" not in str(caught.value)
