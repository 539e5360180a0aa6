"""What the two-step tasks measure: stay probabilities and their episodic counterpart.

A model-free learner repeats whatever was rewarded. A model-based learner knows that
the reward of an uncommon transition belongs to the other action, so it shows an
interaction of reward with transition (Daw et al. 2011; Wang et al. 2018). The same
logic applies to a single past trial brought back by a cue: episodic model-based
control repeats its action after common-rewarded and uncommon-unrewarded trials
(Vikbladh et al. 2017; Ritter et al. 2018).
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.estimates import (
    Counts,
    Estimate,
    contrast,
    proportion,
    ratio,
)
from kerasmeta.analysis.families.choice_regression import choice_indices
from kerasmeta.analysis.trials import (
    NO_TRIAL,
    Trials,
    drifting_two_step_trials,
    episodic_two_step_trials,
    two_step_trials,
)
from kerasmeta.lifetimes import Lifetimes

# name: (common transition, rewarded), in the order CR, UR, CU, UU of the papers.
TRIAL_TYPES = {
    "common_rewarded": (True, True),
    "uncommon_rewarded": (False, True),
    "common_unrewarded": (True, False),
    "uncommon_unrewarded": (False, False),
}
_INTERACTION = (1, -1, -1, 1)


def two_step_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`reward_per_trial`, `stay_*`, `model_based_index` and `model_free_index`."""
    return _incremental(two_step_trials(lifetimes))


def two_step_drift_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """The same of the drifting task, about its first choices."""
    return _incremental(drifting_two_step_trials(lifetimes))


def _incremental(trials: Trials) -> dict[str, Estimate]:
    return {
        "reward_per_trial": reward_per_trial(trials, trials.valid),
        **_named("stay", stay_counts(trials)),
        **choice_indices(trials),
    }


def episodic_two_step_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """Reward uncued and cued, `stay_*` (uncued), `episodic_repeat_*` and contrast.

    `episodic_contrast` is the interaction CR - UR - CU + UU of the repeat
    probabilities: 2 for perfect episodic model-based control, near 0 without memory
    (0.1 for an optimal learner without memory, who meets the same old outcomes again).
    """
    trials = episodic_two_step_trials(lifetimes)
    repeats = episodic_repeat_counts(trials)
    return {
        "reward_per_trial_uncued": reward_per_trial(
            trials, trials.valid & ~trials.cued
        ),
        "reward_per_trial_cued": reward_per_trial(trials, trials.valid & trials.cued),
        **_named("stay", stay_counts(trials)),
        **_named("episodic_repeat", repeats),
        "episodic_contrast": contrast(list(repeats.values()), _INTERACTION),
    }


def reward_per_trial(trials: Trials, which: np.ndarray) -> Estimate:
    """Mean reward of the trials in `which`, `[B, T]` bool."""
    return ratio(np.where(which, trials.reward, 0).sum(axis=1), which.sum(axis=1))


def stay_counts(trials: Trials) -> dict[str, Counts]:
    """Repetitions of the last trial's action by its type, over uncued trials."""
    last, now = trials.columns(slice(None, -1)), trials.columns(slice(1, None))
    counted = last.visible & ~last.cued & now.valid & ~now.cued  # [B, T - 1]
    return _by_type(last.common, last.rewarded, now.action == last.action, counted)


def episodic_repeat_counts(trials: Trials) -> dict[str, Counts]:
    """Repetitions of the cued past trial's action by that trial's type."""
    known = trials.valid & trials.cued & (trials.cued_trial != NO_TRIAL)  # [B, T]
    column = np.where(known, trials.cued_trial, 0)
    past = Trials(*(np.take_along_axis(field, column, axis=1) for field in trials))
    repeated = trials.action == past.action
    return _by_type(past.common, past.rewarded, repeated, known & past.visible)


def _by_type(
    common: np.ndarray, rewarded: np.ndarray, repeated: np.ndarray, counted: np.ndarray
) -> dict[str, Counts]:
    counts = {}
    for name, (is_common, is_rewarded) in TRIAL_TYPES.items():
        of_type = counted & (common == is_common) & (rewarded == is_rewarded)
        counts[name] = Counts(
            successes=(of_type & repeated).sum(axis=1), trials=of_type.sum(axis=1)
        )
    return counts


def _named(prefix: str, counts: dict[str, Counts]) -> dict[str, Estimate]:
    return {f"{prefix}_{name}": proportion(c) for name, c in counts.items()}
