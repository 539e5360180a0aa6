"""The fresh process of `cold`: measures its own beginning, prints one JSON object."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

AGENT = "episodic_two_step/ep_lstm"


def first_action(scratch: str) -> dict[str, Any]:
    """Seconds of `zoo.load` and a first action, beyond those of TensorFlow's import."""
    registry, name = _registry(Path(scratch) / "registry")
    start = time.perf_counter()
    import tensorflow  # noqa: F401

    imported = time.perf_counter()
    import zoo

    agent = zoo.load(AGENT, registry)
    observation = zeros(agent)
    agent.step(observation, agent.initial_state(1)).action.numpy()
    seconds = time.perf_counter() - imported
    return {"seconds": seconds, "tensorflow": imported - start, "agent": name}


def compilation(size: str) -> dict[str, Any]:
    """Seconds that the first iteration of a training run takes beyond the second."""
    from benchmarks.ours import make_trainer

    trainer = make_trainer(["lifetimes=8"] if size == "quick" else [])
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        trainer.row(*trainer.iterate())
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[0] - seconds[1]}


def publish(folder: str) -> dict[str, Any]:
    """Makes a registry with an untrained agent, for when the package carries none."""
    import zoo
    from benchmarks.ours import make_trainer

    metrics = {"reward_per_trial": {"mean": 0.5, "ci95": [0.4, 0.6]}}
    trainer = make_trainer([])
    zoo.publish(
        trainer.agent,
        AGENT,
        folder,
        task={"name": trainer.task.name, "parameters": {}},
        evaluation={
            "lifetimes": 1,
            "seed": 0,
            "metrics": metrics,
            "lesions": {},
            "references": {},
            "seeds": [{"seed": 0, "metrics": metrics}],
            "chosen_seed": 0,
        },
        provenance={
            "commit": "0000000",
            "config_hash": "0" * 64,
            "config": {},
            "command": "make bench",
            "seeds": [0],
            "steps": 0,
            "wall_seconds": 0.0,
            "hardware": "any",
            "libraries": {},
        },
        description="An untrained agent, to be loaded by the benchmarks.",
        papers=["None."],
        headline=["reward_per_trial"],
    )
    return {"folder": folder}


def zeros(agent: Any, batch: int = 1) -> dict[str, Any]:
    """An observation of zeros, as NumPy arrays."""
    import numpy as np

    return {
        key: np.zeros([batch, *spec.shape], spec.dtype.as_numpy_dtype)
        for key, spec in agent.observation_spec.items()
    }


def _registry(folder: Path) -> tuple[str | None, str]:
    """The package's registry if it has the agent, else one with an untrained agent."""
    import subprocess

    family, agent = AGENT.split("/")
    if Path("zoo", "agents", family, agent).exists():
        return None, AGENT
    if not folder.exists():
        subprocess.run(
            [sys.executable, "-m", "benchmarks.cold_worker", "publish", str(folder)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return str(folder), f"{AGENT}, untrained"


if __name__ == "__main__":
    functions = {f.__name__: f for f in (first_action, compilation, publish)}
    print(json.dumps(functions[sys.argv[1]](sys.argv[2])))
