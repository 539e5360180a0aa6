"""The program: its commands by name, and what it does with errors."""

from __future__ import annotations

import sys
from typing import Annotated, Any, NoReturn

import typer

from kerasmeta.cli import analyse, demo, evaluate, export, tasks, train, zoo
from kerasmeta.errors import UserError
from kerasmeta.version import __version__

# Click's base error, wherever this version of typer keeps Click.
_ClickException: Any = typer.BadParameter.__mro__[2]

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
app.command("evaluate")(evaluate.evaluate)
app.command("analyse")(analyse.analyse)
app.command("export")(export.export)
app.add_typer(zoo.app, name="zoo")


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the program. Bad input is one line on standard error and exit status 2."""
    command: Any = typer.main.get_command(app)
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = command.main(
            arguments or ["--help"], prog_name="kerasmeta", standalone_mode=False
        )
    except UserError as error:
        _fail(str(error))
    except _ClickException as error:
        _fail(_one_line(error))
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("interrupted; kerasmeta train --resume goes on with a run", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone (| head); say nothing more
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    sys.exit(2)


def _one_line(error: Any) -> str:
    """Click's complaint, with where to look, in one line."""
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "kerasmeta"
    return f"{message}; see {path} --help"
