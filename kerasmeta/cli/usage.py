"""What the command-line parser complains of, in one line."""

from __future__ import annotations

from typing import Any

import typer

# Click's base error, wherever this version of typer keeps Click.
ParserError: Any = typer.BadParameter.__mro__[2]


def one_line(error: Any) -> str:
    """The parser's complaint: the thing, the value, the fix and where to look."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "kerasmeta"
    return f"{_complaint(error)} (see {path} --help)"


def _complaint(error: Any) -> str:
    if getattr(error, "option_name", None) and hasattr(error, "possibilities"):
        known = " or ".join(sorted(error.possibilities or ()))
        fix = f"did you mean {known}?" if known else "leave it out"
        return f"option '{error.option_name}': does not exist; {fix}"
    if error.__cause__ is not None and (refused := _refused(error)):
        return refused
    text = " ".join(error.format_message().split()).rstrip(".")
    return f"{text[:1].lower()}{text[1:]}".replace(". Did you", "; did you")


def _refused(error: Any) -> str | None:
    """A value that a parameter's type refuses, where the parser tells it."""
    import pydantic

    from kerasmeta.errors import UserError
    from kerasmeta.refusals import refusal

    if not isinstance(error.__cause__, pydantic.ValidationError):
        return None
    _, value, problem, fix = refusal(error.__cause__)
    return str(UserError(_parameter(error), value, problem, fix))


def _parameter(error: Any) -> str:
    """What the user calls the parameter: `--steps`, `TASK`."""
    options = [o for o in getattr(error.param, "opts", ()) if o.startswith("--")]
    return options[0] if options else str(error.param.make_metavar(error.ctx))
