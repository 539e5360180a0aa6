"""What tests of serving share: one server of every zoo agent, and their lifetimes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from serving import lives, processes
from serving.lives import Lives
from serving.processes import Running

import zoo
from zoo.registry import Registry

EMBEDDED = Registry(processes.ZOO)
AGENTS = sorted(EMBEDDED.index().agents)


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
