"""The metrics of the two-step families, against loops over single trials."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from harness import two_step_simulation as simulation
from harness.two_step_simulation import TRIAL_TYPES

from kerasmeta.analysis import (
    Estimate,
    episodic_two_step_trials,
    metrics,
    two_step_trials,
)
from kerasmeta.analysis.families.choice_regression import choice_data
from kerasmeta.analysis.families.two_step import episodic_repeat_counts, stay_counts
from kerasmeta.lifetimes import Lifetimes

Tally = dict[str, list[bool]]

STAY = {
    "stay_common_rewarded",
    "stay_uncommon_rewarded",
    "stay_common_unrewarded",
    "stay_uncommon_unrewarded",
}
REPEAT = {name.replace("stay", "episodic_repeat") for name in STAY}
TWO_STEP = {"reward_per_trial", "model_based_index", "model_free_index"} | STAY
EPISODIC = (
    {"reward_per_trial_uncued", "reward_per_trial_cued", "episodic_contrast"}
    | STAY
    | REPEAT
)


def trial_type(common: bool, rewarded: bool) -> str:
    first = "common" if common else "uncommon"
    return f"{first}_{'rewarded' if rewarded else 'unrewarded'}"


def seen_transition(lifetimes: Lifetimes, b: int, t: int) -> bool:
    """Whether trial t made the transition its action commonly makes."""
    state = lifetimes.observation["stimulus"][b, t + 1, 1:3].argmax()
    return bool(state == lifetimes.action[b, t])


def naive_stay(lifetimes: Lifetimes, last_trial: int) -> Tally:
    """Repetitions by type over pairs of trials up to `last_trial`, one by one."""
    tally: Tally = {name: [] for name in TRIAL_TYPES}
    action, reward = lifetimes.action, lifetimes.reward
    for b in range(len(action)):
        for t in range(last_trial):
            common = seen_transition(lifetimes, b, t)
            name = trial_type(common, reward[b, t] == 1)
            tally[name].append(action[b, t + 1] == action[b, t])
    return tally


def naive_episodic_repeat(lifetimes: Lifetimes) -> Tally:
    """Repetitions of the cued trial's action, found by comparing all contexts."""
    tally: Tally = {name: [] for name in TRIAL_TYPES}
    context = lifetimes.observation["context"]
    for b in range(len(context)):
        for t in range(51, 101):
            past = next(
                p for p in range(50) if (context[b, p + 1] == context[b, t]).all()
            )
            common = seen_transition(lifetimes, b, past)
            name = trial_type(common, lifetimes.reward[b, past] == 1)
            repeated = lifetimes.action[b, t] == lifetimes.action[b, past]
            tally[name].append(repeated)
    return tally


def check_tally(found: dict[str, Estimate], prefix: str, tally: Tally) -> None:
    for name, repeated in tally.items():
        mean = found[f"{prefix}_{name}"].mean
        np.testing.assert_allclose(mean, np.mean(repeated), rtol=1e-12)


@pytest.fixture(scope="module")
def two_step() -> Lifetimes:
    return simulation.two_step(simulation.ModelFreeChooser(), 20, seed=0)


@pytest.fixture(scope="module")
def episodic() -> Lifetimes:
    stay = dict(zip(TRIAL_TYPES, (0.95, 0.2, 0.1, 0.9), strict=True))
    repeat = dict(zip(TRIAL_TYPES, (0.85, 0.3, 0.36, 0.72), strict=True))
    chooser = simulation.TableChooser(stay, repeat)
    return simulation.episodic_two_step(chooser, 20, seed=0)


def test_two_step_against_loops(two_step: Lifetimes) -> None:
    found = metrics("two_step", two_step)
    assert set(found) == TWO_STEP
    check_tally(found, "stay", naive_stay(two_step, last_trial=99))
    np.testing.assert_allclose(found["reward_per_trial"].mean, two_step.reward.mean())


def test_episodic_two_step_against_loops(episodic: Lifetimes) -> None:
    found = metrics("episodic_two_step", episodic)
    assert set(found) == EPISODIC
    check_tally(found, "stay", naive_stay(episodic, last_trial=49))
    check_tally(found, "episodic_repeat", naive_episodic_repeat(episodic))
    reward = episodic.reward.astype(np.float64)
    uncued, cued = found["reward_per_trial_uncued"], found["reward_per_trial_cued"]
    np.testing.assert_allclose(uncued.mean, reward[:, :50].mean())
    np.testing.assert_allclose(cued.mean, reward[:, 51:].mean())


def test_contrast_identity(episodic: Lifetimes) -> None:
    found = metrics("episodic_two_step", episodic)
    cr, ur, cu, uu = (found[f"episodic_repeat_{name}"].mean for name in TRIAL_TYPES)
    np.testing.assert_allclose(found["episodic_contrast"].mean, cr - ur - cu + uu)


def test_padding_counts_for_nothing(two_step: Lifetimes) -> None:
    """A lifetime cut short and padded gives what the shorter recording gives."""
    valid = two_step.valid.copy()
    valid[:, 40:] = False
    padded = metrics("two_step", two_step._replace(valid=valid))
    observation = {k: v[:, :40] for k, v in two_step.observation.items()}
    cut = Lifetimes(observation, *(field[:, :40] for field in two_step[1:4]))
    for name, estimate in metrics("two_step", cut).items():
        np.testing.assert_allclose(padded[name].mean, estimate.mean)
        np.testing.assert_allclose(padded[name].ci95, estimate.ci95)


