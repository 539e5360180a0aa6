"""The program: its commands by name, and what it does with errors."""

from __future__ import annotations

import sys
from typing import Annotated, Any, NoReturn

import typer

from kerasmeta.cli import (
    analyse,
    demo,
    doctor,
    evaluate,
    export,
    fine_tune,
    gallery,
    gateway,
    serve_config,
    tasks,
    train,
    tune,
    zoo,
)
from kerasmeta.cli.console import INTERRUPTED, InterruptedRunError
from kerasmeta.cli.usage import ParserError, one_line
from kerasmeta.errors import UserError
from kerasmeta.version import __version__

app = typer.Typer(
    name="kerasmeta",
    help="Trained episodic meta-reinforcement-learning agents, and how to make them.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kerasmeta {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    pass


app.command("demo")(demo.demo)
app.command("tasks")(tasks.tasks)
app.command("train")(train.train)
app.command("fine-tune")(fine_tune.fine_tune)
app.command("tune")(tune.tune)
app.command("evaluate")(evaluate.evaluate)
app.command("analyse")(analyse.analyse)
app.command("export")(export.export)
app.command("doctor")(doctor.doctor)
app.command("serve-config")(serve_config.serve_config)
app.command("gateway")(gateway.gateway)
app.command("gallery")(gallery.gallery)
app.add_typer(zoo.app, name="zoo")


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the program and exits.

    The status is 0; 2 after bad input, which is one line on standard error; 1 where the
    operating system refuses; 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = _run(arguments or ["--help"])
    except UserError as error:
        _exit(2, f"error: {error}")
    except ParserError as error:
        _exit(2, f"error: {one_line(error)}")
    except InterruptedRunError as error:
        _exit(error.status, str(error))
    except (typer.Abort, KeyboardInterrupt):
        _exit(INTERRUPTED, "interrupted")
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone (| head); say nothing more
        sys.exit(1)
    except OSError as error:
        _exit(1, f"error: {_system_refusal(error)}")
    if status == INTERRUPTED:
        typer.echo("interrupted", err=True)
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    command: Any = typer.main.get_command(app)
    status = command.main(arguments, prog_name="kerasmeta", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _exit(status: int, line: str) -> NoReturn:
    typer.echo(line, err=True)
    sys.exit(status)


def _system_refusal(error: OSError) -> str:
    """A full disk, a file taken away: what it was about and the system's reason."""
    what = f"'{error.filename}': " if error.filename else ""
    return " ".join(f"{what}{error.strerror or error}".split())
