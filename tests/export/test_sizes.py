"""Versions stay small: what people clone, pull and check at every load."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo
from zoo import files

MIB = 2**20
# What a version may have besides weights: those of five seeds and a server's variables.
# Where these leave less than this of a MiB, a version may be larger by that.
BESIDE_WEIGHTS = 230 * 1024
REGISTRY = zoo.Registry(Path(zoo.__file__).parent / "agents")
VERSIONS = [
    f"{agent}@{version}"
    for agent in sorted(REGISTRY.index().agents)
    for version in REGISTRY.versions(agent)
]


def test_there_are_versions() -> None:
    assert len(VERSIONS) >= 4


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_below_a_mebibyte(version: str) -> None:
    directory = REGISTRY.directory(version)
    paths = [path for path in directory.rglob("*") if path.is_file()]
    sizes = {path: path.stat().st_size for path in paths}
    weights = sum(
        size
        for path, size in sizes.items()
        if path.name == files.WEIGHTS or path.parent.name == "variables"
    )
    total = sum(sizes.values())
    assert 0 < weights < total
    assert total - weights < BESIDE_WEIGHTS
    assert total < max(MIB, weights + BESIDE_WEIGHTS)
