"""Registries in object stores (S3, Google Cloud Storage), through fsspec."""

from __future__ import annotations

from kerasmeta.errors import UserError

from .base import CHUNK, BrokenError, MissingError, Sink


class CloudStore:
    """Files below `s3://bucket/path` or `gs://bucket/path`.

    Credentials and endpoints come from where the provider's own tools take them.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        try:
            import fsspec.core

            self._files, self._root = fsspec.core.url_to_fs(self.address)
        except ImportError as error:
            raise UserError(
                "registry",
                address,
                f"needs packages that are not installed ({error})",
                "install them: pip install 'kerasmeta[cloud]'",
            ) from None
        except Exception as error:  # each provider has errors of its own
            problem = f"cannot be opened ({_reason(error)})"
            raise UserError("registry", address, problem, "check it") from None

    def send(self, path: str, sink: Sink) -> None:
        try:
            with self._files.open(f"{self._root}/{path}", "rb") as file:
                file.seek(sink.size)
                while piece := file.read(CHUNK):
                    sink.write(piece)
        except UserError:
            raise
        except FileNotFoundError:
            raise MissingError(path) from None
        except PermissionError as error:
            raise UserError(
                "registry",
                self.address,
                f"refuses {path} ({_reason(error)})",
                "give credentials as the provider's own tools take them",
            ) from None
        except Exception as error:
            raise BrokenError(_reason(error)) from None


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
