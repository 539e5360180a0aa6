"""Signatures: a version that says who published it, checked with their public key.

The SHA-256 of every file says that nothing changed on the way from the registry. A
signature says more: that the registry itself holds what the publisher made.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kerasmeta.errors import UserError

from . import files

ENVIRONMENT = "KERASMETA_REQUIRE_SIGNATURE"


def required_key(key: str | Path | None = None) -> Path | None:
    """The public key that signatures have to fit: the one given, or the environment's.

    Raises:
        UserError: There is no such file.
    """
    chosen = key or os.environ.get(ENVIRONMENT)
    return _file(chosen, "require_signature") if chosen else None


def private_key(path: str | Path | None) -> Path | None:
    """The file of a private key; it is looked for before there is work to sign.

    Raises:
        UserError: There is no such file, or no package to sign with.
    """
    if path is None:
        return None
    _library("sign")
    return _file(path, "sign")


def sign(directory: Path, private_key: Path) -> None:
    """Signs everything below a directory with a private key (elliptic curve, PEM).

    Raises:
        UserError: The key cannot be used.
    """
    library = _library("sign")
    hashing = library.hashing.Config().set_ignored_paths(
        paths=[files.SIGNATURE], ignore_git_paths=False
    )
    try:
        signer = library.signing.Config()
        signer.use_elliptic_key_signer(private_key=private_key)
        signer.set_hashing_config(hashing).sign(directory, directory / files.SIGNATURE)
    except (ValueError, TypeError, AttributeError) as error:  # AttributeError: RSA
        raise UserError(
            "sign",
            str(private_key),
            f"cannot be signed with ({_first_line(error)})",
            "give the private key of an elliptic curve in a PEM file",
        ) from None


def check(directory: Path, public_key: Path) -> None:
    """Refuses a version that the holder of the private key has not signed as it is.

    Raises:
        UserError: There is no signature, it is another's, or a file has changed since.
    """
    library = _library("require_signature")
    signature = directory / files.SIGNATURE
    if not signature.is_file() or signature.is_symlink():
        raise _refused(directory, "is not signed")
    try:
        verifier = library.verifying.Config()
        verifier.use_elliptic_key_verifier(public_key=public_key)
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(
            "require_signature",
            str(public_key),
            f"is no key to check with ({_first_line(error)})",
            "give the publisher's public key, of an elliptic curve, in a PEM file",
        ) from None
    try:
        verifier.verify(directory, signature)
    except Exception as error:  # the file is anyone's; so is what goes wrong with it
        problem = f"has no signature of that key ({_first_line(error)})"
        raise _refused(directory, problem) from None


def _refused(directory: Path, problem: str) -> UserError:
    fix = "do not use it; ask its publisher, or give the key it was signed with"
    return UserError("signature", str(directory), problem, fix)


def _file(path: str | Path, argument: str) -> Path:
    found = Path(path).expanduser()
    if not found.is_file():
        raise UserError(argument, str(path), "is not a file", "give a key in PEM form")
    return found


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return lines[0].rstrip(". ") or type(error).__name__


def _library(argument: str) -> Any:
    try:
        import model_signing
    except ImportError as error:
        raise UserError(
            argument,
            str(error),
            "needs packages that are not installed",
            "install them: pip install 'kerasmeta[sign]'",
        ) from None
    return model_signing
