"""Delta and entropy bonus that fall over a run: each update as if set for it alone."""

from __future__ import annotations

import numpy as np
import pytest
from harness import agents
from harness.updates import Update, assert_equal, everything, flat

SETTINGS = {"delta": 0.02, "entropy_bonus": 0.5}


@pytest.mark.parametrize(
    ("done", "left"), [(0, 1.0), (5, 0.6), (8, 0.36), (10, 0.2), (30, 0.2)]
)
def test_an_update_has_what_is_left_of_delta_and_bonus(
    done: int, left: float, rng: np.random.Generator
) -> None:
    """Of ten updates, in a straight line down to 0.2; not below where a run goes on."""
    annealed = Update(updates=10, anneal_to=0.2, **SETTINGS)
    annealed.trainer.train_step_counter.assign(done)
    fixed = Update(**{name: left * value for name, value in SETTINGS.items()})
    experience = agents.experience(fixed.trainer.agent, rng)
    reports = annealed(experience), fixed(experience)
    np.testing.assert_allclose(reports[0], reports[1], rtol=1e-5, atol=1e-6)
    found, expected = (flat(everything(x.trainer)) for x in (annealed, fixed))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert reports[0].kl <= left * SETTINGS["delta"]


@pytest.mark.parametrize(
    ("updates", "anneal_to"), [(None, 0.2), (10, 1.0)], ids=["no end", "nothing less"]
)
def test_otherwise_both_stay(
    updates: int | None, anneal_to: float, rng: np.random.Generator
) -> None:
    annealed = Update(updates=updates, anneal_to=anneal_to, **SETTINGS)
    annealed.trainer.train_step_counter.assign(7)
    fixed = Update(**SETTINGS)
    fixed.trainer.train_step_counter.assign(7)
    experience = agents.experience(fixed.trainer.agent, rng)
    annealed(experience), fixed(experience)
    assert_equal(everything(annealed.trainer), everything(fixed.trainer))


@pytest.mark.parametrize(
    ("done", "bonus"), [(0, 0.5), (5, 0.2), (9, -0.04), (10, -0.1), (30, -0.1)]
)
@pytest.mark.parametrize("anneal_to", [1.0, 0.2])
def test_a_bonus_falls_to_an_end_of_its_own(
    done: int, bonus: float, anneal_to: float, rng: np.random.Generator
) -> None:
    """In a straight line from 0.5 to -0.1, whatever is left of delta."""
    annealed = Update(
        updates=10, anneal_to=anneal_to, **SETTINGS, entropy_bonus_to=-0.1
    )
    annealed.trainer.train_step_counter.assign(done)
    left = 1.0 - (1.0 - anneal_to) * min(done / 10, 1.0)
    fixed = Update(delta=left * SETTINGS["delta"], entropy_bonus=bonus)
    experience = agents.experience(fixed.trainer.agent, rng)
    reports = annealed(experience), fixed(experience)
    np.testing.assert_allclose(reports[0], reports[1], rtol=1e-5, atol=1e-6)
    found, expected = (flat(everything(x.trainer)) for x in (annealed, fixed))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_a_bonus_may_rise_from_nothing(rng: np.random.Generator) -> None:
    rising = Update(updates=10, delta=0.02, entropy_bonus_to=0.5)
    rising.trainer.train_step_counter.assign(5)
    fixed = Update(delta=0.02, entropy_bonus=0.25)
    experience = agents.experience(fixed.trainer.agent, rng)
    rising(experience), fixed(experience)
    found, expected = (flat(everything(x.trainer)) for x in (rising, fixed))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
