"""A web server on the loopback interface that serves a folder, and misbehaves if told.

Faults are functions of the request: what they return is done instead of serving.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote


@dataclass
class Behaviour:
    """What the server does, to be changed by tests while it runs.

    Attributes:
        root: The folder.
        cut_after: Bytes of a body after which the connection breaks, by path; used up.
        statuses: Status codes to answer with instead, by path; each is used once.
        ranges: Whether ranges are honoured.
        lengths: Whether the length of a body is told.
        replaced: Bodies that are sent instead of files, by path.
        redirect: Where everything is redirected to.
        requests: (path, value of the Range header) of every request.
    """

    root: Path
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    ranges: bool = True
    lengths: bool = True
    replaced: dict[str, bytes] = field(default_factory=dict)
    redirect: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        behaviour, path = self.behaviour, unquote(self.path).lstrip("/")
        span = self.headers.get("Range", "")
        behaviour.requests.append((path, span))
        if behaviour.redirect and not path.startswith("moved/"):
            self._answer(302, b"", {"Location": f"{behaviour.redirect}/moved/{path}"})
            return
        path = path.removeprefix("moved/")
        if left := behaviour.statuses.get(path):
            self._answer(left.pop(0), b"no")
            return
        body = behaviour.replaced.get(path)
        if body is None:
            file = behaviour.root / path
            if not file.is_file():
                self._answer(404, b"not here")
                return
            body = file.read_bytes()
        self._send(path, body, span)

    def _send(self, path: str, body: bytes, span: str) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", span)
        start = int(match[1]) if match and self.behaviour.ranges else 0
        if start and start >= len(body):
            self._answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            return
        headers = {}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        left = self.behaviour.cut_after.get(path)
        cut = left.pop(0) if left else None
        self._answer(206 if start else 200, body[start:], headers, cut)

    def _answer(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        cut: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.behaviour.lengths:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        pass


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Behaviour]:
    """Serves a folder while the block runs; `behaviour.url` is its address."""
    behaviour = Behaviour(root)
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    behaviour.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield behaviour
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
