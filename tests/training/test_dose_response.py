"""Doses of silencing: the same as lesions, in nested orders, compiled once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta.analysis import metrics
from kerasmeta.analysis.estimates import UNKNOWN
from kerasmeta.analysis.lesions.dose_response import FRACTIONS, OPEN_FIRST, RANDOM
from kerasmeta.lesions import Lesion
from kerasmeta.training import dose_response
from kerasmeta.training.dose_response import record_doses
from kerasmeta.training.evaluation import record
from kerasmeta.training.loop import make_agent
from kerasmeta.training.recipes import recipe

UNITS = 4
SHORT = {"uncued_trials": 4, "cued_trials": 4}


@pytest.fixture(scope="module")
def task() -> Any:
    return tasks.make("episodic_two_step", **SHORT)


@pytest.fixture(scope="module")
def agent(task: Any) -> Any:
    settings = [f"agent.units={UNITS}", "agent.critic_units=3"]
    config = recipe("episodic_two_step", "ep_lstm", SHORT).with_overrides(settings)
    return make_agent(config, task)


@pytest.mark.slow
def test_doses_are_lesions(agent: Any, task: Any, monkeypatch) -> None:
    """Intact, all silenced, and the half with the most open gates."""
    openness = np.array([0.9, 0.1, 0.8, 0.2])
    monkeypatch.setattr(dose_response, "measure_gates", lambda *_: openness)
    doses = list(record_doses(agent, task, 30, seed=1, repeats=2).values())
    assert len(doses) == 3 * len(FRACTIONS)
    for order, fraction, units in (
        (RANDOM, 0.0, ()),
        (RANDOM, 1.0, (0, 1, 2, 3)),
        (OPEN_FIRST, 0.5, (0, 2)),
    ):
        lesioned = agent.lesioned(Lesion(units=units))
        lived = record(lesioned, task, 30, seed=1)
        expected = metrics(task.name, lived)["reward_per_trial_cued"]
        found = [d for d in doses if (d.order, d.fraction) == (order, fraction)]
        assert {dose.performance for dose in found} == {expected}


@pytest.mark.slow
def test_what_a_dose_does_not_show_is_unknown(
    agent: Any, task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where an agent without units never chooses in a second exposure."""
    monkeypatch.setattr(dose_response, "metrics", lambda *_: {})
    # Whatever it has lived, which takes long to compile.
    monkeypatch.setattr(dose_response, "collecting", lambda _: lambda *_: ())
    monkeypatch.setattr(dose_response, "to_lifetimes", lambda lived: lived)
    openness = np.zeros(UNITS)
    monkeypatch.setattr(dose_response, "measure_gates", lambda *_: openness)
    doses = record_doses(agent, task, 4, repeats=1).values()
    assert {dose.performance for dose in doses} == {UNKNOWN}
