"""How training gets on: a bar on a terminal, plain lines in a log.

Nothing is written before training gets on, so that a command that refuses its input
writes one line, the refusal.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from kerasmeta.cli import console

Row = dict[str, Any]  # of metrics.jsonl
Report = Callable[[Row], None]
Tell = Callable[[str], None]  # told what is done next, in a few words

# A log gets a line after so many seconds, or after this part of all steps if sooner,
# but never two within a second.
LOG_SECONDS, LOG_PART, LOG_PAUSE = 10.0, 0.05, 1.0


@contextmanager
def training_progress(total_steps: int) -> Iterator[Report]:
    """Yields the reporter that `kerasmeta.training.loop.train` calls with each row."""
    if not sys.stderr.isatty():
        yield LogProgress(total_steps)
        return
    columns = (
        TextColumn("training"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console.err) as progress:
        # Without a total the bar pulses: TensorFlow compiles the first iteration.
        bar = progress.add_task("", total=None, figures="compiling")

        def report(row: Row) -> None:
            progress.update(
                bar, total=total_steps, completed=row["steps"], figures=figures(row)
            )

        yield report


class LogProgress:
    """Writes a line now and then, for standard error that is no terminal.

    Args:
        total_steps: Environment steps in all.
        clock: Seconds since whenever.
    """

    def __init__(
        self, total_steps: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total_steps = total_steps
        self.clock = clock
        self._last: tuple[float, int] | None = None  # seconds and steps of a line

    def __call__(self, row: Row) -> None:
        now, steps = self.clock(), row["steps"]
        if self._due(now, steps):
            typer.echo(log_line(row, self.total_steps), err=True)
            self._last = now, steps

    def _due(self, now: float, steps: int) -> bool:
        if self._last is None or steps >= self.total_steps:
            return True
        waited, done = now - self._last[0], steps - self._last[1]
        far = done >= LOG_PART * self.total_steps
        return waited >= LOG_SECONDS or (far and waited >= LOG_PAUSE)


def log_line(row: Row, total_steps: int) -> str:
    """`training  35%  350/1,000 steps  reward/trial ...  0:01:52 left`."""
    left = max(0, total_steps - row["steps"]) / max(row["steps_per_second"], 1e-9)
    minutes, seconds = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    part = min(1.0, row["steps"] / total_steps)
    return (
        f"training {part:4.0%}  {row['steps']:,}/{total_steps:,} steps  {figures(row)}"
        f"  {hours}:{minutes:02}:{seconds:02} left"
    )


def figures(row: Row) -> str:
    """Reward, KL and speed of a row."""
    return (
        f"reward/trial {row['reward_per_trial']:.3f}  KL {row['kl']:.4f}  "
        f"{row['steps_per_second']:,.0f} steps/s"
    )


@contextmanager
def working(text: str) -> Iterator[Callable[[str], Any]]:
    """A spinner on a terminal, nothing in a log; yields what changes its text."""
    with contextlib.ExitStack() as stack:
        if sys.stderr.isatty():
            yield stack.enter_context(console.err.status(text)).update
        else:
            yield lambda text: None


@contextmanager
def stage_progress(verb: str, total: int) -> Iterator[Tell]:
    """How work of `total` stages gets on: a bar on a terminal, else a line a stage."""
    if not sys.stderr.isatty():
        stages = itertools.count(1)
        yield lambda text: typer.echo(
            f"{verb} {next(stages)}/{total}  {text}", err=True
        )
        return
    columns = (
        TextColumn(verb),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[text]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console.err) as progress:
        bar = progress.add_task("", total=total, completed=-1, text="")
        yield lambda text: progress.update(bar, advance=1, text=text)
        progress.update(bar, completed=total)
