"""Registries in a repository of the Hugging Face Hub."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kerasmeta.errors import UserError

from .base import CHUNK, BrokenError, MissingError, Sink

_ADDRESS = re.compile(
    r"hf://(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?(/(?P<folder>.+))?"
)


class HubStore:
    """Files of `hf://owner/name`, or of `hf://owner/name@revision/folder`.

    A revision is a branch, a tag or a commit. The Hub's own library downloads, with
    the token it knows (`hf auth login`), and keeps what it needs in `cache`.
    """

    def __init__(self, address: str, cache: Path) -> None:
        self.address = address.rstrip("/")
        match = _ADDRESS.fullmatch(self.address)
        if not match:
            raise UserError(
                "registry",
                address,
                "is no repository of the Hub",
                "give hf://owner/name, hf://owner/name@revision or "
                "hf://owner/name@revision/folder",
            )
        self._repository, self._revision = match["repository"], match["revision"]
        self._folder = f"{match['folder']}/" if match["folder"] else ""
        self._cache = cache / "hub"
        try:
            import huggingface_hub
        except ImportError as error:
            raise UserError(
                "registry",
                address,
                f"needs packages that are not installed ({error})",
                "install them: pip install 'kerasmeta[hub]'",
            ) from None
        self._hub = huggingface_hub

    def send(self, path: str, sink: Sink) -> None:
        with self._download(path).open("rb") as file:
            file.seek(sink.size)
            while piece := file.read(CHUNK):
                sink.write(piece)

    def _download(self, path: str) -> Path:
        from huggingface_hub import errors

        try:
            return Path(
                self._hub.hf_hub_download(
                    self._repository,
                    self._folder + path,
                    revision=self._revision,
                    cache_dir=self._cache,
                    endpoint=os.environ.get("HF_ENDPOINT"),  # a Hub of one's own
                )
            )
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
            problem = f"is not there, or is private ({type(error).__name__})"
            fix = "check the address, or log in: hf auth login"
            raise UserError("registry", self.address, problem, fix) from None
        except errors.LocalEntryNotFoundError as error:  # what it says when offline
            raise BrokenError(str(error).splitlines()[0]) from None
        except errors.EntryNotFoundError:
            raise MissingError(path) from None
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise BrokenError(reason) from None
