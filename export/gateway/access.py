"""Who may use a gateway: whoever knows its bearer token."""

from __future__ import annotations

import hmac
from pathlib import Path

from kerasmeta.errors import UserError

from .errors import TokenError

SHORTEST = 16  # characters


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        UserError: There is none, or it is so short that it can be guessed.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            "token file", str(path), f"cannot be read ({error})", "give a text file"
        ) from None
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable():
        raise UserError(
            "token file",
            str(path),
            f"holds no token of {SHORTEST} printable characters or more",
            "write a long random one to it (openssl rand -hex 32)",
        )
    return token


def check_token(token: str | None, header: str | None) -> None:
    """Refuses a request whose `authorization` header does not have the token.

    The comparison takes as long whatever the two have in common.
    """
    if token is None:
        return
    kind, _, given = (header or "").partition(" ")
    # HTTP hands over bytes that are no UTF-8 as halves of surrogate pairs.
    received = given.strip().encode("utf-8", "surrogateescape")
    good = hmac.compare_digest(received, token.encode())
    if kind.lower() != "bearer" or not good:
        value = "(none)" if header is None else "(hidden)"
        problem = "does not hold the gateway's token"
        fix = "send 'authorization: Bearer TOKEN'"
        raise TokenError("authorization", value, problem, fix)
