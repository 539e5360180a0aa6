"""Training neither leaks memory nor traces its graph again."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from kerasmeta.training.loop import Trainer, train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory

LIFETIMES, UNCUED, CUED = 4, 4, 4


def small_config(iterations: int, kind: str = "ep_lstm"):
    steps = iterations * LIFETIMES * (UNCUED + 1 + CUED)
    base = recipe(
        "episodic_two_step", kind, {"uncued_trials": UNCUED, "cued_trials": CUED}
    )
    return base.with_overrides(
        [
            f"lifetimes={LIFETIMES}",
            f"steps={steps}",
            "agent.units=4",
            "agent.critic_units=4",
            "metrics_every=100",
        ]
    )


@pytest.mark.slow
def test_resident_memory_stays_flat(tmp_path: Path) -> None:
    """After 1,000 iterations within 3% of that after 100."""
    resident: dict[int, int] = {}
    process = psutil.Process()

    def note(row: dict) -> None:
        resident[row["iteration"]] = process.memory_info().rss

    train(small_config(1000), RunDirectory(tmp_path / "run"), report=note)
    assert resident[1000] <= 1.03 * resident[100]


@pytest.mark.parametrize("kind", ["lstm", "ep_lstm"])
def test_one_trace_serves_all_iterations(kind: str) -> None:
    trainer = Trainer(small_config(3, kind))
    for _ in range(3):
        trainer.iterate()
    assert trainer.iterate.experimental_get_tracing_count() == 1
