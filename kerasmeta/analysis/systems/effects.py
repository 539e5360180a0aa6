"""Effects on the bars of repeat probabilities: an analysis of variance, by system."""

from __future__ import annotations

from collections.abc import Mapping

from scipy.special import ndtr

from kerasmeta.analysis.estimates import Estimate, contrast
from kerasmeta.analysis.families.two_step import (
    TRIAL_TYPES,
    episodic_repeat_counts,
    stay_counts,
)
from kerasmeta.analysis.trials import Trials

# Signs of CR, UR, CU, UU.
SIGNS: Mapping[str, tuple[int, int, int, int]] = {
    "model_free": (1, 1, -1, -1),  # main effect of reward
    "transition": (1, -1, 1, -1),  # main effect of transition
    "model_based": (1, -1, -1, 1),  # reward x transition
}
_NORMAL = 1.959963984540054  # 97.5% quantile
# By system, the metrics that its bars are.
BARS: Mapping[str, str] = {"incremental": "stay", "episodic": "episodic_repeat"}


def effects(trials: Trials) -> dict[str, Estimate]:
    """The two main effects and the interaction on the four bars of each system.

    `incremental_model_free` is CR + UR - CU - UU of P(repeat the last action) over
    uncued trials, and so on; `episodic_*` of P(repeat the cued trial's action), where
    there are cues. A system that is alone and never errs has an effect of 2.
    """
    counts = {"incremental": stay_counts(trials)}
    if trials.cued.any():
        counts["episodic"] = episodic_repeat_counts(trials)
    return {
        f"{system}_{effect}": contrast(list(by_type.values()), signs)
        for system, by_type in counts.items()
        for effect, signs in SIGNS.items()
    }


def interval_p_value(value: Estimate, null: float) -> float:
    """Two-sided p of one agent's effect, by its interval over lifetimes.

    The normal tail beyond `null`, in units of the standard error that the interval has
    on the side of `null`: p < .05 where the 95% interval excludes it.
    """
    mean, (low, high) = value
    half = high - mean if null > mean else mean - low
    if abs(mean - null) < 1e-12:
        return 1.0
    return float(2 * ndtr(-_NORMAL * abs(mean - null) / half)) if half else 0.0


def published_effects(values: Mapping[str, float]) -> dict[str, float]:
    """The same of published bars (`stay_common_rewarded`, ...), where all four are."""
    found = {}
    for system, prefix in BARS.items():
        names = [f"{prefix}_{name}" for name in TRIAL_TYPES]
        if not all(name in values for name in names):
            continue
        for effect, signs in SIGNS.items():
            pairs = zip(signs, names, strict=True)
            found[f"{system}_{effect}"] = sum(sign * values[n] for sign, n in pairs)
    return found
