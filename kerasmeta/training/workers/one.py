"""A worker that trains alone, and what training asks of workers."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any

from kerasmeta.groups import Rows, alone


class OneWorker:
    """The only worker, which has the whole batch.

    Attributes:
        index: This worker's number, from 0.
        count: How many there are.
    """

    index = 0
    count = 1

    @property
    def is_chief(self) -> bool:
        """Whether this is the one that writes the run directory."""
        return self.index == 0

    def rows(self, lifetimes: int) -> Rows:
        """Which rows of a batch this worker collects and learns from."""
        return Rows(self.index, self.count, lifetimes)

    def total_of(self, shares: Any) -> Any:
        """What all workers add: the sums of a nest of tensors over workers.

        All workers must ask for the same sums in the same order.
        """
        return alone(shares)

    def follow_chief(self, config: Any, variables: list[Any]) -> None:
        """Gives variables the chief's values; `config` must be the chief's, too."""

    def watch(self) -> AbstractContextManager[None]:
        """What fails in it because another worker was lost is a `LostWorkerError`."""
        return contextlib.nullcontext()
