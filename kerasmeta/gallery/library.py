"""The documentation: pages of text, and those made from code and from cards."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.gallery import reference, reproduction
from kerasmeta.gallery.entries import Entry
from kerasmeta.gallery.rendering import Document, render_markdown, render_template

HOME = "docs/index.html"
RESULTS, BENCHMARKS = "docs/reproduction.html", "docs/benchmarks.html"
REFERENCE = "docs/reference"
_FIRST = ("tutorial", "concepts")  # in this order; every other page is a how-to


class Page(NamedTuple):
    """A page of the documentation."""

    path: str  # in the site
    group: str  # heading on the shelf
    document: Document

    @property
    def title(self) -> str:
        return self.document.title

    @property
    def summary(self) -> str:
        return self.document.summary


def pages(entries: Sequence[Entry], docs: Path | None) -> list[Page]:
    """All pages, in the order of the shelf.

    Args:
        entries: The agents, for the reproduction table.
        docs: The folder of markdown pages; None: only what is made from code.
    """
    written = [] if docs is None else _written(docs)
    made = [_reproduction(entries)]
    if docs is not None and (results := docs.parent / "benchmarks/RESULTS.md").exists():
        made.append(_benchmarks(results))
    return [*written, *made, *_reference()]


def shelf(found: Sequence[Page]) -> list[tuple[str, list[Page]]]:
    """The pages by group, groups in order of appearance."""
    ordered = sorted(found, key=lambda page: _ORDER.index(page.group))
    grouped = itertools.groupby(ordered, key=lambda page: page.group)
    return [(group, list(inside)) for group, inside in grouped]


_ORDER = ["Learn", "How to", "Results", "Reference"]


def _written(docs: Path) -> list[Page]:
    found = sorted(docs.glob("*.md"), key=lambda path: _place(path.stem))
    return [
        Page(
            f"docs/{path.stem}.html",
            "Learn" if path.stem in _FIRST else "How to",
            render_markdown(path.read_text(encoding="utf-8")),
        )
        for path in found
    ]


def _place(stem: str) -> tuple[int, str]:
    return (_FIRST.index(stem) if stem in _FIRST else len(_FIRST), stem)


def _reproduction(entries: Sequence[Entry]) -> Page:
    rows = reproduction.rows([entry.manifest for entry in entries])
    families: list[tuple[str, list[dict[str, Any]]]] = []
    for family, of_family in itertools.groupby(rows, key=lambda row: row.family):
        groups = itertools.groupby(of_family, key=lambda row: (row.agent, row.label))
        families.append((family, [_group(list(inside)) for _, inside in groups]))
    lifetimes = sorted({entry.manifest.evaluation.lifetimes for entry in entries})
    body = render_template(
        "reproduction.html",
        families=families,
        lifetimes=" or ".join(f"{n:,}" for n in lifetimes) or "no",
        root="../",
    )
    headings = tuple((family, family.replace("_", " ")) for family, _ in families)
    document = Document("Reproduction", body, headings, _REPRODUCTION)
    return Page(RESULTS, "Results", document)


_REPRODUCTION = "What was published, what our agents do, and the command that shows it."


def _group(rows: list[reproduction.Row]) -> dict[str, Any]:
    first = rows[0]
    return {
        "label": first.label,
        "agent": first.agent,
        "source": first.source,
        "command": first.command,
        "rows": rows,
    }


def _benchmarks(results: Path) -> Page:
    document = render_markdown(results.read_text(encoding="utf-8"))
    return Page(BENCHMARKS, "Results", document._replace(title="Benchmarks"))


def _reference() -> list[Page]:
    found = []
    for package in reference.packages():
        body = render_template("package.html", package=package)
        first = render_markdown(package.summary).summary
        headings = tuple((name.name, name.name) for name in package.names)
        document = Document(package.path, body, headings, first)
        found.append(Page(f"{REFERENCE}/{package.path}.html", "Reference", document))
    return found
