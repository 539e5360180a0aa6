"""What the volatile bandit measures: reward and learning rates, block by block.

Learning rates are measured twice. `learning_rate_*` fits a delta rule
(`learning_rate`). `recency_*` assumes no rule: choices are regressed on the arms that
the last ten outcomes spoke for, and recency is the last one's part of all ten weights.
(A delta rule of rate alpha has alpha / (1 - (1 - alpha)**10).) Both should be larger
in the volatile block: a ratio above 1 (Behrens et al. 2007; Wang et al. 2018).
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.estimates import (
    UNKNOWN,
    Estimate,
    ratio,
    standard_error,
    t_quantile,
)
from kerasmeta.analysis.families.debriefing import debriefed
from kerasmeta.analysis.families.lagged_choice import LaggedWeights, lagged_weights
from kerasmeta.analysis.families.learning_rate import Choices, learning_rates
from kerasmeta.lifetimes import Lifetimes

LAGS = 10


def volatile_bandit_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """Reward per trial, learning rate and recency: `*_stable`, `*_volatile`, ratios.

    Raises:
        UserError: The lifetimes are of another task.
    """
    trials, volatile = blocks(lifetimes)
    stable_block, volatile_block = trials & ~volatile, trials & volatile
    rates = learning_rates(
        Choices(lifetimes.action, lifetimes.reward, volatile, trials)
    )
    stable_weights = outcome_weights(lifetimes, stable_block)
    volatile_weights = outcome_weights(lifetimes, volatile_block)
    return {
        "reward_per_trial": _reward(lifetimes, trials),
        "reward_per_trial_stable": _reward(lifetimes, stable_block),
        "reward_per_trial_volatile": _reward(lifetimes, volatile_block),
        "learning_rate_stable": rates.stable,
        "learning_rate_volatile": rates.volatile,
        "learning_rate_ratio": rates.ratio,
        "recency_stable": recency(stable_weights)[0],
        "recency_volatile": recency(volatile_weights)[0],
        "recency_ratio": recency_ratio(volatile_weights, stable_weights),
    }


def blocks(lifetimes: Lifetimes) -> tuple[np.ndarray, np.ndarray]:
    """(trials, volatile), each bool `[B, T]`; the blocks are halves of a lifetime."""
    trials, volatile_first = debriefed(lifetimes)
    number = np.cumsum(trials, axis=1)  # [B, T], 1 for the first trial
    in_first = number <= trials.sum(axis=1, keepdims=True) // 2
    return trials, in_first == volatile_first[:, None]


def outcome_weights(
    lifetimes: Lifetimes, block: np.ndarray, lags: int = LAGS
) -> LaggedWeights:
    """Weights of the arms that past outcomes spoke for, within a block `[B, T]`."""
    side = np.where(lifetimes.action == 1, 1.0, -1.0)
    favoured = np.where(lifetimes.reward > 0, side, -side)
    earlier = np.cumsum(block, axis=1) - block  # trials of the block before this one
    return lagged_weights(lifetimes.action, [favoured], block & (earlier >= lags), lags)


def recency(weights: LaggedWeights) -> tuple[Estimate, np.ndarray]:
    """The last outcome's part of all weights, and its influences `[G]`."""
    by_lag = weights.weights[0]  # [L]
    total = by_lag.sum()
    if not len(weights.influence) or not total > 0:
        return UNKNOWN, np.zeros(0)
    part = float(by_lag[0] / total)
    change = weights.influence[:, 0]  # [G, L]
    by_lifetime = (change[:, 0] - part * change.sum(axis=1)) / total
    half = t_quantile(len(change)) * standard_error(by_lifetime, len(change))
    return Estimate(part, (part - half, part + half)), by_lifetime


def recency_ratio(volatile: LaggedWeights, stable: LaggedWeights) -> Estimate:
    """Recency in the volatile block to that in the stable one.

    Every lifetime has both blocks: the influences are paired. The interval is made in
    logarithms; unknown where a recency is not positive.
    """
    (above, above_by_lifetime), (below, below_by_lifetime) = (
        recency(volatile),
        recency(stable),
    )
    if not (above.mean > 0 and below.mean > 0):
        return UNKNOWN
    size = len(above_by_lifetime)
    if len(below_by_lifetime) != size:
        return UNKNOWN
    relative = above_by_lifetime / above.mean - below_by_lifetime / below.mean
    factor = float(np.exp(t_quantile(size) * standard_error(relative, size)))
    mean = above.mean / below.mean
    return Estimate(mean, (mean / factor, mean * factor))


def _reward(lifetimes: Lifetimes, which: np.ndarray) -> Estimate:
    """Mean reward of the trials in `which`, `[B, T]` bool."""
    return ratio(np.where(which, lifetimes.reward, 0).sum(axis=1), which.sum(axis=1))
