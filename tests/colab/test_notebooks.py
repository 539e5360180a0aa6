"""Notebooks are their texts, can be opened in Colab, and hold nothing private."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from kerasmeta.version import __version__

ROOT = Path(__file__).parents[2]
SIZE = 250_000  # bytes of a notebook with its outputs


def _make() -> Any:
    spec = importlib.util.spec_from_file_location("make", ROOT / "colab" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = _make()
TEXTS = make.texts()
NAMES = [text.stem for text in TEXTS]


def notebook(text: Path) -> Any:
    return nbformat.read(text.with_suffix(".ipynb"), 4)


def bare(notebook: Any) -> list[tuple[str, str, str]]:
    """Everything but outputs."""
    return [(cell.id, cell.cell_type, cell.source) for cell in notebook.cells]


def install_cell(text: Path) -> str:
    return notebook(text).cells[2].source


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_the_notebook_is_its_text(text: Path) -> None:
    rendered, kept = make.render(text), notebook(text)
    assert bare(kept) == bare(rendered), "call make notebooks-render, and commit"
    assert kept.metadata == rendered.metadata
    assert not any(cell.metadata for cell in kept.cells)


def test_every_notebook_has_a_text_and_the_other_way_round() -> None:
    notebooks = sorted(path.stem for path in (ROOT / "colab").glob("*.ipynb"))
    assert notebooks == NAMES
    assert NAMES[0] == "01_first_agent"


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_the_badge_opens_this_notebook_of_this_version(text: Path) -> None:
    title = notebook(text).cells[0].source
    place = f"{make.REPOSITORY}/blob/v{__version__}/colab/{text.stem}.ipynb"
    assert f"https://colab.research.google.com/github/{place}" in title


def test_addresses_are_those_of_one_repository_and_change_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = [*TEXTS, ROOT / "README.md"]
    for path in documents:
        text = path.read_text(encoding="utf-8")
        assert make.addressed(text) == text, "call make notebooks-render, and commit"
    monkeypatch.setattr(make, "REPOSITORY", "somebody/else")
    for path in documents:
        moved = make.addressed(path.read_text(encoding="utf-8"))
        assert "somebody/else" in moved
        assert "kerasmeta/kerasmeta" not in moved


def test_all_install_the_same_version_before_anything_else() -> None:
    (cell,) = {install_cell(text) for text in TEXTS}
    assert f"@v{__version__}" in cell
    # As README tells it to people.
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"pip install --no-deps (tf-agents.*)", readme)
    assert all(f'"{name}"' in cell for name in line.split())


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_outputs_are_small_and_whole_and_of_nobodys_machine(text: Path) -> None:
    path = text.with_suffix(".ipynb")
    assert path.stat().st_size < SIZE
    outputs = [
        output
        for cell in notebook(text).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert outputs, f"call make notebooks-execute NAMES={text.stem}"
    kinds = {output.output_type for output in outputs}
    assert "error" not in kinds
    assert not any(output.get("name") == "stderr" for output in outputs)
    printed = json.dumps([o for o in outputs if o.output_type == "stream"])
    assert not re.search(r"/(home|root|work|tmp|Users)/", printed)


def test_a_budget_is_chosen_by_one_variable() -> None:
    for text in TEXTS:
        assert f'os.environ.get("{make.SMALL}") == "1"' in text.read_text()


def test_outputs_are_kept_down_to_the_first_change(tmp_path: Path) -> None:
    old = make.render(TEXTS[0])
    code = [cell for cell in old.cells if cell.cell_type == "code"]
    for cell in code:
        cell.outputs = [nbformat.v4.new_output("stream", text="kept")]
    make.write(old, tmp_path / "old.ipynb")
    new = make.render(TEXTS[0])
    moved, _, changed = [cell for cell in new.cells if cell.cell_type == "code"][:3]
    changed.source += "\n# changed"
    # Another repository or version is no change.
    kept = make.nbformat.read(tmp_path / "old.ipynb", 4)
    make.code_cells(kept)[0].source = moved.source.replace(make.REPOSITORY, "some/one")
    make.write(kept, tmp_path / "old.ipynb")
    found = make.with_outputs(new, tmp_path / "old.ipynb")
    counts = [len(c.outputs) for c in found.cells if c.cell_type == "code"]
    assert counts[:2] == [1, 1]
    assert not any(counts[2:])
