"""Bad input from Python: a `UserError` whose one line names thing, value and fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from kerasmeta import UserError, tasks

BATCH = 3


def observation(agent: Any) -> dict[str, np.ndarray]:
    """Zeros, of the agent's own spec."""
    return {
        key: np.zeros([BATCH, *spec.shape], spec.dtype.as_numpy_dtype)
        for key, spec in agent.observation_spec.items()
    }


def step(**changes: Any) -> Callable[[Any], Any]:
    """Steps an agent on an observation with changed entries; None removes one."""

    def call(agent: Any) -> Any:
        given = {**observation(agent), **changes}
        given = {key: value for key, value in given.items() if value is not None}
        return agent.step(given, agent.initial_state(BATCH))

    return call


CALLS: dict[str, tuple[Callable[[Any], Any], tuple[str, ...]]] = {
    "NaN": (
        step(previous_reward=np.array([0, np.nan, 0], np.float32)),
        ("observation['previous_reward']", "nan", "is not finite", "give finite"),
    ),
    "infinite": (
        step(stimulus=np.full([BATCH, 3], np.inf)),
        ("observation['stimulus']", "inf", "is not finite", "give finite"),
    ),
    "another batch": (
        step(stimulus=np.zeros([2, 3])),
        ("observation['stimulus']", "(2, 3)", "batch of 3", "give (3, 3)"),
    ),
    "another size": (
        step(context=np.zeros([BATCH, 7])),
        ("observation['context']", "(3, 7)", "wrong shape", "give (3, 1)"),
    ),
    "no batch": (
        step(previous_action=np.int32(0)),
        ("observation['previous_action']", "()", "wrong shape", "give (3,)"),
    ),
    "ragged": (
        step(stimulus=[[0, 0, 0], [0], [0]]),
        ("observation['stimulus']", "not numeric", "give numbers"),
    ),
    "text": (
        step(stimulus=np.full([BATCH, 3], "x")),
        ("observation['stimulus']", "not numeric", "give numbers"),
    ),
    "missing": (step(store=None), ("observation", "lacks store", "give a dict with")),
    "unknown": (step(color=0), ("observation", "color", "does not know", "give")),
    "no dict": (
        lambda agent: agent.step(np.zeros([1, 3]), agent.initial_state()),
        ("observation", "ndarray", "is not a dict", "give a dict with"),
    ),
    "batch size": (
        lambda agent: agent.initial_state(batch_size=0),
        ("batch_size", "0", "positive", "give 1 or more"),
    ),
    "lesion": (
        lambda agent: agent.lesioned("memory"),
        ("lesion", "'memory'", "no memory", "ep_lstm"),
    ),
    "unknown lesion": (
        lambda agent: agent.lesioned("amygdala"),
        ("lesion", "'amygdala'", "is not known", "use memory"),
    ),
    "task": (lambda agent: tasks.make("two"), ("task", "'two'", "use one of")),
    "task parameter": (
        lambda agent: tasks.make("two_step", reversal=-0.1),
        ("reversal", "-0.1", "not a probability", "[0, 1]"),
    ),
    "id": (lambda agent: zoo.load("lstm"), ("'lstm'", "give family/agent")),
}


@pytest.mark.parametrize("name", CALLS)
def test_one_line(name: str, workplace: Path) -> None:
    from kerasmeta.training.runs import load_run

    call, words = CALLS[name]
    agent, _ = load_run("lstm")
    with pytest.raises(UserError) as refused:
        call(agent)
    line = str(refused.value)
    assert "\n" not in line
    for word in words:
        assert word in line, line


def test_the_observation_the_rows_change_is_good(workplace: Path) -> None:
    from kerasmeta.training.runs import load_run

    agent, _ = load_run("lstm")
    assert step()(agent).action.shape == (BATCH,)
