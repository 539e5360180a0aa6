"""Training on Meta-World: from a recipe to a run that resumes as if never stopped."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kerasmeta.tasks.metaworld import names, processes
from kerasmeta.training.loop import train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory
from kerasmeta.training.runs import load_run

TINY = [
    *("lifetimes=4", "checkpoint_every=1", "agent.units=5", "agent.critic_units=4"),
    *("agent.encoder=[6]", "agent.critic_encoder=[]", "trpo.critic_passes=1"),
]


def weights(path: Path) -> list[np.ndarray]:
    return [variable.numpy() for variable in load_run(path)[0].variables]


@pytest.mark.slow  # a run of 2 updates, and the second of them again
def test_a_resumed_run_ends_as_one_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A simulator's process takes longer to start than all it does here.
    monkeypatch.setattr(processes, "usable_cores", lambda: 1)
    parameters = {"episodes": 2, "horizon": 5}
    config = recipe("metaworld_ml1_reach", "lstm", parameters).with_overrides(
        [*TINY, "steps=80"]
    )

    def keep(row: dict[str, Any]) -> None:
        """What a kill before the second checkpoint would leave."""
        if row["iteration"] == 2:
            shutil.copytree(tmp_path / "alone", tmp_path / "half")

    alone = train(config, RunDirectory(tmp_path / "alone"), report=keep)
    assert alone.steps == 80
    assert "success_rate" in alone.rows[-1]["metrics"]
    resumed = train(config, RunDirectory(tmp_path / "half"), resume=True)
    assert [row["iteration"] for row in resumed.rows] == [1, 2]
    assert resumed.rows[0] == alone.rows[0]  # kept, with its times: not run again
    assert resumed.rows[-1]["return"] == alone.rows[-1]["return"]
    pairs = zip(weights(tmp_path / "alone"), weights(tmp_path / "half"), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow  # starts all environments of ML10
def test_a_benchmark_of_several_tasks(tmp_path: Path) -> None:
    """Advantages by task, and each task's success in the metrics."""
    parameters = {"episodes": 1, "horizon": 4}
    config = recipe("metaworld_ml10", "lstm", parameters).with_overrides(
        [*TINY, "lifetimes=10", "steps=40", "trpo.advantages_by_task=true"]
    )
    [row] = train(config, RunDirectory(tmp_path / "run")).rows
    rates = {name for name in row["metrics"] if name.startswith("success_rate_")}
    assert len(rates) == 10 + 1
    assert {"success_rate_reach", "success_rate_basketball"} < rates
    assert row["step_accepted"] == 1


@pytest.mark.parametrize("family", [names.families()[0], *names.families()[50:]])
def test_every_kind_of_family_has_a_recipe(family: str) -> None:
    made = recipe(family, "lstm", {"horizon": 100})
    assert made.task.parameters["horizon"] == 100  # what is asked for wins
    assert made.agent.normalize
    contextual = family.endswith("_contextual")
    assert made.agent.clear_lstm_at_episode == contextual
