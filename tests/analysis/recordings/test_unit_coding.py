"""Planted coding is found; noise is not, however slow it is."""

from __future__ import annotations

import numpy as np
import pytest
from harness import studies
from harness.statistics import check_rate
from scipy.stats import norm, spearmanr

from kerasmeta.analysis import Recordings
from kerasmeta.analysis.recordings.ranks import rank_correlations
from kerasmeta.analysis.recordings.unit_coding import (
    VARIABLES,
    code,
    last_outcome,
    unit_coding,
)
from kerasmeta.errors import UserError

B, T, UNITS = 30, 40, 12


def slow_noise(rng: np.random.Generator, batch: int, units: int) -> np.ndarray:
    """Signals that remember themselves and grow with time, `[batch, T, units]`."""
    found = np.zeros([batch, T, units])
    for t in range(T):
        found[:, t] = rng.normal(size=(batch, units)) + 0.05 * t
        if t:
            found[:, t] += 0.95 * found[:, t - 1]
    return found


@pytest.fixture
def recorded(rng: np.random.Generator) -> Recordings:
    """Units 0 to 3 code one variable each; the rest is slow noise, as is the value."""
    lived = studies.lifetimes(rng, B, T)
    value = slow_noise(rng, B, 1)[..., 0]
    found = studies.recordings(rng, lived, UNITS, signals={"value": value})
    variables, _ = last_outcome(found)
    hidden = slow_noise(rng, B, UNITS)
    scale = variables.std(axis=(0, 1))
    planted = np.exp(variables / scale)  # in rank, and not linearly
    planted[..., 1] *= -1  # with either sign
    hidden[..., :4] = planted + rng.normal(size=planted.shape)
    signals = {**found.signals, "hidden": hidden}
    signals["critic_hidden"] = slow_noise(rng, B, UNITS)
    return found._replace(signals=signals)


def test_planted_units_are_found_and_noise_is_not(recorded: Recordings) -> None:
    coding = code(recorded, "hidden")
    for unit, variable in enumerate(range(4)):
        assert coding.codes[unit, variable], VARIABLES[variable]
        assert abs(coding.coefficient[unit, variable]) > 0.4
    assert coding.coefficient[1, 1] < 0
    assert not coding.codes[4:].any()
    assert not code(recorded, "critic_hidden").codes.any()


def test_what_the_analysis_reports(recorded: Recordings) -> None:
    other = recorded._replace(signals={**recorded.signals})
    finding = unit_coding(studies.study(recorded, other))
    actor, critic = finding.statistics["actor"], finding.statistics["critic"]
    for variable in VARIABLES:
        entry = actor[f"fraction_{variable}"]
        assert entry["mean"] >= 1 / UNITS
        assert entry["null"] == 0.05
        assert critic[f"fraction_{variable}"]["mean"] == 0
        assert 0 < actor[f"mean_rho_{variable}"]["mean"] < 1
    table = finding.tables["unit_coding"]().columns
    assert len(table["unit"]) == 2 * 2 * UNITS * 4
    row = (table["population"] == "actor") & (table["unit"] == 1)
    row &= table["variable"] == "last_reward"
    assert table["codes"][row].all()
    assert len(finding.figures["unit_coding"]().axes) == 2


def test_noise_is_significant_at_the_nominal_rate(rng: np.random.Generator) -> None:
    """And tests that count steps, as is common, find it significant all the time."""
    found, naive = [], []
    for _ in range(40):
        units, variable = slow_noise(rng, 12, 10), slow_noise(rng, 12, 1)
        known = np.ones([12, T], bool)
        found.append(rank_correlations(units, variable, known).p_value)
        flat = units.reshape(-1, 10), variable.reshape(-1, 1)
        naive.append(spearmanr(flat[0][:, 0], flat[1][:, 0]).pvalue)
    check_rate(np.array(found) < 0.05, 0.05)
    assert np.mean(np.array(naive) < 0.05) > 0.8


def test_the_coefficient_is_spearmans(recorded: Recordings) -> None:
    variables, known = last_outcome(recorded)
    hidden = recorded.signals["hidden"]
    found = rank_correlations(hidden, variables, known)
    for unit, variable in np.ndindex(4, 4):
        expected = spearmanr(hidden[known][:, unit], variables[known][:, variable])
        assert found.coefficient[unit, variable] == pytest.approx(expected.statistic)


def test_p_against_drawn_pairings(rng: np.random.Generator) -> None:
    """Hoeffding's mean and variance, by drawing re-pairings of lifetimes."""
    units, variable = slow_noise(rng, 8, 1), slow_noise(rng, 8, 1)
    units += 0.7 * variable
    known = np.ones([8, T], bool)
    (p,) = rank_correlations(units, variable, known).p_value.ravel()
    x, y = (np.argsort(np.argsort(s.ravel())).reshape(8, T) for s in (units, variable))
    x, y = x - x.mean(), y - y.mean()
    drawn = [np.sum(x * y[rng.permutation(8)]) for _ in range(4000)]
    z = (np.sum(x * y) - np.mean(drawn)) / np.std(drawn)
    assert p == pytest.approx(2 * norm.sf(abs(z)), rel=0.25)


def test_units_that_do_not_vary_code_nothing(recorded: Recordings) -> None:
    recorded.signals["hidden"][:, :, 5] = 0.0
    coding = code(recorded, "hidden")
    assert np.isnan(coding.p_value[5]).any() or (coding.p_value[5] == 1).all()
    assert not coding.codes[5].any()
    assert coding.codes[0, 0]


def test_more_than_two_actions_are_refused(rng: np.random.Generator) -> None:
    lived = studies.lifetimes(rng, B, T, arms=3)
    with pytest.raises(UserError, match="needs two actions, and this task has 3"):
        last_outcome(studies.recordings(rng, lived))
