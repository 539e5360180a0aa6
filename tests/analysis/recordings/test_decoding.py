"""What was planted in units is read, at the rate it can be; nothing else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import studies
from harness.two_step_simulation import OptimalChooser, two_step

from kerasmeta.analysis import Recordings
from kerasmeta.analysis.recordings.decoding import decoding, score, targets
from kerasmeta.analysis.recordings.two_step_learners import Chances, beliefs
from kerasmeta.analysis.trials import two_step_trials

B, T, UNITS = 40, 30, 8
POPULATIONS = ("hidden", "cell", "critic_hidden")
NOISE = 0.5  # standard deviation of the planted unit's noise


@pytest.fixture
def recorded(rng: np.random.Generator) -> Recordings:
    """Unit 2 of `hidden` holds a category, unit 3 a quantity, both with noise."""
    lived = studies.lifetimes(rng, B, T)
    good = rng.integers(0, 2, [B, T]).astype(np.int32)
    chances = rng.normal(size=(B, T, 2)).astype(np.float32)
    cue = np.where(rng.random([B, T]) < 0.5, rng.random([B, T]), np.nan)
    signals = {
        name: rng.normal(size=(B, T, UNITS))
        for name in ("hidden", "cell", "critic_hidden")
    }
    signals["hidden"][..., 2] = good + NOISE * rng.normal(size=(B, T))
    signals["hidden"][..., 3] = chances[..., 1] + NOISE * rng.normal(size=(B, T))
    signals["cell"][..., 1] = np.where(np.isnan(cue), 5.0, cue)
    hidden = {"good": good, "chances": chances, "cue": cue, "constant": good * 0}
    return studies.recordings(rng, lived, signals=signals, hidden_variables=hidden)


def found(recorded: Recordings) -> dict[str, Any]:
    return dict(decoding(studies.study(recorded, recorded)).statistics)


def test_what_is_planted_is_read(recorded: Recordings) -> None:
    statistics = found(recorded)
    assert set(statistics) == {"good", "chances_0", "chances_1", "cue"}
    good = statistics["good"]
    assert good["score"] == "accuracy"
    # Two Gaussians 1 apart: right with chance Φ(1 / (2 NOISE)) = .841.
    assert good["hidden"]["mean"] == pytest.approx(0.841, abs=0.03)
    assert good["chance"] == pytest.approx(0.5, abs=0.05)
    chances = statistics["chances_1"]
    assert chances["score"] == "R squared"
    # 1 / (1 + NOISE²) of the variance can be known.
    assert chances["hidden"]["mean"] == pytest.approx(0.8, abs=0.03)
    # A variable that is there in some steps only is read in those.
    assert statistics["cue"]["cell"]["mean"] > 0.99


def test_what_is_not_there_is_not_read(recorded: Recordings) -> None:
    statistics = found(recorded)
    for source in ("cell", "critic_hidden", "observation"):
        assert abs(statistics["good"][source]["mean"] - 0.5) < 0.06
        assert abs(statistics["chances_1"][source]["mean"]) < 0.03
    assert abs(statistics["chances_0"]["hidden"]["mean"]) < 0.03


def test_lifetimes_are_never_recognised(rng: np.random.Generator) -> None:
    """Units that tell which lifetime it is tell nothing of another's hidden state.

    A regression that was fitted to some steps of every lifetime would be right always.
    """
    lived = studies.lifetimes(rng, B, T)
    good = np.repeat(rng.integers(0, 2, [B, 1]), T, axis=1).astype(np.int32)
    identity = np.repeat(np.eye(B)[:, np.newaxis], T, axis=1)
    recorded = studies.recordings(
        rng, lived, signals={"hidden": identity}, hidden_variables={"good": good}
    )
    (target,) = targets(recorded)
    estimate = score(identity, target)
    assert estimate.mean < 0.65
    assert estimate.ci95[0] < 0.5


def test_intervals_are_those_of_lifetimes(recorded: Recordings) -> None:
    target = next(iter(targets(recorded)))
    estimate = score(recorded.signals["hidden"], target)
    low, high = estimate.ci95
    assert low < 0.841 < high
    assert high - low < 0.08


def test_the_ideal_observer_of_the_two_step_task(rng: np.random.Generator) -> None:
    """It is right wherever the truth is what it believes, and else wrong."""
    numbers = Chances(common=0.8, high_reward=0.9, low_reward=0.1, reversal=0.025)
    lived = two_step(OptimalChooser(0.8, 0.9, 0.025), 20, seed=1, trials=T)
    believed = beliefs(two_step_trials(lived), numbers)[:, :-1] > 0.5
    wrong = rng.random(believed.shape) < 0.25
    good = (believed ^ wrong).astype(np.int32)
    signals = {name: rng.normal(size=(*good.shape, UNITS)) for name in POPULATIONS}
    recorded = studies.recordings(
        rng, lived, signals=signals, hidden_variables={"good_state": good}
    )
    study = studies.study(recorded, task="two_step", parameters=numbers._asdict())
    found = decoding(study).statistics["good_state"]["ideal_observer"]
    assert found["mean"] == pytest.approx(1 - wrong.mean())


def test_the_figure_has_a_group_for_each_variable(recorded: Recordings) -> None:
    finding = decoding(studies.study(recorded, recorded))
    (axes,) = finding.figures["decoding"]().axes
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0] == "good\n(accuracy)"
    assert len(labels) == 4


def test_too_few_lifetimes_say_nothing(rng: np.random.Generator) -> None:
    lived = studies.lifetimes(rng, 2, T)
    good = rng.integers(0, 2, [2, T]).astype(np.int32)
    signals = {
        name: rng.normal(size=(2, T, UNITS))
        for name in ("hidden", "cell", "critic_hidden")
    }
    recorded = studies.recordings(
        rng, lived, signals=signals, hidden_variables={"good": good}
    )
    finding = decoding(studies.study(recorded))
    assert finding.statistics["good"]["hidden"]["mean"] is None
    finding.figures["decoding"]()