def test_an_outcome_that_is_not_shown_counts_for_nothing(
    two_step: Lifetimes, episodic: Lifetimes
) -> None:
    """Hiding the outcome of trial 10 of one lifetime removes what depends on it."""

    def hide(lifetimes: Lifetimes) -> Lifetimes:
        stimulus = lifetimes.observation["stimulus"].copy()
        stimulus[0, 11, :3] = 1, 0, 0
        observation = {**lifetimes.observation, "stimulus": stimulus}
        return lifetimes._replace(observation=observation)

    trials = two_step_trials(hide(two_step))
    assert sum(c.trials.sum() for c in stay_counts(trials).values()) == 20 * 99 - 1
    assert len(choice_data(trials).choice) == 20 * 95 - 5
    trials = episodic_two_step_trials(hide(episodic))
    cued_again = (trials.cued_trial[0] == 10).sum()
    repeats = episodic_repeat_counts(trials).values()
    assert cued_again > 0
    assert sum(c.trials.sum() for c in repeats) == 20 * 50 - cued_again


def test_planted_tables_are_found_and_covered() -> None:
    """The true probabilities lie in 95% of the intervals, correlated trials or not."""
    stay = dict(zip(TRIAL_TYPES, (0.9, 0.3, 0.4, 0.85), strict=True))
    repeat = dict(zip(TRIAL_TYPES, (0.85, 0.3, 0.36, 0.72), strict=True))
    truth = {f"stay_{name}": p for name, p in stay.items()}
    truth |= {f"episodic_repeat_{name}": p for name, p in repeat.items()}
    truth["episodic_contrast"] = 0.85 - 0.3 - 0.36 + 0.72
    covered = []
    for seed in range(60):
        chooser = simulation.TableChooser(stay, repeat, spread=0.1)
        lifetimes = simulation.episodic_two_step(chooser, 30, seed)
        found = metrics("episodic_two_step", lifetimes)
        for name, p in truth.items():
            covered.append(found[name].ci95[0] <= p <= found[name].ci95[1])
    # 540 intervals, those of one simulation correlated: 95% and three s.e. about.
    assert 0.92 <= np.mean(covered) <= 0.985


def test_an_optimal_player_gives_the_known_numbers() -> None:
    """Stay bars and rewards of the exact belief filter (published comparisons)."""
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025)
    found = metrics("two_step", simulation.two_step(chooser, 1500, seed=0))
    assert found["stay_common_rewarded"].mean == 1.0
    assert found["stay_uncommon_unrewarded"].mean == 1.0
    np.testing.assert_allclose(found["stay_uncommon_rewarded"].mean, 0.67, atol=0.02)
    np.testing.assert_allclose(found["stay_common_unrewarded"].mean, 0.66, atol=0.02)
    np.testing.assert_allclose(found["reward_per_trial"].mean, 0.706, atol=0.005)
    chooser = simulation.OptimalChooser(0.9, 0.9, 0.1)
    lifetimes = simulation.episodic_two_step(chooser, 500, seed=0)
    found = metrics("episodic_two_step", lifetimes)
    assert found["episodic_contrast"].mean == 2.0
    np.testing.assert_allclose(found["reward_per_trial_uncued"].mean, 0.70, atol=0.01)
    np.testing.assert_allclose(found["reward_per_trial_cued"].mean, 0.80, atol=0.01)


def test_a_model_free_chooser_ignores_the_transition() -> None:
    lifetimes = simulation.two_step(simulation.ModelFreeChooser(), 300, seed=2)
    stay = metrics("two_step", lifetimes)
    cr, ur, cu, uu = (stay[f"stay_{name}"].mean for name in TRIAL_TYPES)
    assert cr > cu + 0.1  # repeats what was rewarded ...
    assert ur > uu + 0.1  # ... however the reward came about


def test_a_coin_stays_half_the_time() -> None:
    lifetimes = simulation.episodic_two_step(simulation.RandomChooser(), 300, seed=5)
    found = metrics("episodic_two_step", lifetimes)
    for name in STAY | REPEAT:
        low, high = found[name].ci95
        assert high - low < 0.1
        assert abs(found[name].mean - 0.5) < high - low  # four standard errors
    assert abs(found["episodic_contrast"].mean) < 0.1


def test_one_lifetime_gives_means_without_intervals(two_step: Lifetimes) -> None:
    observation = {k: v[:1] for k, v in two_step.observation.items()}
    one = Lifetimes(observation, *(field[:1] for field in two_step[1:4]))
    for estimate in metrics("two_step", one).values():
        assert math.isfinite(estimate.mean)
        assert all(math.isnan(limit) for limit in estimate.ci95)


def test_a_thousand_lifetimes_take_under_two_seconds() -> None:
    chooser = simulation.OptimalChooser(0.8, 0.9, 0.025)
    lifetimes = simulation.two_step(chooser, 1000, seed=0)
    start = time.process_time()
    metrics("two_step", lifetimes)
    assert time.process_time() - start < 2.0
