"""The site of the embedded zoo, and agents of families that it may not have yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export import Contract, Signature, TensorContract
from kerasmeta import tasks
from kerasmeta.gallery import Built, build
from kerasmeta.gallery.entries import PLAYABLE, Entry, entries
from zoo import Manifest, files, open_registry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="session")
def embedded() -> list[Entry]:
    """The agents in the package, with what was found of them."""
    return entries(open_registry(str(ROOT / "zoo" / "agents")), DOCS / "analyses")


@pytest.fixture(scope="session")
def site(embedded: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The site, with the documentation."""
    return build(tmp_path_factory.mktemp("gallery") / "site", embedded, DOCS)


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """An untrained agent of every family that plays."""
    root = tmp_path_factory.mktemp("untrained")
    return [untrained_entry(family, root / family) for family in PLAYABLE]


def untrained_entry(family: str, folder: Path) -> Entry:
    """An agent with memory: published, but for the SavedModel and the index."""
    from kerasmeta.agents import EpisodicAgent, storage
    from kerasmeta.environments import TaskEnvironment
    from kerasmeta.networks import AgentConfig

    folder.mkdir()
    environment = TaskEnvironment(tasks.make(family), batch_size=1)
    specs = environment.observation_spec(), environment.action_spec()
    agent = EpisodicAgent(*specs, AgentConfig(units=24, critic_units=16))
    rng = np.random.default_rng(1)
    for variable in agent.named_weights().values():
        variable.assign(variable + rng.normal(0, 0.3, variable.shape))
    storage.save_weights(agent, folder / files.WEIGHTS)
    (folder / files.CONFIG).write_text(_json(storage.describe(agent)))
    return Entry(_manifest(family), folder, (1,), folder / "nothing found")


def _json(data: Any) -> str:
    import json

    return json.dumps(data)


def _manifest(family: str) -> Manifest:
    estimate = {"mean": 0.5, "ci95": (0.4, 0.6)}
    metrics = {"reward_per_trial": estimate, "accuracy_trial_1": estimate}
    tensor = TensorContract(dtype="int32", shape=(None,))
    step = Signature(inputs={"state_step": tensor}, outputs={"state_step": tensor})
    return Manifest.model_validate(
        {
            "kind": "ep_lstm",
            "task": {"name": family},
            "description": "An untrained agent.",
            "papers": ["Somebody (2026). Something. Somewhere."],
            "headline": ["reward_per_trial"],
            "licence": "Apache-2.0",
            "evaluation": {
                "lifetimes": 10,
                "seed": 0,
                "metrics": metrics,
                "lesions": {"memory": metrics},
                "seeds": [{"seed": 0, "metrics": metrics}],
                "chosen_seed": 0,
            },
            "provenance": {
                "commit": "0",
                "config_hash": "0",
                "config": {"trpo": {"gamma": 0.9}},
                "seeds": [0],
                "steps": 1,
                "wall_seconds": 1.0,
                "hardware": "none",
                "libraries": {"python": "3"},
            },
            "id": f"{family}/untrained",
            "version": 1,
            "created": "2026-11-22T00:00:00Z",
            "contract": Contract.of({"step": step}, {"state_step": tensor}),
        }
    )
