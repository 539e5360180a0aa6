"""Delta and entropy bonus that fall over a run: each update as if set for it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.updates import FEW, Update, assert_equal, everything, flat

from kerasmeta._keras import tf
from kerasmeta.agents import TRPOConfig
from kerasmeta.agents.annealing import bonus_left, has_bonus, share_left

SETTINGS = {"delta": 0.02, "entropy_bonus": 0.5}
# A small update of a few steps: nothing here depends on more.
CHEAP = {**FEW, "agent": {"kind": "lstm"}, "critic_passes": 1, "critic_minibatches": 1}
ROWS = ("FMML", "FLFL", "FMLF", "FMML")


def done(updates: int) -> Any:
    return tf.constant(updates, tf.int64)


@pytest.mark.parametrize(
    ("updates", "left"), [(0, 1.0), (5, 0.6), (8, 0.36), (10, 0.2), (30, 0.2)]
)
def test_what_is_left_falls_in_a_straight_line(updates: int, left: float) -> None:
    """Of ten updates, down to 0.2; not below where a run goes on."""
    config = TRPOConfig(anneal_to=0.2, **SETTINGS)
    np.testing.assert_allclose(share_left(config, done(updates), 10), left, rtol=1e-6)
    bonus = bonus_left(config, done(updates), 10)
    np.testing.assert_allclose(bonus, left * 0.5, rtol=1e-6)


@pytest.mark.parametrize("anneal_to", [1.0, 0.2])
@pytest.mark.parametrize(
    ("updates", "bonus"), [(0, 0.5), (5, 0.2), (9, -0.04), (10, -0.1), (30, -0.1)]
)
def test_a_bonus_falls_to_an_end_of_its_own(
    updates: int, bonus: float, anneal_to: float
) -> None:
    """In a straight line from 0.5 to -0.1, whatever is left of delta."""
    config = TRPOConfig(anneal_to=anneal_to, **SETTINGS, entropy_bonus_to=-0.1)
    found = bonus_left(config, done(updates), 10)
    np.testing.assert_allclose(found, bonus, rtol=0, atol=1e-7)


def test_where_nothing_is_to_be_less_all_stays() -> None:
    for config, updates in (
        (TRPOConfig(anneal_to=1.0, **SETTINGS), 10),
        (TRPOConfig(anneal_to=0.2, **SETTINGS), None),
        (TRPOConfig(anneal_to=0.2, **SETTINGS, entropy_bonus_to=-0.1), None),
    ):
        assert share_left(config, done(7), updates) == 1.0
        assert bonus_left(config, done(7), updates) == 0.5


def test_a_bonus_that_begins_or_ends_with_nothing_is_one() -> None:
    assert not has_bonus(TRPOConfig())
    assert not has_bonus(TRPOConfig(entropy_bonus_to=0.0))
    assert has_bonus(TRPOConfig(entropy_bonus=0.5, entropy_bonus_to=0.0))
    assert has_bonus(TRPOConfig(entropy_bonus_to=-0.1))


ANNEALED = {
    "both": (
        {"anneal_to": 0.2, **SETTINGS},
        {"delta": 0.012, "entropy_bonus": 0.3},
    ),
    "an end of the bonus's own": (
        {"anneal_to": 0.2, **SETTINGS, "entropy_bonus_to": -0.1},
        {"delta": 0.012, "entropy_bonus": 0.2},
    ),
    "a bonus that rises from nothing": (
        {"delta": 0.02, "entropy_bonus_to": 0.5},
        {"delta": 0.02, "entropy_bonus": 0.25},
    ),
}


@pytest.mark.parametrize("case", ANNEALED)
def test_an_update_has_what_is_left(case: str, rng: np.random.Generator) -> None:
    """The sixth of ten updates, against one with settings of its own."""
    falling, alone = ANNEALED[case]
    annealed = Update(updates=10, **falling, **CHEAP)
    fixed = Update(**alone, **CHEAP)
    annealed.trainer.train_step_counter.assign(5)
    experience = agents.experience(fixed.trainer.agent, rng, ROWS)
    reports = annealed(experience), fixed(experience)
    np.testing.assert_allclose(reports[0], reports[1], rtol=1e-5, atol=1e-6)
    found, expected = (flat(everything(x.trainer)) for x in (annealed, fixed))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert reports[0].step_accepted
    assert reports[0].kl <= alone["delta"]


def test_a_run_without_an_end_has_all_of_both(rng: np.random.Generator) -> None:
    annealed = Update(updates=None, anneal_to=0.2, **SETTINGS, **CHEAP)
    fixed = Update(**SETTINGS, **CHEAP)
    experience = agents.experience(fixed.trainer.agent, rng, ROWS)
    for update in (annealed, fixed):
        update.trainer.train_step_counter.assign(7)
        update(experience)
    assert_equal(everything(annealed.trainer), everything(fixed.trainer))
