"""Latency of `agent.step` in Python: `python -m benchmarks.latency BATCH CALLS`.

Prints p50 and p99 of a step in seconds, and the last value. The agent is untrained; it
sees observations of zeros, as NumPy arrays, and carries its state on like a user's.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def live(batch: int, calls: int) -> tuple[list[float], float]:
    """Seconds of each step of `batch` lifetimes; the last value."""
    from benchmarks.cold_worker import zeros
    from benchmarks.ours import make_trainer

    agent = make_trainer([]).agent
    observation, state = zeros(agent, batch), agent.initial_state(batch)
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        output = agent.step(observation, state)
        output.action.numpy()
        seconds.append(time.perf_counter() - start)
        state = output.state
    return seconds, float(output.value[0])


if __name__ == "__main__":
    batch, calls = map(int, sys.argv[1:])
    seconds, value = live(batch, calls)
    p50, p99 = np.percentile(seconds[calls // 10 :], [50, 99])
    print(json.dumps({"p50": p50, "p99": p99, "value": value}))
