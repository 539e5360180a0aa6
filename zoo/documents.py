"""JSON documents: written the same way every time, read with one-line errors."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from export.directories import TEMPORARY, sync
from kerasmeta.errors import UserError

Model = TypeVar("Model", bound=BaseModel)


def to_bytes(document: BaseModel | dict[str, Any]) -> bytes:
    """UTF-8 JSON with sorted keys and a newline at the end."""
    data = document if isinstance(document, dict) else document.model_dump(mode="json")
    text = json.dumps(
        data, sort_keys=True, indent=2, allow_nan=False, ensure_ascii=False
    )
    return (text + "\n").encode()


def from_bytes(model: type[Model], data: bytes, where: Path | str) -> Model:
    """Reads a document. `where`, a path or an address, names it in errors.

    Raises:
        UserError: It is no JSON, or not what `model` describes.
    """
    name = str(where).rsplit("/", 1)[-1]
    try:
        content = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise UserError(
            name,
            str(where),
            f"is not valid JSON ({error})",
            "restore the file, or publish the agent anew",
        ) from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        place, problem = first_problem(error)
        raise UserError(
            name,
            str(where),
            f"does not hold what it should at {place or 'the top'} ({problem})",
            "restore the file; if a newer kerasmeta wrote it, upgrade kerasmeta",
        ) from None


def validated(model: type[Model], data: Any, argument: str) -> Model:
    """Data of the caller's as `model`, or a `UserError` that names the first fault."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        where, problem = first_problem(error)
        value = error.errors(include_url=False)[0]["input"]
        if isinstance(value, (dict, list, tuple, BaseModel)):
            value = type(value).__name__  # the place is named; its content is long
        fix = f"correct it; help(zoo.{model.__name__}) describes the fields"
        raise UserError(where or argument, value, problem, fix) from None


def first_problem(error: ValidationError) -> tuple[str, str]:
    """(where, what) of the first fault pydantic found; where is "" for the whole."""
    fault = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    return printable(where), printable(message[:1].lower() + message[1:])


def printable(text: str, limit: int = 200) -> str:
    """Text from a document that anyone may have written, as a terminal may see it."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def write_atomically(path: Path, data: bytes, durable: bool = True) -> None:
    """Replaces a file: a reader finds the old content or the new, whole.

    Args:
        path: The file.
        data: Its new content.
        durable: Wait until a loss of power could not undo it.
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name}-{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        if durable:
            sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    if durable:
        sync(path.parent)
