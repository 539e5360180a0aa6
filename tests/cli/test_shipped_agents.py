"""What the agents of the zoo do, measured as users measure it.

The thresholds are lower than what was measured at publication by several standard
errors, and beyond what an agent could reach by other means: an agent that ignores the
transitions repeats after every reward, and one without episodic memory cannot use cues.
"""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def means(command_line: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Evaluates an agent of the embedded zoo; returns the means by metric."""
    monkeypatch.delenv("KERASMETA_REGISTRY", raising=False)

    def evaluate(id: str, *options: str, lifetimes: int = 1000) -> dict[str, float]:
        words = ("evaluate", id, "--lifetimes", str(lifetimes), *options)
        metrics = command_line(*words, "--no-references", "--json").json["metrics"]
        return {name: estimate["mean"] for name, estimate in metrics.items()}

    return evaluate


@pytest.mark.parametrize("id", ["two_step/lstm", "two_step/ep_lstm"])
def test_two_step_agents_are_model_based(id: str, means: Any) -> None:
    found = means(id)
    assert found["reward_per_trial"] >= 0.69
    assert found["stay_common_rewarded"] >= 0.95
    assert found["stay_uncommon_unrewarded"] >= 0.95
    assert 0.5 <= found["stay_uncommon_rewarded"] <= 0.8
    assert 0.5 <= found["stay_common_unrewarded"] <= 0.8
    assert found["model_based_index"] >= 15.0  # the optimal player 20, a model-free -1
    assert abs(found["model_free_index"]) <= 1.0  # 0 and 16


def test_the_episodic_agent_plans_with_what_it_remembers(means: Any) -> None:
    found = means("episodic_two_step/ep_lstm")
    assert found["reward_per_trial_uncued"] >= 0.69
    assert found["reward_per_trial_cued"] >= 0.78
    assert found["episodic_contrast"] >= 1.6


@pytest.mark.parametrize("lesion", ["memory", "gate"])
def test_without_its_memory_it_cannot(lesion: str, means: Any) -> None:
    found = means("episodic_two_step/ep_lstm", "--lesion", lesion)
    assert found["reward_per_trial_cued"] <= 0.73
    assert found["episodic_contrast"] <= 0.3


def test_nor_can_it_without_the_units_whose_gates_are_open(means: Any) -> None:
    found = means("episodic_two_step/ep_lstm", "--lesion", "gate_open:0.5")
    assert found["reward_per_trial_cued"] <= 0.73
    assert found["episodic_contrast"] <= 0.3


def test_nor_can_an_agent_that_never_had_one(means: Any) -> None:
    assert means("episodic_two_step/lstm")["reward_per_trial_cued"] <= 0.73


def test_the_bandit_agent_explores_and_then_stops(means: Any) -> None:
    found = means("bandit/lstm", lifetimes=4000)
    assert found["reward_first_10_trials"] >= 0.55
    assert found["reward_last_10_trials"] >= 0.61  # never switching would be 0.5
    assert found["cumulative_regret"] <= 2.05  # Thompson sampling 2.77, Gittins 1.75


def test_the_volatile_agent_learns_faster_where_chances_change(means: Any) -> None:
    found = means("volatile_bandit/lstm")
    assert found["reward_per_trial"] >= 0.71
    assert found["learning_rate_ratio"] >= 1.15


def test_one_outcome_tells_the_harlow_agent_which_object_pays(means: Any) -> None:
    found = means("harlow/lstm")
    assert 0.45 <= found["accuracy_trial_1"] <= 0.55  # nothing can be known
    assert found["accuracy_trial_2"] >= 0.95
    assert found["accuracy_trial_6"] >= 0.95


def test_the_episodic_harlow_agent_remembers_what_paid(means: Any) -> None:
    found = means("episodic_harlow/ep_lstm", lifetimes=100)
    assert 0.44 <= found["accuracy_trial_1_exposure_1"] <= 0.56
    assert found["accuracy_trial_1_exposure_2"] >= 0.9
    assert found["accuracy_trial_2"] >= 0.93


def test_but_not_without_its_memory(means: Any) -> None:
    options = ("--lesion", "memory")
    found = means("episodic_harlow/ep_lstm", *options, lifetimes=100)
    assert 0.44 <= found["accuracy_trial_1_exposure_2"] <= 0.56
    assert found["accuracy_trial_2"] >= 0.93  # it still learns within an episode


def test_the_barcode_agent_remembers_which_arm_paid(means: Any) -> None:
    found = means("barcode_bandit/ep_lstm", lifetimes=100)
    assert found["reward_per_pull"] >= 0.74  # at most 0.44 without memory
    assert found["first_pull_exposure_1"] <= 0.25
    assert found["first_pull_exposure_2"] >= 0.5


def test_without_its_memory_every_exposure_is_its_first(means: Any) -> None:
    found = means("barcode_bandit/ep_lstm", "--lesion", "memory", lifetimes=100)
    assert found["reward_per_pull"] <= 0.46
    assert found["first_pull_exposure_2"] <= 0.25


def test_nor_does_an_agent_without_one_know_the_barcode(means: Any) -> None:
    found = means("barcode_bandit/lstm", lifetimes=100)
    assert 0.36 <= found["reward_per_pull"] <= 0.46
    assert found["first_pull_exposure_2"] <= 0.25


def test_nor_does_an_agent_without_one_know_the_pair(means: Any) -> None:
    found = means("episodic_harlow/lstm", lifetimes=100)
    assert 0.44 <= found["accuracy_trial_1_exposure_2"] <= 0.56
    assert found["accuracy_trial_2"] >= 0.9


def test_the_matching_agent_matches(means: Any) -> None:
    found = means("matching/lstm")
    assert found["reward_per_trial"] >= 0.42
    assert 0.6 <= found["matching_slope"] <= 0.9


def test_the_risky_safe_agent_finds_out_when_risk_pays(means: Any) -> None:
    found = means("risky_safe/lstm")
    assert found["risky_choice_favourable"] >= 0.75
    assert found["risky_choice_unfavourable"] <= 0.2


def test_the_reversal_agent_infers_what_it_has_not_met(means: Any) -> None:
    found = means("reversal/lstm")
    assert found["choice_accuracy"] >= 0.92
    assert found["inferred_choice"] >= 0.95


def test_the_swimmer_remembers_where_the_platform_was(means: Any) -> None:
    found = means("water_maze/ep_lstm", lifetimes=200)
    assert found["reward_per_episode"] >= 5.2  # 4.3 without memory, at best
    assert found["steps_to_goal_exposure_2_over_1"] <= 0.55


@pytest.mark.parametrize(
    ("id", "options"),
    [("water_maze/ep_lstm", ("--lesion", "memory")), ("water_maze/lstm", ())],
)
def test_without_a_memory_it_searches_again(
    id: str, options: tuple[str, ...], means: Any
) -> None:
    found = means(id, *options, lifetimes=200)
    assert found["reward_per_episode"] <= 4.0
    assert 0.9 <= found["steps_to_goal_exposure_2_over_1"] <= 1.1


def test_the_drifting_agent_plans(means: Any) -> None:
    found = means("two_step_drift/lstm", lifetimes=300)
    assert found["reward_per_trial"] >= 0.53
    assert found["model_based_index"] >= 8.0
    assert found["model_free_index"] <= 2.0


def test_images_never_seen_before_are_told_apart(means: Any) -> None:
    found = means("visual_harlow/lstm", lifetimes=300)
    assert 0.4 <= found["accuracy_trial_1"] <= 0.6
    assert found["accuracy_trial_2"] >= 0.93


def test_and_remembered(means: Any) -> None:
    found = means("episodic_visual_harlow/ep_lstm", lifetimes=20)
    assert 0.4 <= found["accuracy_trial_1_exposure_1"] <= 0.6
    assert found["accuracy_trial_1_exposure_2"] >= 0.87
    options = ("--lesion", "memory")
    found = means("episodic_visual_harlow/ep_lstm", *options, lifetimes=20)
    assert 0.4 <= found["accuracy_trial_1_exposure_2"] <= 0.6
    assert found["accuracy_trial_2"] >= 0.85  # it still learns within an episode


def test_nor_does_an_agent_without_one_know_the_images(means: Any) -> None:
    found = means("episodic_visual_harlow/lstm", lifetimes=20)
    assert 0.4 <= found["accuracy_trial_1_exposure_2"] <= 0.6
    assert found["accuracy_trial_2"] >= 0.8


def test_a_goal_that_comes_back_is_reached_with_a_memory_only(means: Any) -> None:
    """Of Meta-World's reach, with the reward shown in a goal's first episode only."""
    pytest.importorskip("metaworld")
    name, episodic = "success_rate_exposure_2", "metaworld_ml1_reach_contextual/ep_lstm"
    assert means(episodic, lifetimes=40)[name] >= 0.55
    assert means(episodic, "--lesion", "memory", lifetimes=40)[name] <= 0.4
    others = means("metaworld_ml1_reach_contextual/lstm", lifetimes=40)
    assert others[name] <= 0.4
