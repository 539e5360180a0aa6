"""The seeds of a trial, in a process of their own.

XLA never frees what it compiled, and a trial may need more memory than there is: both
end with the process. The seeds share one compiled program.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from kerasmeta.training.config import RunConfig
from kerasmeta.training.tuning.results import Results, SeedResult, score

WATCH_SECONDS = 0.5


def run_seeds(config: RunConfig, seeds: list[int], path: Path, trial: str) -> None:
    """Trains the seeds that have no result yet, in another process.

    Args:
        config: Of the trial; its seed is not used.
        seeds: Training seeds.
        path: The search's directory.
        trial: Its id.

    Raises:
        RuntimeError: The process died.
    """
    results = Results(path)
    left = [seed for seed in seeds if results.read(trial, seed) is None]
    if not left:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _end_with, (os.getpid(),)) as pool:
        data = config.model_dump(mode="json")
        try:
            pool.submit(_train, data, left, str(path), trial).result()
        except BrokenProcessPool:
            problem = f"the process of trial {trial} died (was it short of memory?)"
            raise RuntimeError(problem) from None


def _end_with(parent: int) -> None:
    """Lets this process end when its parent does, however that ends, and be silent.

    What XLA's C++ writes to standard error is not for users; exceptions go to the
    parent.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _train(data: dict[str, Any], seeds: list[int], path: str, trial: str) -> None:
    """In the other process: trains one seed after the other."""
    from kerasmeta.training.tuning.seeds import SeedTrainer

    results = Results(Path(path))
    trainer = SeedTrainer(RunConfig.model_validate(data))
    for seed in seeds:
        start = time.perf_counter()
        rows = trainer.rewards(seed)
        seconds = time.perf_counter() - start
        steps = [(n + 1) * trainer.steps_per_iteration for n in range(len(rows))]
        # JSON has no NaN; a curve ends where it is no number.
        finite = [row for row in rows if row == row]
        found = SeedResult(seed, score(rows), steps[: len(finite)], finite, seconds)
        results.write(trial, found)
