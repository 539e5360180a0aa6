"""From markdown, code and templates to HTML."""

from __future__ import annotations

import functools
import html
import itertools
import re
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

TEMPLATES = Path(__file__).parent / "templates"


class Document(NamedTuple):
    """A rendered page of text."""

    title: str  # of its first heading
    body: str  # HTML, without that heading
    headings: tuple[tuple[str, str], ...]  # (anchor, text) of the second level
    summary: str  # its first paragraph, as text


def render_template(name: str, **values: Any) -> str:
    """A page from a template; values are escaped."""
    return _environment().get_template(name).render(**values)


def render_markdown(text: str) -> Document:
    """A markdown page: links to other `.md` pages lead to their HTML."""
    parser = _parser()
    tokens = parser.parse(text)
    title, headings, summary = "", [], ""
    names: set[str] = set()
    kept: list[Token] = []
    skipping = False
    for n, token in enumerate(tokens):
        inner = tokens[n + 1] if n + 1 < len(tokens) else None
        if token.type == "heading_open" and inner is not None:
            words = plain(inner)
            if token.tag == "h1" and not title:
                title, skipping = words, True
            name = unused(anchor(words), names)
            token.attrSet("id", name)
            if token.tag == "h2":
                headings.append((name, words))
        elif token.type == "paragraph_open" and inner is not None and not summary:
            pictured = any(child.type == "image" for child in inner.children or [])
            summary = "" if pictured else plain(inner)
        if not skipping:
            kept.append(token)
        if token.type == "heading_close":
            skipping = False
    body = parser.renderer.render(kept, parser.options, {})
    return Document(title, _in_boxes(body), tuple(headings), summary)


def plain(inline: Token) -> str:
    """The text of an inline token, without its markup."""
    parts = [child.content or " " for child in inline.children or []]
    return " ".join("".join(parts).split())


def anchor(words: str) -> str:
    """What a heading is called in a link, as on GitHub."""
    kept = re.sub(r"[^\w\- ]", "", words.lower())
    return kept.strip().replace(" ", "-")


def unused(name: str, names: set[str]) -> str:
    """The name, or the first `name-1`, `name-2`, ... that is not taken; takes it."""
    numbered = (f"{name}-{n}" if n else name for n in itertools.count())
    found = next(one for one in numbered if one not in names)
    names.add(found)
    return found


def code_block(code: str, language: str) -> str:
    """Code in colours, or plain where the language is not known."""
    if language in ("sh", "shell", "console", "text", ""):
        language = "bash" if language in ("sh", "shell", "console") else "text"
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    coloured = highlight(code, lexer, HtmlFormatter(nowrap=True))
    # A box that scrolls must be reachable by keyboard, and so have a name.
    return (
        '<pre class="code" tabindex="0" role="region" aria-label="code"><code>'
        f"{coloured}</code></pre>\n"
    )


def _fence(tokens: list[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return code_block(token.content, (token.info or "").strip().split(" ")[0])


def _indented(tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return code_block(tokens[index].content, "python")


def _link(tokens: list[Token], index: int) -> None:
    """Leads links to `.md` pages to their HTML; what is not in the site is no link."""
    elsewhere = False
    for token in tokens[index].children or []:
        href = str(token.attrGet("href") or "")
        if token.type == "link_open" and not re.match(r"[a-z]+:", href):
            elsewhere = href.startswith("../")
            token.attrSet("href", re.sub(r"\.md(?=#|$)", ".html", href))
        if elsewhere and token.type in ("link_open", "link_close"):
            token.tag, token.attrs = "span", {}
            elsewhere = token.type == "link_open"


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.add_render_rule("fence", lambda self, *rest: _fence(*rest))
    parser.add_render_rule("code_block", lambda self, *rest: _indented(*rest))

    def relink(state: Any) -> None:
        for n in range(len(state.tokens)):
            _link(state.tokens, n)

    parser.core.ruler.push("relink", relink)
    return parser


def _in_boxes(body: str) -> str:
    """Wide tables scroll inside a box of their own."""
    box = '<div class="scrolls" tabindex="0" role="region" aria-label="table"><table>'
    return body.replace("<table>", box).replace("</table>", "</table></div>")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["number"] = _number
    environment.filters["words"] = lambda name: name.replace("_", " ")
    environment.filters["breakable"] = breakable
    environment.filters["code"] = lambda text, language: code_block(text, language)
    return environment


def _number(value: Any) -> str:
    """Three decimals, a dash for nothing."""
    return "\N{EN DASH}" if value is None else f"{value:.3f}"


def breakable(name: str) -> str:
    """A name as HTML that may be broken after dots and underscores."""
    return re.sub(r"(?<=[._])(?=\w)", "<wbr>", html.escape(name))


def escape(text: str) -> str:
    """Text as HTML has it."""
    return html.escape(text)
