"""The site's files: pages from cards, figures from analyses, no dead links."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kerasmeta.analysis import analyses
from kerasmeta.analysis.figures import style
from kerasmeta.cli.analyse import analysed
from kerasmeta.cli.gallery import analyse_missing
from kerasmeta.errors import UserError
from kerasmeta.gallery import Built, build
from kerasmeta.gallery.captions import CAPTIONS
from kerasmeta.gallery.entries import Entry
from kerasmeta.gallery.site import MARK
from zoo.markdown import interval

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Page(HTMLParser):
    """What a page holds: ids, addresses, images, text; and whether tags match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, Any]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        self.addresses += [values[k] for k in ("href", "src") if values.get(k)]
        if tag == "img":
            self.images.append(values)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        opened = self.open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def pages(root: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(root.rglob("*.html"))}


def test_every_agent_has_a_card_and_a_page_with_its_numbers(
    site: Built, embedded: list[Entry]
) -> None:
    index = (site.path / "index.html").read_text(encoding="utf-8")
    assert len(embedded) >= 4
    for entry in embedded:
        assert f'href="{entry.page}/index.html"' in index
        page = (site.path / entry.page / "index.html").read_text(encoding="utf-8")
        for name, estimate in entry.manifest.evaluation.metrics.items():
            shown = interval(estimate.mean, estimate.ci95)
            assert f'"row">{name.replace("_", " ")}</th><td>{shown}' in page, name
        for entry_file in entry.manifest.files:
            assert entry_file.sha256 in page
        text = "".join(Page(site.path / entry.page / "index.html").text)
        assert f'zoo.load("{entry.id}")' in text
        assert entry.manifest.provenance.command in text


def analysed_of(entries: list[Entry]) -> list[Entry]:
    """The agents whose latest version was analysed; skips the test if none was."""
    found = [entry for entry in entries if entry.statistics]
    if not found:
        pytest.skip("nothing is in docs/analyses of these versions: run make docs")
    return found


def test_figures_are_those_of_analyse_byte_for_byte(
    site: Built, embedded: list[Entry]
) -> None:
    for entry in analysed_of(embedded):
        for figure in entry.found.glob("*.svg"):
            copy = site.path / entry.page / figure.name
            assert copy.read_bytes() == figure.read_bytes()
            page = (site.path / entry.page / "index.html").read_text(encoding="utf-8")
            assert f'src="{figure.name}"' in page


@pytest.mark.slow
def test_analyse_draws_the_same_figure_again(
    embedded: list[Entry], tmp_path: Path
) -> None:
    """Of one agent: what lies in docs/analyses is what the command gives today."""
    entry = min(analysed_of(embedded), key=lambda one: len(one.manifest.weights()))
    names = [one.name for one in analyses() if one.name in _QUICK]
    name = next(one for one in names if one in entry.statistics["analyses"])
    analysed([entry.id], tmp_path, [name])
    drawn = list(tmp_path.glob("*.svg"))
    for figure in drawn:
        assert figure.read_bytes() == (entry.found / figure.name).read_bytes()
    found = json.loads((tmp_path / "statistics.json").read_text())["analyses"][name]
    assert found == entry.statistics["analyses"][name]


_QUICK = ("stay", "by_trial", "exposure", "metrics")


