"""What a newcomer expects of a repository: templates, targets, a citation."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# The fields of CFF 1.2.0 that everything needs, and those of references.
CITATION = {"cff-version", "message", "title", "authors"}
REFERENCE = {"type", "title", "authors"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "template", [t for t in TEMPLATES if t.stem != "config"], ids=lambda path: path.stem
)
def test_an_issue_template_is_a_form(template: Path) -> None:
    form = load(template)
    assert set(form) == {"name", "description", "labels", "body"}
    fields = form["body"]
    assert any(field.get("validations", {}).get("required") for field in fields)
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names)
    for field in fields:
        assert field["type"] in {"input", "textarea", "checkboxes"}
        assert field["attributes"]["label"]


def test_templates_name_checklists_that_are_there() -> None:
    named = set()
    for template in TEMPLATES:
        named |= set(re.findall(r'checklist "([^"]+)"', template.read_text()))
    assert named == {"Adding a task family", "Adding an agent to the zoo"}
    for checklist in named:
        assert f"\n## {checklist}\n" in CONTRIBUTING


def test_the_citation_is_whole() -> None:
    citation = load(ROOT / "CITATION.cff")
    assert citation.keys() >= CITATION
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["license"] == "Apache-2.0"
    for reference in citation["references"]:
        assert reference.keys() >= REFERENCE, reference["title"]
        assert "year" in reference or reference["type"] == "thesis"
        for author in reference["authors"]:
            assert author.keys() == {"family-names", "given-names"}
    for author in citation["authors"]:
        assert author.keys() == {"name"}


def test_make_lists_the_targets_a_newcomer_guesses() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = {line.split()[0] for line in listed.splitlines() if line}
    assert targets >= {
        *("help", "setup", "demo", "test", "slow", "lint", "format", "types", "bench"),
        *("notebooks", "notebooks-colab", "wheel", "lock", "clean"),
    }
