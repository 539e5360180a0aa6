"""Registries on the web: files below a URL, over HTTP or HTTPS."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pooch
import requests

from kerasmeta.errors import UserError

from .base import CHUNK, BrokenError, MissingError, Sink

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces
BUSY = (408, 425, 429)  # and everything from 500 on: the same request may do later
ABSENT = (404, 410)


class WebStore:
    """Files below a URL. A user name and password come from ~/.netrc, if anywhere."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def send(self, path: str, sink: Sink) -> None:
        # Compressed, the bytes would be others than those a range counts.
        headers = {"Accept-Encoding": "identity"}
        if sink.size:
            headers["Range"] = f"bytes={sink.size}-"
        answers: list[requests.Response] = []

        def look(response: requests.Response, *arguments: Any, **options: Any) -> None:
            answers.append(response)
            self._check(response, path, sink)

        download = pooch.HTTPDownloader(
            chunk_size=CHUNK, timeout=TIMEOUT, headers=headers, hooks={"response": look}
        )
        try:
            download(f"{self.address}/{quote(path)}", sink, None)
        except UserError:
            raise
        except (requests.RequestException, OSError, ValueError) as error:
            raise BrokenError(_reason(error)) from None
        finally:
            for answer in answers:
                answer.close()

    def _check(self, response: requests.Response, path: str, sink: Sink) -> None:
        """Looks at what the server says before anything is read."""
        status = response.status_code
        if response.is_redirect:
            return
        if status in ABSENT:
            raise MissingError(path)
        if status in BUSY or status >= 500:
            raise BrokenError(f"the server answers {status}")
        if status >= 400 and status != 416:
            raise UserError(
                "registry",
                self.address,
                f"refuses {path} (HTTP {status})",
                "check the address; a user name and password go into ~/.netrc",
            )
        if self.address.startswith("https:") and response.url.startswith("http:"):
            raise UserError(
                "registry",
                self.address,
                f"sends {path} over plain HTTP, where anyone may change it",
                "ask its owner",
            )
        if sink.size and not _continues(response, sink.size):
            sink.restart()
            if status != 200:
                raise BrokenError(f"the server answers {status} to a range")


def _continues(response: requests.Response, start: int) -> bool:
    """Whether an answer is what was asked for: the file from byte `start` on."""
    span = response.headers.get("Content-Range", "")
    return response.status_code == 206 and span.startswith(f"bytes {start}-")


def _reason(error: Exception) -> str:
    """The first words of what is a long chain of causes in requests."""
    cause: Any = error
    while getattr(cause, "args", None) and isinstance(cause.args[0], Exception):
        cause = cause.args[0]
    reason = getattr(cause, "reason", None) or cause
    return str(reason).splitlines()[0] if str(reason) else type(error).__name__
