"""The documentation: nothing public without words, no command that does not exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kerasmeta.analysis import published
from kerasmeta.cli import app
from kerasmeta.gallery import Built, reference, reproduction
from kerasmeta.gallery.entries import Entry
from kerasmeta.gallery.library import RESULTS
from kerasmeta.gallery.rendering import render_markdown

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
WITH_PYTHON = ("tutorial", "load-and-act", "lesions-and-recordings", "fine-tuning")


@pytest.fixture(scope="module")
def packages() -> list[reference.Package]:
    return reference.packages()


def test_every_public_name_is_in_the_reference_with_words(
    packages: list[reference.Package], site: Built
) -> None:
    by_path = {package.path: package for package in packages}
    assert {"TRPOAgent", "EpisodicAgent"} <= _names(by_path["kerasmeta.agents"])
    assert {"load", "publish", "Manifest"} <= _names(by_path["zoo"])
    for package in packages:
        assert package.summary, f"{package.path} has no docstring"
        page = site.path / "docs" / "reference" / f"{package.path}.html"
        text = page.read_text(encoding="utf-8")
        for one in package.names:
            assert f'id="{one.name}"' in text
            if one.kind in ("class", "function"):
                assert one.documented, f"{package.path}.{one.name} has no docstring"


def _names(package: reference.Package) -> set[str]:
    return {one.name for one in package.names}


def test_sections_of_docstrings_become_lists() -> None:
    arguments = "Args:\n    x: `[B]`, in seconds.\n        More."
    text = f"Does it.\n\n{arguments}\n\nReturns:\n    y_z."
    body = reference.render_docstring(text)
    assert "<dt><code>x</code></dt>" in body
    for words in ("in seconds.", "More.", "<h4>Returns</h4>", "y_z."):
        assert words in body


def test_an_undocumented_name_is_found(tmp_path: Path) -> None:
    for top in reference.PACKAGES:
        (tmp_path / top).mkdir()
        (tmp_path / top / "__init__.py").write_text(
            '"""P."""\n\n__all__ = ["f", "g"]\n\n\ndef f():\n    """F."""\n\n\n'
            "def g(x: int = 3) -> str: ...\n"
        )
    first = reference.packages(tmp_path)[0]
    assert [one.documented for one in first.names] == [True, False]
    assert first.names[1].signature == "g(x: int = 3) -> str"


def commands() -> dict[str, set[str]]:
    """Every command of the program (`zoo list`) with its options."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
        inner = getattr(command, "commands", {})
        for name, found in inner.items():
            yield from walk(found, (*path, name))
        if not inner:
            yield " ".join(path), {o for p in command.params for o in p.opts}

    return dict(walk(typer.main.get_command(app), ()))


def command_lines(text: str) -> list[str]:
    """The lines in shell blocks, and in backquotes, that call the program."""
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, flags=re.DOTALL)
    joined = [block.replace("\\\n", " ") for block in blocks]
    lines = [line.strip() for block in joined for line in block.splitlines()]
    quoted = re.findall(
        r"`(kerasmeta [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S)
    )
    found = [line.removeprefix("$ ") for line in [*lines, *quoted]]
    return [line for line in found if re.match(r"kerasmeta [a-z]", line)]


def stale(line: str, known: dict[str, set[str]]) -> str:
    """What is wrong with a command line: nothing, as a rule."""
    words = shlex.split(line, comments=True)[1:]
    beginnings = [" ".join(words[:n]) for n in (1, 2, 3)]
    groups = {name.rpartition(" ")[0] for name in known}
    name = next((name for name in beginnings if name in known), "")
    if not name:
        return "" if beginnings[0] in groups and len(words) == 1 else "no such command"
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    return ", ".join(sorted(options - known[name] - {"--help"}))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_commands_exist_with_their_options(path: Path) -> None:
    known = commands()
    for line in command_lines(path.read_text(encoding="utf-8")):
        assert not stale(line, known), f"{path.name}: {line}: {stale(line, known)}"


def test_a_stale_command_is_found() -> None:
    command = "kerasmeta train two_step \\\n  --steps 3 --speed 9"
    text = f"```sh\n{command}\n```\n`kerasmeta fly`"
    known = commands()
    assert [stale(line, known) for line in command_lines(text)] == [
        "--speed",
        "no such command",
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_is_in_the_site_with_its_links(path: Path, site: Built) -> None:
    text = path.read_text(encoding="utf-8")
    document = render_markdown(text)
    assert document.title, f"{path.name} has no first heading"
    assert (site.path / "docs" / f"{path.stem}.html").exists()
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PYTHON)
def test_the_python_of_our_pages_runs(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks
    values: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, name, "exec"), values)


def test_the_reproduction_table_has_every_published_number(
    embedded: list[Entry], site: Built
) -> None:
    rows = reproduction.rows([entry.manifest for entry in embedded])
    page = (site.path / RESULTS).read_text(encoding="utf-8")
    known = {entry.family for entry in embedded}
    for family in known:
        for entry in published(family).values():
            of_entry = [r for r in rows if (r.family, r.label) == (family, entry.label)]
            assert {row.metric for row in of_entry} == set(entry.values)
            assert entry.source[:40] in page
    ours = {entry.manifest.id: entry.manifest for entry in embedded}
    for row in rows:
        assert row.mean == ours[row.agent].evaluation.metrics[row.metric].mean
        assert f"{row.value:.2f}</td><td>{row.mean:.3f}" in page


def test_a_source_without_memory_is_compared_with_agents_without(
    embedded: list[Entry],
) -> None:
    rows = reproduction.rows([entry.manifest for entry in embedded])
    agents = {row.agent for row in rows if row.label == "AlKhamissi 2020, no memory"}
    assert agents == {"episodic_two_step/lstm"}
