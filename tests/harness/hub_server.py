"""A stand-in for the Hugging Face Hub: one repository, read by the Hub's own client."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

COMMIT = "0123456789012345678901234567890123456789"


class _Handler(BaseHTTPRequestHandler):
    root: Path
    repository: str
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def do_GET(self) -> None:
        self._serve(with_body=True)

    def _serve(self, with_body: bool) -> None:
        path = unquote(self.path).lstrip("/")
        prefixes = [f"{self.repository}/resolve/{name}/" for name in ("main", COMMIT)]
        file = next(
            (self.root / path[len(p) :] for p in prefixes if path.startswith(p)), None
        )
        if file is None:
            self._refuse("RepoNotFound", with_body)
        elif not file.is_file():
            self._refuse("EntryNotFound", with_body)
        else:
            body = file.read_bytes()
            etag = hashlib.sha1(body).hexdigest()
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}
            self._answer(200, body, headers, with_body)

    def _refuse(self, code: str, with_body: bool) -> None:
        headers = {"X-Error-Code": code, "X-Repo-Commit": COMMIT}
        body = json.dumps({"error": code}).encode()
        self._answer(404, body, headers, with_body)

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str], with_body: bool
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@contextlib.contextmanager
def hub(root: Path, repository: str) -> Iterator[str]:
    """Serves a folder as a repository of the Hub; yields the Hub's address."""
    attributes = {"root": root, "repository": repository}
    handler = type("Handler", (_Handler,), attributes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
