"""`__all__` is what is importable and public, and light imports stay light."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("kerasmeta", "zoo", "export")
PACKAGES = sorted(
    ".".join(path.relative_to(ROOT).parent.parts)
    for top in OURS
    for path in (ROOT / top).rglob("__init__.py")
)
# What people import to look around: a second, not the seconds TensorFlow takes.
LIGHT = ["kerasmeta", "kerasmeta.analysis", "kerasmeta.cli", "kerasmeta.tasks"]
LIGHT += ["zoo", "export"]


def public_names(module: types.ModuleType) -> set[str]:
    """What a package's namespace offers: names of ours, no modules."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name != "TYPE_CHECKING"
        and not isinstance(value, types.ModuleType)
        and getattr(value, "__module__", "kerasmeta").split(".")[0] in OURS
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_what_is_public(package: str) -> None:
    module = importlib.import_module(package)
    listed = getattr(module, "__all__", [])
    assert len(set(listed)) == len(listed)
    for name in listed:
        assert hasattr(module, name), f"{package}.{name} cannot be imported"
    unlisted = public_names(module) - set(listed)
    assert not unlisted, f"{package}: list {sorted(unlisted)} in __all__ or hide them"


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_public_is_documented(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__doc__, f"{package} has no docstring"
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), f"{package}.{name} has no docstring"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own."""
    inherited = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**inherited, **environment},
    )


def test_light_imports_do_not_import_tensorflow() -> None:
    """In one process, one after the other; the first to break it is named."""
    analysis = importlib.import_module("kerasmeta.analysis")
    parts = [
        f"kerasmeta.analysis.{m.name}" for m in pkgutil.iter_modules(analysis.__path__)
    ]
    code = (
        "import importlib, json, sys\n"
        "heavy = {}\n"
        f"for name in {[*LIGHT, *parts]!r}:\n"
        "    importlib.import_module(name)\n"
        "    heavy[name] = 'tensorflow' in sys.modules\n"
        "print(json.dumps(heavy))\n"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr
    heavy = [name for name, found in json.loads(done.stdout).items() if found]
    assert not heavy, f"{heavy[0]} imports TensorFlow"


@pytest.mark.slow
@pytest.mark.parametrize(
    "package", ["layers", "networks", "agents", "environments", "training"]
)
def test_each_subpackage_can_be_the_first_import(package: str) -> None:
    """Whichever comes first chooses Keras 2, and says nothing on standard error."""
    code = f"import kerasmeta.{package}\nfrom kerasmeta._keras import keras\n"
    done = run(code + "print(keras.layers.Layer.__module__.split('.')[0])")
    assert (done.returncode, done.stdout, done.stderr) == (0, "tf_keras\n", "")


@pytest.mark.slow
def test_keras_3_is_refused_with_the_fix() -> None:
    done = run("import tensorflow.keras\nimport kerasmeta.layers")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "UserError: TF_USE_LEGACY_KERAS" in last
    assert "import kerasmeta or zoo before tensorflow" in last