def test_agents_that_live_in_python_are_not_analysed(
    embedded: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are, where nothing is kept of them."""
    asked: list[str] = []
    monkeypatch.setattr(
        "kerasmeta.cli.gallery.analyse_one", lambda entry, _: asked.append(entry.family)
    )
    analyse_missing([one._replace(found=tmp_path) for one in embedded], None)
    families = {one.family for one in embedded}
    assert set(asked) == {one for one in families if not one.startswith("metaworld_")}


def test_statistics_are_of_the_agent_they_lie_beside(embedded: list[Entry]) -> None:
    """They name version, family and seeds; their metrics agree with the card."""
    for entry in analysed_of(embedded):
        found = entry.statistics
        assert (found["agent"], found["task"]) == (entry.id, entry.family)
        assert len(found["subjects"]) == len(entry.manifest.weights())
        headline = entry.manifest.headline[0]
        seen = found["analyses"]["metrics"]["agent"][headline]
        means = [r.metrics[headline].mean for r in entry.manifest.evaluation.seeds]
        chosen = entry.manifest.evaluation.metrics[headline]
        wanted = chosen.mean if len(found["subjects"]) == 1 else sum(means) / len(means)
        low, high = chosen.ci95  # in other units than shares, 0.02 may be nothing
        assert seen["mean"] == pytest.approx(wanted, abs=max(0.02, high - low))


def test_learning_curves_of_all_seeds_are_drawn(
    site: Built, embedded: list[Entry]
) -> None:
    with_curves = [entry for entry in embedded if entry.curves]
    assert with_curves
    for entry in with_curves:
        assert set(entry.curves) == set(entry.manifest.provenance.seeds)
        assert (site.path / entry.page / "learning_curve.svg").exists()


def test_agents_that_play_have_their_published_weights_beside_them(
    site: Built, embedded: list[Entry]
) -> None:
    playing = [entry for entry in embedded if entry.plays]
    assert [entry.manifest.id for entry in playing] == list(site.playable)
    for entry in playing:
        copy = site.path / entry.page / "weights.safetensors"
        assert copy.read_bytes() == (entry.directory / copy.name).read_bytes()
        text = (site.path / entry.page / "index.html").read_text(encoding="utf-8")
        data = re.search(r'id="live-data">(.*?)</script>', text, re.DOTALL)
        assert data is not None
        live = json.loads(data[1])
        assert live["config"] == entry.config
        assert live["gamma"] == entry.manifest.provenance.config["trpo"]["gamma"]


def test_the_links_lead_somewhere_and_the_tags_match(site: Built) -> None:
    found = pages(site.path)
    assert len(found) > 10
    for path, page in found.items():
        assert not page.open, f"{path}: {page.open} is not closed"
        assert len(set(page.ids)) == len(page.ids), f"{path}: an id is there twice"
        for address in page.addresses:
            if re.match(r"(https?|mailto|data):", address):
                continue
            file, _, anchor = address.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.exists(), f"{path}: {address}"
            if anchor and target.suffix == ".html":
                assert anchor in found[target].ids, f"{path}: {address}"


def test_every_figure_of_an_analysis_has_its_words(embedded: list[Entry]) -> None:
    for entry in embedded:
        for figure in entry.found.glob("*.svg"):
            words = CAPTIONS.get(figure.stem)
            assert words is not None, f"{figure.stem}: add a caption"
            drawn = entry.statistics.get("analyses", {})
            assert not drawn or (words.analysis or figure.stem) in drawn


def test_no_page_of_an_agent_is_heavy(site: Built) -> None:
    """With everything that it loads, shared files too."""
    shared = sum(p.stat().st_size for p in site.path.glob("assets/**/*") if p.is_file())
    for id in site.agents:
        own = sum(p.stat().st_size for p in (site.path / "agents" / id).iterdir())
        assert own + shared < 1.5 * 2**20, f"{id}: {(own + shared) / 2**20:.2f} MiB"


def test_images_have_words_and_measures(site: Built) -> None:
    for path, page in pages(site.path).items():
        for image in page.images:
            assert len(image.get("alt", "")) > 10, f"{path}: {image}"
            if "agents" in path.parts:
                assert int(image["width"]) > 100


def test_nothing_is_loaded_from_elsewhere(site: Built) -> None:
    namespace = "http://www.w3.org/2000/svg"
    for path in [*site.path.rglob("*.css"), *site.path.rglob("*.js")]:
        assert "http" not in path.read_text(encoding="utf-8").replace(namespace, "")
    loads = r'(?:<script[^>]*src|<link[^>]*href|<img src)="(http[^"]+)"'
    for path in site.path.rglob("*.html"):
        assert not re.findall(loads, path.read_text(encoding="utf-8")), path


def test_the_colours_are_those_of_the_figures(site: Built) -> None:
    sheet = (site.path / "assets" / "gallery.css").read_text(encoding="utf-8")
    for name in ("BLUE", "VERMILLION", "GREEN", "INK"):
        assert f"--style-{name.lower()}:{getattr(style, name)};" in sheet


def test_a_gallery_is_replaced_and_nothing_else_is(
    site: Built, embedded: list[Entry], tmp_path: Path
) -> None:
    out = tmp_path / "site"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is no folder"):
        build(tmp_path / "file", [])
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="holds something that is no gallery"):
        build(out, [])
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
    (out / MARK).touch()
    built = build(out, embedded[:1])
    assert built.agents == (embedded[0].manifest.id,)
    assert not (out / "thesis.tex").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "site"]
