"""Simulator processes: started, told what to do, and replaced where they fail."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
import warnings
import weakref
from collections.abc import Sequence
from multiprocessing import Pipe
from typing import Any

import numpy as np

from kerasmeta.errors import UserError
from kerasmeta.tasks.metaworld.benchmark import Goals
from kerasmeta.tasks.metaworld.schedule import Plan
from kerasmeta.tasks.metaworld.worker import BEGIN, Begin, Setup, memory_size, shared

# Seconds without an answer after which a process is taken to hang. A step takes
# milliseconds, the first lifetime of many rows some ten seconds.
PATIENCE = 120.0
# A batch in which so many processes fail is given up.
REPLACEMENTS = 10


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Process:
    """One simulator process and what it is known to have done."""

    def __init__(self, setup: Setup, memory: int) -> None:
        self.connection, theirs = Pipe()
        self.bell, bell = socket.socketpair()
        numbers = theirs.fileno(), bell.fileno(), memory
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OMP_NUM_THREADS": "1",  # there is one process for each core already
            "OPENBLAS_NUM_THREADS": "1",
        }
        self.child = subprocess.Popen(
            [sys.executable, "-m", "kerasmeta.tasks.metaworld.worker"]
            + [str(number) for number in numbers],
            pass_fds=numbers,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        bell.close()
        self.answered: set[int] = set()
        self.connection.send(setup)

    def begin(self, told: Begin) -> None:
        """Tells it to begin new lifetimes; it answers once for each group."""
        self.answered.clear()
        self.bell.send(BEGIN)
        self.connection.send(told)

    def step(self, group: int) -> None:
        """Tells it to step a group."""
        self.answered.discard(group)
        self.bell.send(bytes([group]))

    def hear(self) -> None:
        """Takes the answers that have come.

        Raises:
            EOFError: The process has ended.
        """
        answers = self.bell.recv(16)
        if not answers:
            raise EOFError
        self.answered.update(answers)

    def kill(self) -> int:
        """Ends it whatever it does; its exit status."""
        self.connection.close()
        self.bell.close()
        self.child.kill()
        return self.child.wait()


class Simulators:
    """`B` rows of simulators in several processes, in groups that step in turn.

    A process that ends or does not answer is replaced by a new one, with a warning; its
    rows begin their lifetimes anew.

    Args:
        goals: The side of the benchmark.
        horizon: Steps of an episode.
        groups: The rows of each group.
        processes: How many; by default one for each core this process may use.
        patience: Seconds without an answer after which a process is replaced.
    """

    def __init__(
        self,
        goals: Goals,
        horizon: int,
        groups: Sequence[np.ndarray],
        processes: int | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.goals = goals
        self.groups = groups
        self.patience = patience
        rows = sum(len(group) for group in groups)
        count = max(1, min(processes or usable_cores(), rows))
        classes = {k: (v.__module__, v.__name__) for k, v in goals.classes.items()}
        self._setup = Setup(rows, horizon, classes)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._file.truncate(memory_size(rows))
        self.shared = shared(mmap.mmap(self._file.fileno(), 0), rows)
        self._rows = [
            [list(map(int, g[n::count])) for g in groups] for n in range(count)
        ]
        self._told: list[Begin] = []
        self._lost: set[int] = set()
        self._replaced = 0
        self._processes = [self._start() for _ in range(count)]
        self._finalizer = weakref.finalize(self, _end, self._processes, self._file)

    @property
    def pids(self) -> list[int]:
        """The processes' numbers."""
        return [process.child.pid for process in self._processes]

    def begin(self, plans: Sequence[Plan]) -> None:
        """Begins new lifetimes in all rows; `receive` waits for each group."""
        self._told = [_told(rows, plans, self.goals) for rows in self._rows]
        self._lost.clear()
        self._replaced = 0
        for number, told in enumerate(self._told):
            try:
                self._processes[number].begin(told)
            except OSError:
                self._replace(number, "had ended")
        self._lost.clear()  # nothing of these lifetimes had been seen

    def send(self, group: int) -> None:
        """Lets a group carry out the actions in `shared.action`."""
        for process in self._with(group):
            with contextlib.suppress(OSError):  # it has ended: receive finds out
                process.step(group)

    def receive(self, group: int) -> np.ndarray:
        """Waits until a group has done what it was told.

        Returns:
            The rows of the group whose lifetimes had to begin anew, int `[L]`.

        Raises:
            UserError: Processes fail again and again.
        """
        until = time.monotonic() + self.patience
        while missing := [p for p in self._with(group) if group not in p.answered]:
            ready = _ready(missing, until - time.monotonic())
            failed = [(p, "did not answer") for p in missing] if not ready else []
            for process in ready:
                try:
                    process.hear()
                except (EOFError, OSError):
                    failed.append((process, "ended"))
            for process, what in failed:
                self._replace(self._processes.index(process), what)
                until = time.monotonic() + self.patience
        lost = [row for row in self.groups[group] if int(row) in self._lost]
        self._lost.difference_update(map(int, lost))
        return np.array(lost, int)

    def close(self) -> None:
        """Ends the processes."""
        self._finalizer()

    def _with(self, group: int) -> list[_Process]:
        """The processes that have rows of a group."""
        pairs = zip(self._processes, self._rows, strict=True)
        return [process for process, rows in pairs if rows[group]]

    def _start(self) -> _Process:
        return _Process(self._setup, self._file.fileno())

    def _replace(self, number: int, what: str) -> None:
        """Puts a new process in the place of one that failed."""
        status = self._processes[number].kill()
        self._replaced += 1
        if self._replaced > REPLACEMENTS:
            raise UserError(
                "simulator",
                f"exit status {status}",
                f"{what}; {REPLACEMENTS} processes failed in one batch before it",
                "see what they wrote to stderr, or take fewer lifetimes",
            )
        rows = [row for group in self._rows[number] for row in group]
        warnings.warn(
            f"a simulator process {what} (exit status {status}) and was replaced; "
            f"{len(rows)} lifetimes begin anew",
            RuntimeWarning,
            stacklevel=2,
        )
        self._lost.update(rows)
        self._processes[number] = self._start()
        self._processes[number].begin(self._told[number])


def _ready(processes: list[_Process], seconds: float) -> list[_Process]:
    """Those that have answered or ended; waits until there is one."""
    waiting = select.poll()
    by_number = {process.bell.fileno(): process for process in processes}
    for number in by_number:
        waiting.register(number, select.POLLIN)
    found = waiting.poll(max(0.0, 1000 * seconds))
    return [by_number[number] for number, _ in found]


def _told(rows: list[list[int]], plans: Sequence[Plan], goals: Goals) -> Begin:
    """What a process is told of the lifetimes of its rows."""
    own = [row for group in rows for row in group]
    return Begin(
        rows,
        {
            row: [
                goals.goals[task][number]
                for task, number in zip(plans[row].tasks, plans[row].goals, strict=True)
            ]
            for row in own
        },
        {row: [int(n) for n in plans[row].order] for row in own},
    )


def _end(processes: list[_Process], file: Any) -> None:
    """Ends processes and gives their memory back."""
    for process in processes:
        process.kill()
    file.close()
