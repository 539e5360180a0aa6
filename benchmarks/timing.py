"""Measuring two programs against each other on a machine whose speed moves.

Each subject runs in a process of its own, with its own threads and memory and the same
environment. The processes are warmed up, then measured in turn (ours, peer, peer, ours,
ours, ...) while the others wait for their turn without using the processor. A ratio is
taken within a round, between two measurements that lie next to each other in time; the
median of the rounds and their range are reported.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

# One setting for all: every library takes all the processors it may use, its default.
ENVIRONMENT = {
    "TF_USE_LEGACY_KERAS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
}
THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS")


class SubjectError(Exception):
    """A subject could not be built or measured."""


class Subject(NamedTuple):
    """Who is measured: `benchmarks.worker` says what a target is."""

    name: str
    target: str
    arguments: Mapping[str, Any] = MappingProxyType({})


class Measured(NamedTuple):
    """A subject's measurements, one per round."""

    seconds: list[float]  # of one call
    work: float  # of one call
    warm_up: float  # seconds from the first import to the end of the first call
    facts: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Units of work per second, the median of the rounds."""
        return self.work / statistics.median(self.seconds)


class Ratio(NamedTuple):
    """How many times faster than the peer: the median round and the range."""

    median: float
    low: float
    high: float
    rounds: int


def environment() -> dict[str, str]:
    """The environment of every measured process."""
    inherited = {k: v for k, v in os.environ.items() if k not in THREAD_SETTINGS}
    return {**inherited, **ENVIRONMENT}


class Worker:
    """A subject in its own process."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        command = [sys.executable, "-m", "benchmarks.worker", subject.target]
        self.process = subprocess.Popen(
            [*command, json.dumps(dict(subject.arguments))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        try:
            self.ready = self._answer()
        except SubjectError:
            self.close()
            raise

    def measure(self) -> float:
        """Seconds of one call."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()["seconds"]

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            raise SubjectError(f"{self.subject.name} ended with status {status}")
        answer = json.loads(line)
        if "error" in answer:
            raise SubjectError(f"{self.subject.name}: {answer['error']}")
        return answer


def alternate(subjects: Sequence[Subject], rounds: int) -> dict[str, Measured]:
    """Measures subjects in turn. Every second round goes backwards.

    The subjects are built one after the other, in the order given: a later one may
    read what an earlier one wrote.
    """
    workers: list[Worker] = []
    try:
        for subject in subjects:
            workers.append(Worker(subject))
        seconds: dict[str, list[float]] = {subject.name: [] for subject in subjects}
        for n in range(rounds):
            for worker in workers if n % 2 == 0 else reversed(workers):
                seconds[worker.subject.name].append(worker.measure())
    finally:
        for worker in workers:
            worker.close()
    return {
        worker.subject.name: Measured(
            seconds[worker.subject.name],
            worker.ready["work"],
            worker.ready["warm_up"],
            worker.ready["facts"],
        )
        for worker in workers
    }


def speed_ratio(ours: Measured, peer: Measured) -> Ratio:
    """How many times as much work per second as the peer, round by round."""
    rounds = [
        (ours.work / mine) / (peer.work / theirs)
        for mine, theirs in zip(ours.seconds, peer.seconds, strict=True)
    ]
    return Ratio(statistics.median(rounds), min(rounds), max(rounds), len(rounds))
