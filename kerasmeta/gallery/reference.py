"""The reference: every public name with its signature and docstring.

Read from the source (griffe), so that building it imports nothing.
"""

from __future__ import annotations

import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import griffe

from kerasmeta.gallery.rendering import escape, render_markdown

ROOT = Path(__file__).parents[2]
PACKAGES = ("kerasmeta", "zoo", "export")
_HIDDEN = ("kerasmeta.cli", "kerasmeta.gallery")  # commands, not for import
_BY_MODULE = ("kerasmeta.training",)  # its names are imported from its modules


class Name(NamedTuple):
    """A public name of a package."""

    name: str
    kind: str  # "class", "function" or "attribute"
    signature: str
    body: str  # HTML of its docstring
    documented: bool
    members: tuple[Name, ...] = ()


class Package(NamedTuple):
    """A package and its public names, in the order of `__all__`."""

    path: str  # kerasmeta.tasks
    summary: str  # the first line of its docstring
    body: str  # HTML of its docstring
    names: tuple[Name, ...]


def packages(root: Path = ROOT) -> list[Package]:
    """Every package with an `__all__`, and what else is meant to be imported."""
    loader = griffe.GriffeLoader(search_paths=[str(root)], allow_inspection=False)
    found = []
    for top in PACKAGES:
        module = loader.load(top, try_relative_path=False)
        loader.resolve_aliases(implicit=True, external=False)
        found += [_package(one) for one in _with_names(module)]
    return found


def _with_names(module: Any) -> Iterator[Any]:
    if module.path.startswith(_HIDDEN):
        return
    if module.is_init_module and module.exports:
        yield module
    for inner in sorted(module.modules.values(), key=lambda one: str(one.path)):
        if inner.is_alias or inner.name.startswith("_"):
            continue
        if inner.is_init_module:
            yield from _with_names(inner)
        elif module.path in _BY_MODULE and _exported(inner):
            yield inner


def _exported(module: Any) -> list[str]:
    """`__all__`, or what a module defines and does not hide."""
    if module.exports:
        return [str(getattr(name, "name", name)) for name in module.exports]
    return [
        name
        for name, found in module.members.items()
        if not (name.startswith("_") or found.is_alias)
        and (found.is_class or found.is_function)
    ]


def _package(module: Any) -> Package:
    names = [_name(module, name) for name in _exported(module)]
    text = module.docstring.value if module.docstring else ""
    summary = text.strip().split("\n\n")[0]
    body = _docstring(module)[0]
    return Package(module.path, summary, body, tuple(n for n in names if n))


def _name(module: Any, name: str) -> Name | None:
    found = module.members.get(name)
    if found is None or found.is_module:
        return None
    try:
        found = found.final_target if found.is_alias else found
    except griffe.AliasResolutionError:
        return None
    return _describe(found, name)


def _describe(found: Any, name: str) -> Name:
    body, documented = _docstring(found)
    kind = found.kind.value
    members: tuple[Name, ...] = ()
    if found.is_class:
        members = tuple(_members(found))
    return Name(name, kind, _signature(found, name), body, documented, members)


def _members(found: Any) -> Iterator[Name]:
    for name, member in found.members.items():
        if name.startswith("_") or member.is_alias or not member.docstring:
            continue
        if member.is_function or member.is_attribute:
            yield _describe(member, name)


def _signature(found: Any, name: str) -> str:
    if found.is_attribute:
        value = f" = {found.value}" if found.value is not None else ""
        note = f": {found.annotation}" if found.annotation is not None else ""
        text = f"{name}{note}{value}"
        return text if len(text) < 200 else f"{name}{note}"
    call = found
    if found.is_class:
        call = found.members.get("__init__")
        if call is None or call.is_alias:
            return name
    parameters = [_parameter(one) for one in call.parameters if one.name != "self"]
    arguments = ", ".join(one for one in parameters if one)
    returned = ""
    if not found.is_class and call.returns is not None:
        returned = f" -> {call.returns}"
    return f"{name}({arguments}){returned}"


def _parameter(one: Any) -> str:
    stars = {"variadic positional": "*", "variadic keyword": "**"}
    prefix = stars.get(one.kind.value, "") if one.kind else ""
    note = f": {one.annotation}" if one.annotation is not None else ""
    bare = one.default is None or prefix
    default = "" if bare else f"{' = ' if note else '='}{one.default}"
    return f"{prefix}{one.name}{note}{default}"


def _docstring(found: Any) -> tuple[str, bool]:
    """(HTML, whether there is any)."""
    if not found.docstring:
        return "", False
    text = inspect.cleandoc(found.docstring.value)
    return render_docstring(text), True


_SECTION = re.compile(
    r"^(Args|Returns|Raises|Attributes|Yields|Call arguments):[ ]*$", re.MULTILINE
)


def render_docstring(text: str) -> str:
    """A docstring as HTML: prose by markdown, sections as lists of definitions."""
    parts = _SECTION.split(text)
    out = [render_markdown(_prose(parts[0])).body]
    for title, block in zip(parts[1::2], parts[2::2], strict=True):
        inside, _, after = _indented(block)
        out.append(f"<h4>{escape(title)}</h4>")
        out.append(_definitions(inside, title))
        if after.strip():
            out.append(render_markdown(_prose(after)).body)
    return "".join(out)


def _indented(block: str) -> tuple[str, str, str]:
    """The indented part of a section, and what follows it."""
    lines = block.strip("\n").split("\n")
    end = next((n for n, s in enumerate(lines) if s and s[0] != " "), len(lines))
    inside = textwrap.dedent("\n".join(lines[:end])).strip("\n")
    return inside, "", "\n".join(lines[end:])


def _definitions(inside: str, title: str) -> str:
    entries = re.split(r"\n(?=\S)", inside)
    named = re.compile(r"^([`*\w., \[\]]+?):\s+(.*)$", re.DOTALL)
    matches = [named.match(entry) for entry in entries]
    if title in ("Returns", "Yields") or not all(matches):
        return render_markdown(_prose(inside)).body
    rows = []
    for match in matches:
        if match is not None:
            text = render_markdown(_prose(inspect.cleandoc(match[2]))).body
            rows.append(f"<dt><code>{escape(match[1])}</code></dt><dd>{text}</dd>")
    return f"<dl>{''.join(rows)}</dl>"


def _prose(text: str) -> str:
    """Underscores and stars outside code are no markup in docstrings, `<` no HTML."""
    stretches = itertools.groupby(text.split("\n"), lambda s: s.startswith("    "))
    joined = [(is_code, "\n".join(lines)) for is_code, lines in stretches]
    return "\n".join(part if is_code else _literal(part) for is_code, part in joined)


def _literal(text: str) -> str:
    """Text whose only markup is backquotes, and stars that begin a line."""
    quoted = re.split(r"(``?[^`]+``?)", text)
    plain = [
        part if n % 2 else re.sub(r"(?<!^)(?<!\n)([*_<\[\]])", r"\\\1", part)
        for n, part in enumerate(quoted)
    ]
    return "".join(plain)
