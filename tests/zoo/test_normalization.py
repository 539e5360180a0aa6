"""The manifest names the constants that an agent normalises with."""

from __future__ import annotations

from typing import Any

import numpy as np
from harness import agents

from kerasmeta.agents import EpisodicAgent
from zoo.manifest import Submission
from zoo.publishing import normalization


def _agent(**options: Any) -> EpisodicAgent:
    config = agents.config(kind="lstm", **options)
    return EpisodicAgent(agents.observation_spec(), agents.action_spec(), config)


def test_every_running_moment_is_named() -> None:
    agent = _agent(normalize=True)
    weights = agent.named_weights()
    moments = [n for n in weights if n.rsplit("/")[-1] in ("mean", "variance")]
    assert moments
    for n, name in enumerate(moments):
        weights[name].assign(np.full(weights[name].shape, n + 0.5))
    found = normalization(agent)
    for n, name in enumerate(moments):
        assert set(found[name]) == {n + 0.5}
    assert not [name for name in found if weights[name].trainable]


def test_an_agent_without_has_none(submission: Submission) -> None:
    assert normalization(_agent()) == {}
    assert submission.normalization == {}
