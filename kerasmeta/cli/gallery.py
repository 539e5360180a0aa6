"""`kerasmeta gallery`."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.errors import UserError

if TYPE_CHECKING:
    from kerasmeta.gallery.entries import Entry

_NEEDED = ("griffe", "jinja2", "markdown_it", "pygments")
_CHECKOUT = Path(__file__).parents[2]  # where docs/ is, in a checkout
_ON_REQUEST = ("dose_response",)  # analyses on a page besides those done by default


def gallery(
    out: Annotated[Path, typer.Option(help="The folder of the site.")],
    docs: Annotated[
        Path | None,
        typer.Option(help="Markdown pages; by default docs/ of the checkout."),
    ] = None,
    analyses: Annotated[
        Path | None,
        typer.Option(
            help="Where the analyses of agents are kept between builds; by default "
            "docs/analyses of the checkout, else the user's cache.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Do not analyse agents that nobody has analysed."),
    ] = False,
    registry: console.Registry = None,
    json: console.Json = False,
) -> None:
    """Build a static site of the zoo's agents, with the documentation."""
    check_installed()
    docs = check_docs(docs)
    from kerasmeta.gallery import build
    from kerasmeta.gallery.entries import entries
    from kerasmeta.gallery.site import check_out

    check_out(out)
    began = time.monotonic()
    opened = console.open_registry(registry)
    kept = analyses or default_analyses(None if registry else docs)
    found = entries(opened, kept)
    if not quick:
        analyse_missing(found, registry)
    built = build(out, found, docs)
    seconds = time.monotonic() - began
    if json:
        report = {**built._asdict(), "path": str(built.path)}
        console.print_json({**report, "seconds": round(seconds, 1)})
        return
    console.say(
        f"{len(built.agents)} agents ({len(built.playable)} play in the browser), "
        f"{built.pages} pages in {built.path}, {seconds:.0f} s"
    )
    console.say(f"look at it: python -m http.server --directory {built.path}")


def check_installed() -> None:
    """Refuses an installation without the libraries that make pages."""
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise UserError(
                "gallery",
                name,
                "is not installed",
                "pip install 'kerasmeta[gallery]'",
            )


def check_docs(docs: Path | None) -> Path | None:
    """The folder of markdown pages: the one given, the checkout's, or none."""
    if docs is not None and not docs.is_dir():
        raise UserError("--docs", str(docs), "is no folder", "give one with .md files")
    ours = _CHECKOUT / "docs"
    return docs or (ours if ours.is_dir() else None)


def default_analyses(docs: Path | None) -> Path:
    """Where analyses are kept if nobody says."""
    if docs is not None:
        return docs / "analyses"
    import platformdirs

    return Path(platformdirs.user_cache_path("kerasmeta")) / "gallery"


def analyse_missing(found: Sequence[Entry], registry: list[str] | None) -> None:
    """Analyses the agents of which nothing is kept yet.

    Those that live in Python's environments, Gymnasium's and Meta-World's, are left
    out: a thousand lifetimes take hours there, and say little that their cards do not.
    """
    from kerasmeta.tasks import is_gymnasium, is_metaworld

    for entry in found:
        in_python = is_gymnasium(entry.family) or is_metaworld(entry.family)
        if not entry.statistics and not in_python:
            analyse_one(entry, registry)


def analyse_one(entry: Entry, registry: list[str] | None) -> None:
    """What `kerasmeta analyse ID` writes, and its lesion curve, into `entry.found`."""
    from kerasmeta.cli.analyse import analysed
    from kerasmeta.gallery.entries import STATISTICS
    from kerasmeta.training.run_directory import to_json

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found: dict[str, Any] = {}
        for names in (None, list(_ON_REQUEST)):
            report = analysed([entry.id], folder, names, registry=registry)
            found |= report["analyses"]
        report |= {"analyses": found, "manifest_sha256": entry.sha256}
        del report["files"]
        entry.found.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.svg"):
            shutil.copyfile(path, entry.found / path.name)
        # Last: its presence says that all is there.
        text = to_json(report)
        (entry.found / STATISTICS).write_text(text, encoding="utf-8")
