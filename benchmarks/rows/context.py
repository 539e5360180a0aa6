"""What a row is given, and the settings several rows share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import Ceilings
from benchmarks.timing import Measured, Subject, alternate


class Context(NamedTuple):
    """How a row is to be measured."""

    quick: bool  # tiny sizes: to see that everything runs
    say: Callable[[str], None]  # progress
    ceilings: Ceilings
    scratch: Path  # a folder that is thrown away

    @property
    def rounds(self) -> int:
        """Rounds of alternation."""
        return 2 if self.quick else 11

    def task(self) -> list[str]:
        """`--set` options that make the task tiny where `quick`."""
        if not self.quick:
            return []
        return ["task.uncued_trials=6", "task.cued_trials=5"]

    def share(self, name: str) -> str:
        """A file by which our process hands settings and weights to the peers'."""
        return str(self.scratch / f"{name}.npz")

    def alternate(self, what: str, *subjects: Subject) -> dict[str, Measured]:
        """Measures subjects in turn and says so."""
        self.say(f"{what}: {' against '.join(subject.name for subject in subjects)}")
        return alternate(subjects, self.rounds)


def steps_of(options: list[str]) -> int:
    """The steps of a lifetime under such options."""
    numbers = dict(option.split("=") for option in options)
    uncued = int(numbers.get("task.uncued_trials", 50))
    return uncued + 1 + int(numbers.get("task.cued_trials", 50))
