"""What tests of serving share: one server of every zoo agent, and their lifetimes."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from serving import lives, processes
from serving.lives import Lives
from serving.processes import Running

import zoo
from zoo.registry import Registry

EMBEDDED = Registry(processes.ZOO)
# The newest versions, now: one that is published during the tests is left alone.
VERSIONS = {id: max(map(int, v)) for id, v in sorted(EMBEDDED.index().agents.items())}
AGENTS = list(VERSIONS)


def manifest(id: str) -> zoo.Manifest:
    """What was published of an agent."""
    return EMBEDDED.show(f"{id}@{VERSIONS[id]}")


def load(id: str) -> Any:
    """The live agent."""
    return zoo.load(f"{id}@{VERSIONS[id]}", registry=EMBEDDED)


def _chosen() -> list[str]:
    """The agents to run: one of each sort; with KERASMETA_EVERY_AGENT=1, every one.

    Two are of a sort where their tensors have the same names, types and ranks.
    """
    if os.environ.get("KERASMETA_EVERY_AGENT"):
        return AGENTS
    sorts: dict[object, str] = {}
    for id in [FAST, *AGENTS]:
        step = manifest(id).contract.signatures["step"]
        tensors = [*step.inputs.items(), *step.outputs.items()]
        sort = sorted((name, t.dtype, len(t.shape)) for name, t in tensors)
        sorts.setdefault(str(sort), id)
    return sorted(sorts.values())


FAST = "episodic_two_step/ep_lstm"  # what tests run that are not slow
CHOSEN = _chosen()
# What is compiled or converted anew for each agent: of the sorts, a few.
FEW = CHOSEN if len(CHOSEN) == len(AGENTS) else sorted({FAST, CHOSEN[0], CHOSEN[-1]})
EVERY_BATCH = bool(os.environ.get("KERASMETA_EVERY_BATCH"))
EACH = [a if a == FAST else pytest.param(a, marks=pytest.mark.slow) for a in CHOSEN]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The protocol server with every zoo agent, batching on."""
    folder = tmp_path_factory.mktemp("server")
    with processes.protocol_server(folder, processes.model_config(VERSIONS)) as running:
        yield running


@pytest.fixture(scope="session")
def recorded() -> Callable[..., Lives]:
    """200 steps of 64 lifetimes of a live zoo agent, by its id; played once.

    Or of the first few of them: in 32 bits sums over another number of rows come in
    another order, so that after 200 steps the live policy itself gives values that
    differ by 1.5e-5 (matching/lstm, 7 rows and 64).
    """
    played: dict[tuple[str, int], Lives] = {}
    agent = functools.cache(load)  # which traces its step for most batches once

    def play(id: str, rows: int = lives.ROWS) -> Lives:
        if (id, rows) not in played:
            observed = lives.observed(manifest(id).contract)
            shown = lives.observations(observed, lives.STEPS, lives.ROWS)
            first = {key: array[:, :rows] for key, array in shown.items()}
            played[id, rows] = lives.live(agent(id), first)
        return played[id, rows]

    return play
