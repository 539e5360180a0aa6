"""The metrics that stand for a task family where there is room for few."""

from __future__ import annotations

_HEADLINES: dict[str, tuple[str, ...]] = {
    "two_step": ("reward_per_trial", "stay_uncommon_unrewarded"),
    "two_step_drift": ("reward_per_trial", "model_based_index", "model_free_index"),
    "episodic_two_step": (
        "reward_per_trial_cued",
        "reward_per_trial_uncued",
        "episodic_contrast",
    ),
    "bandit": ("reward_per_trial", "cumulative_regret"),
    "barcode_bandit": ("reward_per_pull", "first_pull_exposure_2"),
    "matching": ("reward_per_trial", "matching_slope"),
    "volatile_bandit": ("reward_per_trial", "learning_rate_ratio"),
    "reversal": ("reward_per_trial", "inferred_choice"),
    "risky_safe": (
        "reward_per_trial",
        "risky_choice_favourable",
        "risky_choice_unfavourable",
    ),
    "harlow": ("accuracy_trial_2", "accuracy_trial_1", "return"),
    "episodic_harlow": (
        "accuracy_trial_1_exposure_2",
        "accuracy_trial_1_exposure_1",
        "accuracy_trial_2",
    ),
    "visual_harlow": ("accuracy_trial_2", "accuracy_trial_1", "return"),
    "episodic_visual_harlow": (
        "accuracy_trial_1_exposure_2",
        "accuracy_trial_1_exposure_1",
        "accuracy_trial_2",
    ),
    "water_maze": (
        "reward_per_episode",
        "steps_to_goal_exposure_2",
        "steps_to_goal_exposure_2_over_1",
    ),
}


def headline(task_name: str) -> tuple[str, ...]:
    """A family's headline metrics; the first one ranks agents and seeds."""
    if task_name.startswith("metaworld_"):
        contextual = task_name.endswith("_contextual")
        return ("success_rate_exposure_2" if contextual else "success_rate", "return")
    return _HEADLINES.get(task_name, ("return",))
