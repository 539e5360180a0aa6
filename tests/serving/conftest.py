"""What tests of serving share: one server of every zoo agent, and their lifetimes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from serving import lives, processes
from serving.lives import Lives
from serving.processes import Running

import zoo
from zoo.registry import Registry

EMBEDDED = Registry(processes.ZOO)
AGENTS = sorted(EMBEDDED.index().agents)


def _chosen() -> list[str]:
    """The agents to run: one of each sort; with KERASMETA_EVERY_AGENT=1, every one.

    Two are of a sort where their tensors have the same names, types and ranks.
    """
    if os.environ.get("KERASMETA_EVERY_AGENT"):
        return AGENTS
    sorts: dict[object, str] = {}
    for id in [FAST, *AGENTS]:
        step = EMBEDDED.show(id).contract.signatures["step"]
        tensors = [*step.inputs.items(), *step.outputs.items()]
        sort = sorted((name, t.dtype, len(t.shape)) for name, t in tensors)
        sorts.setdefault(str(sort), id)
    return sorted(sorts.values())


FAST = "episodic_two_step/ep_lstm"  # what tests run that are not slow
CHOSEN = _chosen()
EVERY_BATCH = bool(os.environ.get("KERASMETA_EVERY_BATCH"))
EACH = [a if a == FAST else pytest.param(a, marks=pytest.mark.slow) for a in CHOSEN]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The protocol server with every zoo agent, batching on."""
    folder = tmp_path_factory.mktemp("server")
    with processes.protocol_server(folder, processes.model_config(AGENTS)) as running:
        yield running


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Lives]:
    """200 steps of 64 lifetimes of a live zoo agent, by its id; played once."""
    played: dict[str, Lives] = {}

    def play(id: str) -> Lives:
        if id not in played:
            agent = zoo.load(id, registry=EMBEDDED)
            contract = EMBEDDED.show(id).contract
            shown = lives.observations(
                lives.observed(contract), lives.STEPS, lives.ROWS
            )
            played[id] = lives.live(agent, shown)
        return played[id]

    return play
