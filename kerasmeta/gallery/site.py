"""The site: every page, written into a folder that appears whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.analysis.figures import style
from kerasmeta.errors import UserError
from kerasmeta.gallery import library
from kerasmeta.gallery.agent_page import agent_values, copy_files, plates_found
from kerasmeta.gallery.entries import Entry
from kerasmeta.gallery.figures import from_manifest, learning_plate
from kerasmeta.gallery.playing import STATIC
from kerasmeta.gallery.rendering import render_template
from kerasmeta.gallery.thumbnails import thumbnail
from kerasmeta.version import __version__

MARK = ".kerasmeta-gallery"  # a folder that holds this file may be built anew
COLOURS = ("BLUE", "ORANGE", "GREEN", "VERMILLION", "PURPLE", "SKY", "INK", "GREY")


class Built(NamedTuple):
    """What was built."""

    path: Path
    agents: tuple[str, ...]  # family/agent
    playable: tuple[str, ...]  # those that run in the browser
    pages: int


def build(
    out: Path,
    entries: Sequence[Entry],
    docs: Path | None = None,
    tell: Callable[[str], Any] = lambda text: None,
) -> Built:
    """Builds the site.

    Args:
        out: Its folder. A gallery that is there already is replaced.
        entries: The agents.
        docs: The folder of markdown pages; None: only what is made from code.
        tell: Told what is done next.

    Raises:
        UserError: There is something else in `out`.
    """
    check_out(out)
    temporary = out.with_name(f".{out.name}.building")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        built = _write(temporary, entries, docs, tell)
        if out.exists():
            shutil.rmtree(out)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return built._replace(path=out)


def check_out(out: Path) -> None:
    """Refuses a folder whose contents are not a gallery's.

    Raises:
        UserError: See above.
    """
    fix = "choose a new or empty folder"
    if out.exists() and not out.is_dir():
        raise UserError("--out", str(out), "is no folder", fix)
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).exists():
        raise UserError("--out", str(out), "holds something that is no gallery", fix)


def _write(
    root: Path, entries: Sequence[Entry], docs: Path | None, tell: Callable[[str], Any]
) -> Built:
    (root / MARK).touch()
    _write_assets(root)
    for entry in entries:
        tell(entry.manifest.id)
        _write_agent(root, entry)
    _write_index(root, entries)
    tell("documentation")
    pages = library.pages(entries, docs)
    _write_documents(root, pages, docs)
    return Built(
        root,
        tuple(entry.manifest.id for entry in entries),
        tuple(entry.manifest.id for entry in entries if entry.plays),
        len(list(root.rglob("*.html"))),
    )


def _write_assets(root: Path) -> None:
    assets = root / "assets"
    shutil.copytree(STATIC / "js", assets / "js")
    shutil.copyfile(STATIC / "icon.svg", assets / "icon.svg")
    names = (*COLOURS, "FAINT", "BAND")
    hues = "".join(f"--style-{name.lower()}:{getattr(style, name)};" for name in names)
    sheet = (STATIC / "css" / "gallery.css").read_text(encoding="utf-8")
    (assets / "gallery.css").write_text(f":root{{{hues}}}\n{sheet}", encoding="utf-8")


def _write_agent(root: Path, entry: Entry) -> None:
    folder = root / entry.page
    folder.mkdir(parents=True)
    copy_files(entry, folder)
    plates = plates_found(entry, folder) or from_manifest(entry, folder)
    plates += learning_plate(entry, folder)
    _write_page(
        root,
        f"{entry.page}/index.html",
        "agent.html",
        section="agents",
        title=entry.manifest.id,
        **agent_values(entry, plates),
    )


def _write_index(root: Path, entries: Sequence[Entry]) -> None:
    _write_page(
        root,
        "index.html",
        "index.html",
        section="agents",
        title="Agents that learnt to learn",
        description="A zoo of trained episodic meta-reinforcement-learning agents.",
        entries=[_card(entry) for entry in entries],
        families=sorted({entry.family for entry in entries}),
    )


def _card(entry: Entry) -> dict[str, Any]:
    manifest = entry.manifest
    words = [manifest.id, manifest.kind, manifest.description, *manifest.papers]
    metrics = manifest.evaluation.metrics
    return {
        "family": entry.family,
        "agent": manifest.id.partition("/")[2],
        "kind": manifest.kind,
        "plays": entry.plays,
        "page": entry.page,
        "text": " ".join([*words, *manifest.headline]),
        "thumbnail": thumbnail(manifest),
        "headline": [
            {"name": name, "mean": metrics[name].mean} for name in manifest.headline[:3]
        ],
        "seeds": len(manifest.evaluation.seeds),
    }


def _write_documents(
    root: Path, pages: Sequence[library.Page], docs: Path | None
) -> None:
    shelf = library.shelf(pages)
    if docs is not None and (docs / "images").is_dir():
        shutil.copytree(docs / "images", root / "docs" / "images")
    for page in pages:
        document = page.document
        _write_page(
            root,
            page.path,
            "document.html",
            section=_section(page.path),
            title=document.title,
            description=document.summary,
            path=page.path,
            shelf=shelf,
            headings=document.headings,
            body=document.body,
        )
    depth = "../" * library.HOME.count("/")
    _write_page(
        root,
        library.HOME,
        "document.html",
        section="Documentation",
        title="Documentation",
        description="How to use the agents, how they work, what every name does.",
        path=library.HOME,
        shelf=shelf,
        headings=(),
        body=render_template("shelf.html", shelf=shelf, root=depth),
    )


def _section(path: str) -> str:
    """The entry of the navigation that a page belongs to."""
    own = {library.RESULTS: "Reproduction"}
    return own.get(path, "Documentation")


NAVIGATION = (("Documentation", library.HOME), ("Reproduction", library.RESULTS))


def _write_page(root: Path, target: str, template: str, **values: Any) -> None:
    text = render_template(
        template,
        root="../" * target.count("/"),
        navigation=NAVIGATION,
        version=__version__,
        **values,
    )
    file = root / target
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
