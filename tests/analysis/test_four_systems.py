"""The four learning systems: planted choosers have their own effect and no other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from harness.two_step_simulation import (
    OptimalChooser,
    TableChooser,
    episodic_two_step,
    two_step,
)
from scipy import stats

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.families.two_step import episodic_two_step_metrics
from kerasmeta.analysis.study import Study, Subject
from kerasmeta.analysis.systems.effects import (
    effects,
    interval_p_value,
    published_effects,
)
from kerasmeta.analysis.systems.four_systems import four_systems
from kerasmeta.analysis.systems.regression import Effect, linear, log_odds
from kerasmeta.analysis.systems.repeats import cued, incremental
from kerasmeta.analysis.trials import episodic_two_step_trials, two_step_trials

TYPES = (
    *("common_rewarded", "uncommon_rewarded"),
    *("common_unrewarded", "uncommon_unrewarded"),
)
COIN = dict(zip(TYPES, (0.5, 0.5, 0.5, 0.5), strict=True))
MODEL_FREE = dict(zip(TYPES, (0.8, 0.8, 0.2, 0.2), strict=True))
MODEL_BASED = dict(zip(TYPES, (0.8, 0.2, 0.2, 0.8), strict=True))
# Rewards that tell nothing: no past trial says anything of another one.
NEUTRAL = {"common": 0.7, "reward": 0.5, "hazard": 0.5}

# What is planted in the chooser, and the one effect each regression should find.
PLANTED = {
    "incremental model-free": (MODEL_FREE, None, "incremental", "model_free"),
    "incremental model-based": (MODEL_BASED, None, "incremental", "model_based"),
    "episodic model-free": (COIN, MODEL_FREE, "episodic", "model_free"),
    "episodic model-based": (COIN, MODEL_BASED, "episodic", "model_based"),
}


def planted(name: str, seed: int = 1, lifetimes: int = 400):
    stay, repeat, _, _ = PLANTED[name]
    chooser = TableChooser(stay, repeat)
    return episodic_two_step(chooser, lifetimes, seed, **NEUTRAL)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_chooser_has_its_own_effect_and_no_other(name: str) -> None:
    *_, system, effect = PLANTED[name]
    trials = episodic_two_step_trials(planted(name))
    found = {**linear(incremental(trials)), **linear(cued(trials))}
    own = {f"{system}_{effect}"}
    if system == "incremental":  # on cued trials as well: it does not use the cue
        own.add(f"incremental_cued_{effect}")
    for key, value in found.items():
        # Repeating as such: half of the time, 4 * 1 / 2 in the sum over types.
        planted_value = 1.2 if key in own else 2.0 if key in CHANCE else 0.0
        distance = abs(value.mean - planted_value) / value.error
        assert distance < stats.norm.ppf(0.9995), key


CHANCE = ("incremental_repeat", "episodic_repeat")


@pytest.mark.parametrize("name", PLANTED)
def test_log_odds_find_it_too(name: str) -> None:
    *_, system, effect = PLANTED[name]
    trials = episodic_two_step_trials(planted(name, lifetimes=800))
    found = {**log_odds(incremental(trials)), **log_odds(cued(trials))}
    for key, value in found.items():
        own = key.startswith(system) and key.endswith(effect)
        expected = math.log(0.8 / 0.2) if own else 0.0
        assert value == pytest.approx(expected, abs=0.06), key


@pytest.mark.parametrize("name", PLANTED)
def test_bars_show_it_and_p_values_tell_it_from_nothing(name: str) -> None:
    *_, system, effect = PLANTED[name]
    subjects = [Subject(f"seed {n}", planted(name, n, 60)) for n in range(5)]
    players = {"optimal": planted(name, 9, 60)}
    study = Study("agent", "episodic_two_step", {}, True, 100, subjects, players)
    found = four_systems(study).statistics
    for key in ("adjusted", "log_odds"):
        assert found[key][f"{system}_{effect}"]["p_value"] < 1e-3
    for key, value in found.items():
        if key in ("adjusted", "log_odds"):
            continue
        if key == f"{system}_{effect}":
            assert value["p_value"] < 1e-3
            low, high = value["ci95"]
            assert low < 1.2 < high
        else:
            assert value["p_value"] > 1e-3
        means = value["seeds"]
        expected = stats.ttest_1samp(means, 0.0).pvalue
        assert value["p_value"] == pytest.approx(expected)


class Undecided:
    """Goes by the cue, model-based, or by the last trial, model-free: at even odds."""

    def __init__(self) -> None:
        self.by_cue = TableChooser(COIN, MODEL_BASED)
        self.by_last = TableChooser(MODEL_FREE)

    def reset(self, batch_size: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.by_cue.reset(batch_size, rng)
        self.by_last.reset(batch_size, rng)

    def choose(self, seen: dict[str, np.ndarray]) -> np.ndarray:
        options = self.by_cue.choose(seen), self.by_last.choose(seen)
        return np.where(self.rng.random(len(seen["store"])) < 0.5, *options)


def test_two_systems_of_one_chooser_are_told_apart() -> None:
    lifetimes = episodic_two_step(Undecided(), 400, 3, **NEUTRAL)
    found = linear(cued(episodic_two_step_trials(lifetimes)))
    for key, expected in (
        ("episodic_model_based", 0.6),
        ("incremental_cued_model_free", 0.6),
        ("episodic_model_free", 0.0),
        ("incremental_cued_model_based", 0.0),
    ):
        distance = abs(found[key].mean - expected) / found[key].error
        assert distance < stats.norm.ppf(0.9995), key


def test_an_agent_that_never_errs_cares_for_nothing_but_the_interaction() -> None:
    world = {"common": 0.9, "reward": 0.9, "hazard": 0.1}
    chooser = OptimalChooser(**world)
    lifetimes = episodic_two_step(chooser, 200, seed=2)
    study = Study(
        "agent",
        "episodic_two_step",
        {},
        True,
        100,
        [Subject("seed 0", lifetimes)],
        {"optimal": lifetimes},
    )
    found = four_systems(study).statistics
    assert found["episodic_model_based"]["mean"] == 2.0
    assert found["episodic_model_based"]["p_value"] < 1e-3
    assert found["episodic_model_based"]["p_value_optimal"] == 1.0
    assert found["episodic_model_free"]["mean"] == 0.0
    assert found["episodic_model_free"]["p_value"] == 1.0
    assert found["adjusted"]["episodic_model_based"]["p_value"] == 0.0
    odds = {key: value["mean"] for key, value in found["log_odds"].items()}
    assert odds["episodic_model_based"] > 5
    # Rare types of trial do not look like a liking for reward.
    assert abs(odds["episodic_model_free"]) < 0.3
    trials = episodic_two_step_trials(lifetimes)
    data = cued(trials)
    even = log_odds(data._replace(weight=np.ones_like(data.weight)))
    assert abs(even["episodic_model_free"]) > 0.5


def test_the_interaction_is_the_familys_contrast() -> None:
    lifetimes = planted("episodic model-based")
    found = effects(episodic_two_step_trials(lifetimes))
    metrics = episodic_two_step_metrics(lifetimes)
    assert found["episodic_model_based"] == metrics["episodic_contrast"]
    bars = {name: value.mean for name, value in metrics.items()}
    by_hand = published_effects(bars)
    assert set(by_hand) == set(found)
    for key, value in by_hand.items():
        assert found[key].mean == pytest.approx(value)
    assert published_effects({"stay_common_rewarded": 0.9}) == {}


def test_errors_allow_for_lifetimes_that_differ() -> None:
    """Errors by the regression and by drawing whole lifetimes anew."""
    chooser = TableChooser(MODEL_FREE, spread=0.2)
    data = incremental(two_step_trials(two_step(chooser, 150, 4, **NEUTRAL)))
    found = linear(data)
    rng = np.random.default_rng(0)
    means = []
    for _ in range(200):
        drawn = np.bincount(rng.integers(150, size=150), minlength=150)
        weight = drawn[data.lifetime]  # how often each choice is in the sample
        moments = data.predictors.T @ (weight[:, None] * data.predictors)
        target = data.predictors.T @ (weight * data.repeated)
        means.append(4 * np.linalg.solve(moments, target))
    errors = np.std(means, axis=0, ddof=1)
    for name, error in zip(data.names, errors, strict=True):
        assert found[name].error == pytest.approx(error, rel=0.25), name
    # What lifetimes differ in, independent choices would not show.
    naive = 4 * 0.4 / math.sqrt(len(data.repeated))
    assert found["incremental_repeat"].error > 2 * naive


def test_two_step_has_the_incremental_half_only() -> None:
    lifetimes = two_step(TableChooser(MODEL_BASED), 40, 1)
    subjects = [Subject("seed 0", lifetimes)]
    players = {"optimal": lifetimes}
    study = Study("agent", "two_step", {}, True, 100, subjects, players)
    finding = four_systems(study)
    assert not any("episodic" in key for key in finding.statistics)
    published = finding.statistics["incremental_model_based"]["published"]
    assert published["wang_2018"] == pytest.approx(0.99 - 0.64 - 0.62 + 0.99)
    axes = finding.figures["four_systems"]().axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "incremental\nmodel-free",
        "incremental\nmodel-based",
    ]


def test_p_values_of_intervals() -> None:
    value = Estimate(0.5, (0.1, 0.7))
    # 0.4 below are 1.96 standard errors, and so are 0.2 above.
    assert interval_p_value(value, 0.1) == pytest.approx(0.05)
    assert interval_p_value(value, 0.7) == pytest.approx(0.05)
    assert interval_p_value(value, 0.5) == 1.0
    assert interval_p_value(value, 0.0) < 0.05 < interval_p_value(value, 0.2)
    assert Effect(0.3, 0.1).p_value == pytest.approx(2 * stats.norm.sf(3))
    assert Effect(2.0, 0.0).p_value == 0.0
    assert Effect(0.0, 0.0).p_value == 1.0
    assert math.isnan(Effect(math.nan, math.nan).p_value)


def test_without_choices_nothing_is_known() -> None:
    lifetimes = two_step(TableChooser(MODEL_BASED), 40, 1, trials=1)
    data = incremental(two_step_trials(lifetimes))
    assert all(math.isnan(value) for value in log_odds(data).values())
    assert all(math.isnan(value.mean) for value in linear(data).values())
