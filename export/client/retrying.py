"""Asking again where that is safe.

Every request of a client is: the server keeps nothing, the state travels with the
request, its draws come from a seed in it, and the version is named. The same request
twice is the same answer twice, so that a lost answer loses nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from ..errors import ServerUnavailableError

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds

Answer = TypeVar("Answer")


def retrying(ask: Callable[[float], Answer], timeout: float, attempts: int) -> Answer:
    """Asks until there is an answer, an error that would stay, or no time left.

    Args:
        ask: Takes the seconds that are left for it.
        timeout: Seconds for all attempts and the pauses between them.
        attempts: How often to ask. Pauses double, and are drawn at random below that,
            so that the clients of a server that comes back do not all come at once.
    """
    deadline = time.monotonic() + timeout
    for attempt in range(1, attempts + 1):
        try:
            return ask(max(deadline - time.monotonic(), 1e-3))
        except ServerUnavailableError:
            longest = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
            pause = random.uniform(longest / 2, longest)
            if attempt == attempts or time.monotonic() + pause >= deadline:
                raise
            time.sleep(pause)
    raise ValueError("attempts must be 1 or more")
