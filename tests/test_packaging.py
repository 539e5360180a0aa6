"""The wheel, built as `make wheel` does and used away from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from kerasmeta.version import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
NOT_SOURCE = (".*", "build", "dist", "runs", "*.egg-info", "__pycache__")
IMPORTS = """
import kerasmeta, zoo, export
for module in (kerasmeta, zoo, export):
    print(module.__file__)
agent = zoo.load("two_step/lstm")
print(agent.card.id)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution and a wheel built from *it*."""
    source = tmp_path_factory.mktemp("source") / "kerasmeta"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run(
        [*command, str(source)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new virtual environment with the wheel in it.

    It sees the packages installed here, the requirements, below its own.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = home / "lib" / version / "site-packages"
    # A plain path: the .pth files there, this checkout's among them, are not read.
    (packages / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    install += ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return home / "bin"


def run(program: Path, *arguments: str, cwd: Path) -> str:
    """Standard output of a program that has to succeed, run somewhere else."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    outside.pop("KERASMETA_REGISTRY", None)
    done = subprocess.run(
        [str(program), *arguments],
        cwd=cwd,
        env=outside,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def agents() -> set[str]:
    """The files of the embedded zoo, as paths in the wheel."""
    files = (ROOT / "zoo" / "agents").rglob("[!.]*")
    return {path.relative_to(ROOT).as_posix() for path in files if path.is_file()}


def test_the_wheel_holds_the_packages_and_the_zoo(wheel: Path) -> None:
    names = {
        name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name
    }
    assert {name.split("/")[0] for name in names} == {"kerasmeta", "zoo", "export"}
    assert "kerasmeta/py.typed" in names
    assert "zoo/agents/index.json" in names
    assert agents() <= names
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ("kerasmeta", "zoo", "export")
        for path in (ROOT / package).rglob("*.py")
    }
    assert modules <= names


def test_the_source_distribution_builds_and_has_the_licence(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "setup.cfg", "pyproject.toml"} <= names


def test_the_wheel_declares_what_it_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(f"kerasmeta-{__version__}.dist-info/METADATA").decode()
    assert "License: Apache-2.0" in metadata
    assert "Requires-Python: <3.14,>=3.11" in metadata
    assert "Requires-Dist: tf-keras" in metadata


def test_the_program_works_elsewhere(environment: Path, tmp_path: Path) -> None:
    program = environment / "kerasmeta"
    assert run(program, "--version", cwd=tmp_path) == f"kerasmeta {__version__}\n"
    tasks = json.loads(run(program, "tasks", "--json", cwd=tmp_path))["tasks"]
    assert "two_step" in {task["name"] for task in tasks}
    listed = json.loads(run(program, "zoo", "list", "--json", cwd=tmp_path))["agents"]
    index = json.loads((ROOT / "zoo" / "agents" / "index.json").read_bytes())
    assert {agent["id"] for agent in listed} == set(index["agents"])
    verified = json.loads(run(program, "zoo", "verify", "--json", cwd=tmp_path))
    versions = [one for versions in index["agents"].values() for one in versions]
    assert len(verified["verified"]) == len(versions)


def test_the_gallery_is_built_elsewhere(environment: Path, tmp_path: Path) -> None:
    options = ("--quick", "--out", "site", "--json")
    built = json.loads(
        run(environment / "kerasmeta", "gallery", *options, cwd=tmp_path)
    )
    assert set(built["playable"]) <= set(built["agents"])
    for path in ("index.html", "assets/gallery.css", "docs/reference/zoo.html"):
        assert (tmp_path / "site" / path).exists(), path


def test_the_packages_are_the_installed_ones(environment: Path, tmp_path: Path) -> None:
    *files, loaded = run(
        environment / "python", "-c", IMPORTS, cwd=tmp_path
    ).splitlines()
    assert all(Path(file).is_relative_to(environment.parent) for file in files)
    assert len(files) == 3
    assert loaded.startswith("two_step/lstm@")
