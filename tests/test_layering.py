"""Imports point one way: an architecture that is only drawn does not last.

Each floor may import itself, the floors listed for it, and the helpers that every floor
may use. The tests read the source (`ast`), so that an import inside a function or for
type checking counts too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

HELPERS = {"errors", "groups", "lesions", "lifetimes", "refusals", "version"}
BELOW_TRAINING = ["layers", "networks", "agents", "tasks", "environments"]
BELOW_EXPORT = [*BELOW_TRAINING, "analysis", "training"]
FLOORS = {  # floor: the floors it may use
    "kerasmeta": ["registration"],  # kerasmeta/__init__.py
    "registration": ["tasks"],
    "errors": [],
    "lesions": [],
    "groups": [],
    "lifetimes": [],
    "refusals": [],
    "version": [],
    "_keras": [],
    "analysis": [],
    "layers": [],
    "networks": ["layers"],
    "agents": ["layers", "networks"],
    "tasks": [],
    "environments": ["tasks"],
    "training": [*BELOW_TRAINING, "analysis"],
    "export": BELOW_EXPORT,
    "zoo": [*BELOW_EXPORT, "export"],
    "gallery": [*BELOW_EXPORT, "export", "zoo"],
    "cli": [*BELOW_EXPORT, "export", "zoo", "gallery"],
}
WITHOUT_TENSORFLOW = {"kerasmeta", "registration", "analysis", *HELPERS}
TENSORFLOW = {"tensorflow", "tf_keras", "keras"}
REMEDY = "move the shared part to a lower floor, or pass it in as an argument"


def floor_of(module: str) -> str | None:
    """`kerasmeta.layers.dnd` -> `layers`; `zoo.card` -> `zoo`; None: not ours."""
    first, *rest = module.split(".")
    if first in ("zoo", "export"):
        return first
    if first != "kerasmeta":
        return None
    return rest[0] if rest else "kerasmeta"


def module_of(path: Path) -> str:
    """`kerasmeta/layers/dnd.py` -> `kerasmeta.layers.dnd`."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """(line, absolute name) of every import; `from a import b` gives `a.b`."""
    package = ".".join(path.parts[:-1])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(path.parts) - node.level]
                base = ".".join([*above, *filter(None, [base])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def objection(floor: str, target: str) -> str | None:
    """What is wrong with a module of `floor` importing `target`, if anything."""
    if target.split(".")[0] in TENSORFLOW and floor != "_keras":
        return "take tf and keras from kerasmeta._keras"
    used = floor_of(target)
    if used is None:
        return None
    if used not in FLOORS:  # a name in kerasmeta/__init__.py, which holds helpers only
        used = "kerasmeta"
    if used == "_keras" and floor in WITHOUT_TENSORFLOW:
        return f"{floor} must work without TensorFlow"
    if used in {floor, "kerasmeta", "_keras", *HELPERS, *FLOORS[floor]}:
        return None
    return f"{floor} may not use {used}: {REMEDY}"


def violations(root: Path) -> list[str]:
    """One line for each import that points the wrong way."""
    found = []
    for top in ("kerasmeta", "zoo", "export"):
        for file in sorted((root / top).rglob("*.py")):
            path = file.relative_to(root)
            floor = floor_of(module_of(path))
            if floor not in FLOORS:
                found.append(f"{path}: {floor} has no place; give it one in FLOORS")
                continue
            for line, target in imports(path, file.read_text()):
                if problem := objection(floor, target):
                    found.append(f"{path}:{line} imports {target}: {problem}")
    return found


def test_imports_point_one_way() -> None:
    assert (ROOT / "kerasmeta" / "layers" / "dnd.py").exists()
    found = violations(ROOT)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("path", "line", "complaint"),
    [
        (
            "kerasmeta/layers/bad.py",
            "from kerasmeta import agents",
            "may not use agents",
        ),
        ("kerasmeta/layers/bad.py", "import kerasmeta.networks.config", "networks"),
        ("kerasmeta/agents/bad.py", "from kerasmeta.tasks import make", "use tasks"),
        ("kerasmeta/tasks/bad.py", "from ..agents import trpo", "may not use agents"),
        ("kerasmeta/training/bad.py", "def f():\n    import export", "use export"),
        ("export/bad.py", "import zoo.card", "may not use zoo"),
        ("zoo/bad.py", "from kerasmeta.cli import app", "may not use cli"),
        ("kerasmeta/analysis/bad.py", "from kerasmeta._keras import tf", "without"),
        ("kerasmeta/analysis/bad.py", "from kerasmeta import training", "training"),
        ("kerasmeta/layers/bad.py", "import tensorflow as tf", "kerasmeta._keras"),
        ("zoo/bad.py", "from tensorflow.keras import layers", "kerasmeta._keras"),
        ("zoo/bad.py", "import tf_keras", "kerasmeta._keras"),
        ("kerasmeta/__init__.py", "from kerasmeta import layers", "may not use layers"),
        ("kerasmeta/errors.py", "from kerasmeta._keras import tf", "without"),
        ("kerasmeta/plotting/bad.py", "", "give it one in FLOORS"),
    ],
)
def test_a_planted_violation_is_caught(
    path: str, line: str, complaint: str, tmp_path: Path
) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(line)
    [found] = violations(tmp_path)
    assert found.startswith(path)
    assert complaint in found


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("kerasmeta/networks/good.py", "from kerasmeta.layers import DND"),
        ("kerasmeta/agents/good.py", "from kerasmeta.agents.trpo import Batch"),
        ("kerasmeta/analysis/good.py", "from kerasmeta.lifetimes import Lifetimes"),
        ("zoo/good.py", "from . import card\nfrom export import contract"),
        ("export/good.py", "from kerasmeta import UserError, __version__"),
        ("kerasmeta/_keras.py", "import tensorflow as tf"),
        ("kerasmeta/cli/good.py", "import zoo\nimport numpy as np"),
    ],
)
def test_what_is_allowed_is_not_reported(path: str, line: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(line)
    assert violations(tmp_path) == []
