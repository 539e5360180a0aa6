"""A simulator process: `python -m kerasmeta.tasks.metaworld.worker FD FD FD`.

Its file descriptors are a connection, through which it is told what to simulate; a
bell, a socket that rings with the number of a group to step, and rings back when that
is done; and memory, in which observations and actions lie, and which it shares with the
process that started it. It ends when that process does.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import mmap
import socket
import sys
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from kerasmeta.tasks.metaworld.simulator import (
    ACTION,
    OBSERVATION,
    Simulator,
    Snapshot,
    without_checks,
)


class Shared(NamedTuple):
    """What simulators and policy share, for all `B` rows."""

    observation: np.ndarray  # [B, 39] float32
    action: np.ndarray  # [B, 4] float32, within -1 and 1
    reward: np.ndarray  # [B] float32
    success: np.ndarray  # [B] float32, 1 or 0


BEGIN = b"\xff"  # rings for new lifetimes, which the connection tells
WIDTH = OBSERVATION + ACTION + 2  # numbers of a row


def shared(memory: Any, rows: int) -> Shared:
    """Arrays in a buffer of `memory_size(rows)` bytes."""
    table = np.frombuffer(memory, np.float32).reshape(rows, WIDTH)
    return Shared(
        table[:, :OBSERVATION],
        table[:, OBSERVATION:-2],
        table[:, -2],
        table[:, -1],
    )


def memory_size(rows: int) -> int:
    """Bytes that `rows` rows share."""
    return 4 * WIDTH * rows


class Begin(NamedTuple):
    """Told to a process: which lifetimes its rows live through next."""

    groups: list[list[int]]  # its rows, by group
    goals: dict[int, list[Any]]  # of each row, Meta-World's `Task` records
    orders: dict[int, list[int]]  # of each row, which goal each episode has


class Setup(NamedTuple):
    """Told to a process once."""

    rows: int  # B
    horizon: int
    classes: dict[str, tuple[str, str]]  # by task, module and name of the class


class Worker:
    """The simulators of some rows.

    Args:
        setup: What all processes are told.
        memory: The shared buffer.
    """

    def __init__(self, setup: Setup, memory: Any) -> None:
        self.shared = shared(memory, setup.rows)
        self.horizon = setup.horizon
        self.classes = {
            task: without_checks(getattr(importlib.import_module(module), name))
            for task, (module, name) in setup.classes.items()
        }
        self.simulators: dict[int, Simulator] = {}
        self.snapshots: dict[Any, Snapshot] = {}
        self.groups: list[list[int]] = []

    def begin(self, told: Begin, group: int) -> None:
        """Begins the lifetimes of one group's rows."""
        self.groups = told.groups
        for row in told.groups[group]:
            if row not in self.simulators:
                self.simulators[row] = Simulator(
                    self.classes, self.horizon, self.snapshots
                )
            first = self.simulators[row].begin(told.goals[row], told.orders[row])
            self.shared.observation[row] = first
            self.shared.reward[row] = self.shared.success[row] = 0.0

    def step(self, group: int) -> None:
        """One step of every row of a group whose lifetime goes on."""
        memory = self.shared
        for row in self.groups[group]:
            if not self.simulators[row].ended:
                answer = self.simulators[row].step(memory.action[row].copy())
                memory.observation[row], memory.reward[row], memory.success[row] = (
                    answer
                )


def serve(connection: Connection, bell: socket.socket, memory: Any) -> None:
    """Does what it is told until nobody is left who tells it."""
    worker = Worker(connection.recv(), memory)
    gc.freeze()  # what the modules made stays; collections need not look at it
    while ring := bell.recv(1):
        if ring != BEGIN:
            worker.step(ring[0])
            bell.send(ring)
            continue
        told = connection.recv()
        for group in range(len(told.groups)):
            worker.begin(told, group)
            bell.send(bytes([group]))


def main(connection: int, bell: int, memory: int) -> None:
    """Serves file descriptors, see above."""
    # The process that started this one may end, or both be interrupted.
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):
        serve(Connection(connection), socket.socket(fileno=bell), mmap.mmap(memory, 0))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
