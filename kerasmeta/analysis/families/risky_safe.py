"""What the risky and the safe lever measure: reward, and how often risk is taken.

The levers are told apart by what they paid: the safe one always pays the same, the
risky one something else or nothing. So a choice is known whatever the agent was told.
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.estimates import Counts, Estimate, proportion, ratio
from kerasmeta.analysis.families.debriefing import debriefed
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes


def risky_safe_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`reward_per_trial` and `risky_choice`, over all lifetimes and by the lever.

    `risky_choice_favourable` is the part of risky choices where the risky lever is
    worth more than the safe one, `risky_choice_unfavourable` where it is worth less.

    Raises:
        UserError: The lifetimes are of another task.
    """
    trials, favourable = debriefed(lifetimes)
    paid = np.where(trials, lifetimes.reward, 0).sum(axis=1)
    return {
        "reward_per_trial": ratio(paid, trials.sum(axis=1)),
        **risky_choices(lifetimes, favourable),
    }


def risky_choices(lifetimes: Lifetimes, favourable: np.ndarray) -> dict[str, Estimate]:
    """`risky_choice`, `risky_choice_favourable` and `risky_choice_unfavourable`."""
    chosen = risky_counts(lifetimes)
    found = {"risky_choice": proportion(chosen)}
    for name, which in (("favourable", favourable), ("unfavourable", ~favourable)):
        some = Counts(chosen.successes * which, chosen.trials * which)
        found[f"risky_choice_{name}"] = proportion(some)
    return found


def risky_counts(lifetimes: Lifetimes) -> Counts:
    """Choices of the risky lever in each lifetime.

    Raises:
        UserError: The lifetimes are of another task.
    """
    trials, _ = debriefed(lifetimes)
    is_risky = trials & (lifetimes.reward != safe_reward(lifetimes, trials))
    return Counts(is_risky.sum(axis=1), trials.sum(axis=1))


def safe_reward(lifetimes: Lifetimes, trials: np.ndarray) -> float:
    """What the safe lever pays: the smaller one of the two rewards there are.

    Infinity where only the risky lever was ever pulled: the one amount that was paid is
    its own if a lever paid it at one time and nothing at another.
    """
    amounts = np.unique(lifetimes.reward[trials & (lifetimes.reward > 0)])
    if len(amounts) > 2:
        raise UserError(
            "reward",
            amounts,
            "the two levers pay one amount each",
            "pass the lifetimes together with the task they were recorded on",
        )
    if len(amounts) == 2:
        return float(amounts[0])
    for lever in (0, 1):
        pulled = trials & (lifetimes.action == lever)
        paid = (pulled & (lifetimes.reward > 0)).any(axis=1)
        if (paid & (pulled & (lifetimes.reward == 0)).any(axis=1)).any():
            return float(np.inf)
    return float(amounts.max(initial=0.0)) or float(np.inf)
