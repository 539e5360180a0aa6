"""Dynamic batching as TensorFlow Serving does it: rows of several requests in a run.

Requests with the same tensors wait for each other, up to `batch_timeout_micros` or
until `max_batch_size` rows are there; the batch is padded to the next of
`allowed_batch_sizes` with copies of its first row, and its outputs are cut apart.
https://github.com/tensorflow/serving/blob/2.20.0/tensorflow_serving/batching/README.md
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .models import Servable
from .refusals import Code, RefusedError, invalid


@dataclass
class Parameters:
    """A `BatchingParameters` file, with TensorFlow Serving's defaults."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 2
    allowed_batch_sizes: list[int] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Reads the text format; its messages are in no package, so by hand."""
        parameters = cls()
        pattern = r"(\w+)\s*(?::\s*(\d+)|\{\s*value\s*:\s*(\d+)\s*\})"
        for name, plain, wrapped in re.findall(pattern, re.sub("#.*", "", text)):
            value = int(plain or wrapped)
            if name == "allowed_batch_sizes":
                parameters.allowed_batch_sizes.append(value)
            else:
                setattr(parameters, name, value)
        sizes = parameters.allowed_batch_sizes
        if sizes and (sizes[-1] != parameters.max_batch_size or sizes != sorted(sizes)):
            raise invalid(
                "Last entry in allowed_batch_sizes must match max_batch_size; last "
                f"entry was {sizes[-1]}; expected {parameters.max_batch_size}"
            )
        return parameters


class Task(NamedTuple):
    """A request that waits: its arrays, its rows and who wants the outputs."""

    arrays: list[np.ndarray]
    rows: int
    answer: asyncio.Future[list[np.ndarray]]


class Batcher:
    """Runs requests, merged where `parameters` are given and one by one where not."""

    def __init__(self, parameters: Parameters | None) -> None:
        self.parameters = parameters
        threads = parameters.num_batch_threads if parameters else 2
        self.pool = ThreadPoolExecutor(threads)
        self.free = asyncio.Semaphore(threads)
        self.waiting: dict[Any, list[Task]] = {}
        self.changed: dict[Any, asyncio.Event] = {}
        self.loops: set[asyncio.Task[None]] = set()
        self.runs = self.rows = 0

    async def run(
        self,
        servable: Servable,
        feeds: tuple[str, ...],
        fetches: tuple[str, ...],
        arrays: list[np.ndarray],
    ) -> list[np.ndarray]:
        """The fetched arrays of one request."""

        def call(merged: list[np.ndarray]) -> list[np.ndarray]:
            return servable.run(feeds, fetches, merged)

        if self.parameters is None:
            return await self._in_thread(call, arrays)
        task = Task(arrays, _rows(arrays), asyncio.get_running_loop().create_future())
        self._enqueue((servable, feeds, fetches), task, call)
        return await task.answer

    def _enqueue(self, key: Any, task: Task, call: Callable[..., Any]) -> None:
        limits = self.parameters
        assert limits is not None
        if task.rows > limits.max_batch_size:
            raise invalid(
                f"Task size {task.rows} is larger than maximum input batch size "
                f"{limits.max_batch_size}"
            )
        if key not in self.waiting:
            self.waiting[key], self.changed[key] = [], asyncio.Event()
            loop = asyncio.get_running_loop().create_task(self._serve(key, call))
            self.loops.add(loop)
        rows = sum(one.rows for one in self.waiting[key])
        if rows + task.rows > limits.max_enqueued_batches * limits.max_batch_size:
            raise RefusedError(
                Code.UNAVAILABLE,
                "The batch scheduling queue to which this task was submitted is full",
            )
        self.waiting[key].append(task)
        self.changed[key].set()

    async def _serve(self, key: Any, call: Callable[..., Any]) -> None:
        """One queue: waits for a full batch or the time-out, then for a thread."""
        limits, tasks, changed = self.parameters, self.waiting[key], self.changed[key]
        assert limits is not None
        running: set[asyncio.Task[None]] = set()
        while True:
            while not tasks:
                changed.clear()
                await changed.wait()
            end = asyncio.get_running_loop().time() + limits.batch_timeout_micros / 1e6
            while sum(task.rows for task in tasks) < limits.max_batch_size:
                changed.clear()
                try:
                    async with asyncio.timeout_at(end):
                        await changed.wait()
                except TimeoutError:
                    break
            await self.free.acquire()
            batch = _take(tasks, limits.max_batch_size)
            one = asyncio.create_task(self._run(batch, call))
            running.add(one)
            one.add_done_callback(running.discard)

    async def _run(self, batch: list[Task], call: Callable[..., Any]) -> None:
        assert self.parameters is not None
        try:
            merged = _merge(batch, self.parameters.allowed_batch_sizes)
            self.runs += 1
            self.rows += sum(task.rows for task in batch)
            outputs = await self._in_thread(call, merged)
            pieces = _split(outputs, [task.rows for task in batch])
            for task, piece in zip(batch, pieces, strict=True):
                if not task.answer.done():
                    task.answer.set_result(piece)
        except Exception as error:
            for task in batch:
                if not task.answer.done():
                    task.answer.set_exception(RefusedError.of(error))
        finally:
            self.free.release()

    async def _in_thread(self, call: Callable[..., Any], arrays: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, call, arrays)


def _rows(arrays: list[np.ndarray]) -> int:
    """How many rows a request has; batched tensors must all have as many."""
    if any(array.ndim == 0 for array in arrays):
        raise invalid("Batching Run() input tensors must have at least one dimension")
    sizes = {len(array) for array in arrays}
    if len(sizes) != 1:
        raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def _take(tasks: list[Task], limit: int) -> list[Task]:
    """Takes the first tasks whose rows fit into one batch."""
    count = rows = 0
    for task in tasks:
        if count and rows + task.rows > limit:
            break
        count, rows = count + 1, rows + task.rows
    taken = tasks[:count]
    del tasks[:count]
    return taken


def _merge(batch: list[Task], allowed: list[int]) -> list[np.ndarray]:
    """The rows of all tasks, padded with copies of the first one."""
    rows = sum(task.rows for task in batch)
    size = next((size for size in allowed if size >= rows), rows)
    merged = []
    for arrays in zip(*(task.arrays for task in batch), strict=True):
        padding = [arrays[0][:1]] * (size - rows)
        if len({array.shape[1:] for array in arrays}) > 1:
            raise RefusedError(
                Code.FAILED_PRECONDITION,
                "Tensors from different tasks have different shapes and padding is "
                "turned off.",
            )
        merged.append(np.concatenate([*arrays, *padding]))
    return merged


def _split(outputs: list[np.ndarray], rows: list[int]) -> list[list[np.ndarray]]:
    """Each task's rows of every output; those of the padding are dropped."""
    cuts = np.cumsum(rows)
    pieces = [np.split(output, cuts)[: len(rows)] for output in outputs]
    return [list(piece) for piece in zip(*pieces, strict=True)]
