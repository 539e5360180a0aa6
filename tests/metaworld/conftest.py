"""One small task and agent for all tests of Meta-World."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from harness.metaworld_agents import ROWS, agent_for

from kerasmeta import tasks
from kerasmeta.agents import EpisodicAgent
from kerasmeta.training.collect import make_collector

pytest.importorskip("metaworld", reason="the extra metaworld is not installed")


@pytest.fixture(scope="session")
def reach() -> Any:
    """ML1 reach in 3 episodes of 7 steps."""
    return tasks.make("metaworld_ml1_reach", episodes=3, horizon=7)


@pytest.fixture(scope="session")
def contextual() -> Any:
    """Two goals that come back, in 4 episodes of 5 steps."""
    return tasks.make("metaworld_ml1_reach_contextual", episodes=4, horizon=5)


@pytest.fixture(scope="session")
def agent(reach: Any) -> EpisodicAgent:
    """An agent for `reach`."""
    return agent_for(reach)


@pytest.fixture(scope="session")
def collector(reach: Any, agent: EpisodicAgent) -> Iterator[Any]:
    """Collects `ROWS` lifetimes of `reach` in two processes."""
    made = make_collector(reach, ROWS, agent)
    made.processes = 2
    yield made
    made.simulators.close()
