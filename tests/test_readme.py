"""The documents for newcomers: what they print runs, and what they list is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import zoo
from kerasmeta import tasks
from kerasmeta.cli import app
from kerasmeta.version import __version__
from zoo.registry import Registry
from zoo.table import MARKER, replace_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands() -> dict[str, set[str]]:
    """Every command of the program (`zoo list`) with its options."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
        inner = getattr(command, "commands", {})
        for name, found in inner.items():
            yield from walk(found, (*path, name))
        if not inner:
            yield " ".join(path), {o for p in command.params for o in p.opts}

    return dict(walk(typer.main.get_command(app), ()))


def command_lines(document: str) -> list[str]:
    """The lines of a document's shell blocks that call the program."""
    text = (ROOT / document).read_text(encoding="utf-8")
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("kerasmeta ")]


def test_the_python_blocks_run_as_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERASMETA_REGISTRY", raising=False)
    names: dict[str, Any] = {}
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), names)
    printed = float(capsys.readouterr().out)
    # The last of 100 lifetimes' mean reward a step; 101 steps with 100 trials.
    assert 0.70 < printed < 0.78
    assert names["lifetimes"].action.shape[0] == 100
    assert names["gate"].shape == (8, 48)
    assert ((names["gate"] >= 0) & (names["gate"] <= 1)).numpy().all()


def test_loading_and_running_takes_six_lines() -> None:
    lines = blocks(README, "python")[0].splitlines()
    assert len([line for line in lines if line]) == 6


def test_the_table_of_agents_is_current() -> None:
    embedded = Registry(Path(zoo.__file__).parent / "agents")
    current = replace_table(README, embedded.list())
    assert current == README, "call make zoo-table, and commit README.md"


def test_figures_outside_the_table_are_not_written_by_hand() -> None:
    before, _, after = README.split(MARKER)
    prose = re.sub(r"```.*?```|\(http[^)]*\)", "", before + after, flags=re.DOTALL)
    # Versions and identifiers have more digits before the point, or more points.
    assert not re.findall(r"(?<![\w.])[01]?\.\d{2,}(?![\w.]*\d)", prose)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_exist_with_their_options(document: str) -> None:
    known, lines = commands(), command_lines(document)
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        beginnings = [" ".join(words[:n]) for n in (1, 2, 3)]
        name = next((name for name in beginnings if name in known), "")
        assert name, line
        options = {word for word in words if word.startswith("--")}
        assert options <= known[name], line


def test_every_command_and_every_family_is_named() -> None:
    shown = command_lines("README.md")
    for command in commands():
        assert any(line.startswith(f"kerasmeta {command}") for line in shown), command
    for family in tasks.names():
        assert f"| `{family}` |" in README, f"add a row for {family}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_make_targets_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M)
    assert set(named) <= targets


def test_the_version_is_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation
    assert f"\n## {__version__} (" in changes
