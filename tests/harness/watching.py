"""Watches what code does to the world: files that it changes, the network, memory.

Files and network by audit hooks (PEP 578), which see what every library does from
Python, by whatever way.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events whose first arguments are paths that are changed; and how many these are.
_PATHS = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.truncate": 1, "os.chmod": 1}
_PATHS |= {"os.rename": 2, "os.link": 2, "os.symlink": 2}
_STARTING = ("subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn")
_watching: list[tuple[Path, list[str]]] = []
_hooked: list[bool] = []


@contextlib.contextmanager
def confined_to(directory: Path) -> Iterator[None]:
    """Asserts that the block changes no file elsewhere, and uses no network.

    Nor does it start a program, which could do either unseen.
    """
    if not _hooked:
        sys.addaudithook(_see)  # for good: there is no way to take one off
        _hooked.append(True)
    seen: list[str] = []
    _watching.append((directory.resolve(), seen))
    try:
        yield
    finally:
        _watching.pop()
    assert not seen


def _see(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    allowed, seen = _watching[-1]
    if event.startswith(("socket.connect", "socket.getaddrinfo", *_STARTING)):
        seen.append(f"{event} {arguments}")
    for path in _changed(event, arguments):
        place = Path(path).parent.resolve() / Path(path).name
        if not place.is_relative_to(allowed) and "__pycache__" not in place.parts:
            seen.append(f"{event} {path}")


def _changed(event: str, arguments: tuple[Any, ...]) -> list[str]:
    """The paths that an event changes."""
    if event == "open":
        path, _, flags = arguments
        given = [path] if flags & _CHANGING else []
    else:
        given = list(arguments[: _PATHS.get(event, 0)])
    folders = [a for a in arguments[len(given) :] if isinstance(a, int) and a > 2]
    at = f"/proc/self/fd/{folders[-1]}" if event != "open" and folders else ""
    return [os.path.join(at, os.fsdecode(p)) for p in given if not isinstance(p, int)]


@contextlib.contextmanager
def within_a_gibibyte() -> Iterator[None]:
    """Asserts that the block needs less than a gibibyte more than there was before."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _kibibytes("VmRSS")
    yield
    assert _kibibytes("VmHWM") - before < 2**20


def _kibibytes(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1])  # type: ignore[index]
