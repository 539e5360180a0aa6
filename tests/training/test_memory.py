"""Training neither leaks memory nor traces its graph again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kerasmeta.training.loop import Trainer
from kerasmeta.training.recipes import recipe

LIFETIMES, UNCUED, CUED = 4, 4, 4


def small_config(iterations: int):
    steps = iterations * LIFETIMES * (UNCUED + 1 + CUED)
    parameters = {"uncued_trials": UNCUED, "cued_trials": CUED}
    base = recipe("episodic_two_step", "ep_lstm", parameters)
    return base.with_overrides(
        [
            f"lifetimes={LIFETIMES}",
            f"steps={steps}",
            "agent.units=4",
            "agent.critic_units=4",
            "metrics_every=100",
        ]
    )


# Trains in a process of its own and prints its resident memory, by iteration.
TRAIN_AND_WEIGH = """
import json, sys
import psutil
from kerasmeta.training.config import RunConfig
from kerasmeta.training.loop import train
from kerasmeta.training.run_directory import RunDirectory

resident, process = {}, psutil.Process()

def note(row):
    if row["iteration"] in (100, 1000):
        resident[row["iteration"]] = process.memory_info().rss

config = RunConfig.model_validate_json(sys.argv[1])
train(config, RunDirectory(sys.argv[2]), report=note)
print(json.dumps(resident))
"""


@pytest.mark.slow
def test_resident_memory_stays_flat(tmp_path: Path) -> None:
    """After 1,000 iterations within 3% of that after 100."""
    config = small_config(1000).model_dump_json()
    command = [sys.executable, "-c", TRAIN_AND_WEIGH, config, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    resident = json.loads(done.stdout)
    assert resident["1000"] <= 1.03 * resident["100"]


def test_one_trace_serves_all_iterations() -> None:
    trainer = Trainer(small_config(3))
    for _ in range(3):
        trainer.iterate()
    assert trainer.iterate.experimental_get_tracing_count() == 1
