"""Registries in one zip file: for a stick, an attachment, a record with a DOI."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

from kerasmeta.errors import UserError

from .base import CHUNK, MissingError, Sink


class ArchiveStore:
    """Members of a zip file whose top level is the registry's folder.

    Nothing is unpacked by the names the archive gives: the index and the manifests say
    what is read, where it goes and how long it may be.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._path = Path(address).expanduser()

    def send(self, path: str, sink: Sink) -> None:
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(path) as member:
                _skip(member, sink.size)
                while piece := member.read(CHUNK):
                    sink.write(piece)
        except UserError:
            raise
        except KeyError:
            raise MissingError(path) from None
        except Exception as error:  # zlib, struct, Unicode: damage has many names
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(
                "registry",
                self.address,
                f"has a {path} that cannot be read ({reason})",
                "restore the file, or get it anew",
            ) from None


def _skip(member: IO[bytes], size: int) -> None:
    """Reads past the bytes that are here already."""
    while size and (piece := member.read(min(CHUNK, size))):
        size -= len(piece)
