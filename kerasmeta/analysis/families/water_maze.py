"""What the water maze measures: the way to the platform, by exposure to its context.

The n-th exposure is the n-th episode with the same context in a lifetime. On the second
one an agent that remembers swims straight to the platform; one that does not searches
as long as on the first.

Steps to the goal are the steps to the *first* reward of an episode. Where there is none
they are counted as the episode's length, the least that it can have been: the mean is
the mean of min(steps, length), an underestimate where `success` is below 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import Counts, Estimate, proportion, ratio
from kerasmeta.analysis.exposures import episodes
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes


class Searches(NamedTuple):
    """The `E` episodes of all lifetimes, and how the agent fared in each."""

    lifetime: np.ndarray  # [E] int
    exposure: np.ndarray  # [E] int, 1 where a context is met for the first time
    rewards: np.ndarray  # [E] float, platforms reached
    steps_to_goal: np.ndarray  # [E] int, the episode's length where not reached
    success: np.ndarray  # [E] bool, the platform was reached

    def where(self, which: np.ndarray) -> Searches:
        """Some of the episodes. which: `[E]` bool."""
        return Searches(*(field[which] for field in self))


def water_maze_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`reward_per_episode`, and by exposure reward, `steps_to_goal` and `success`.

    `reward_per_episode_exposure_<n>`, `steps_to_goal_exposure_<n>` and
    `success_exposure_<n>` go from 1 to the largest number of exposures in the record.
    `steps_to_goal_exposure_2_over_1` is the ratio of two of them: 1 without a memory.

    Raises:
        UserError: The lifetimes are of another task.
    """
    batch_size = len(lifetimes.valid)
    found = searches(lifetimes)
    estimates = {"reward_per_episode": _mean(found, found.rewards, batch_size)}
    parts = [found.where(found.exposure == n + 1) for n in range(found.exposure.max())]
    for n, part in enumerate(parts, start=1):
        estimates |= _of_exposure(n, part, batch_size)
    if len(parts) > 1:
        ratio_of_two = _over(parts[1], parts[0], batch_size)
        estimates["steps_to_goal_exposure_2_over_1"] = ratio_of_two
    return estimates


def searches(lifetimes: Lifetimes) -> Searches:
    """How each episode went.

    Raises:
        UserError: The lifetimes are of another task.
    """
    _check(lifetimes)
    lifetime, exposure, of_step = episodes(lifetimes)
    valid = lifetimes.valid
    rewards = np.bincount(of_step[valid], lifetimes.reward[valid], len(lifetime))
    length = np.bincount(of_step[valid], minlength=len(lifetime))
    began = np.cumsum(length) - length  # steps of all episodes before
    count = np.arange(valid.sum())  # of the valid steps, through all lifetimes
    rewarded = lifetimes.reward[valid] > 0
    first = np.full(len(lifetime), -1)
    # Written from the last one to the first, so that an episode's first reward stays.
    first[of_step[valid][rewarded][::-1]] = count[rewarded][::-1]
    success = first >= 0
    return Searches(
        lifetime=lifetime,
        exposure=exposure,
        rewards=rewards,
        steps_to_goal=np.where(success, first - began + 1, length),
        success=success,
    )


def _of_exposure(n: int, part: Searches, batch_size: int) -> dict[str, Estimate]:
    ones = np.ones(len(part.lifetime))
    found = Counts(
        successes=_sums(part, part.success, batch_size),
        trials=_sums(part, ones, batch_size),
    )
    return {
        f"reward_per_episode_exposure_{n}": _mean(part, part.rewards, batch_size),
        f"steps_to_goal_exposure_{n}": _mean(part, part.steps_to_goal, batch_size),
        f"success_exposure_{n}": proportion(found),
    }


def _over(one: Searches, other: Searches, batch_size: int) -> Estimate:
    """The ratio of the mean steps to the goal in two sets of episodes."""
    per_episode = len(other.lifetime) / len(one.lifetime)
    return ratio(
        per_episode * _sums(one, one.steps_to_goal, batch_size),
        _sums(other, other.steps_to_goal, batch_size),
    )


def _mean(part: Searches, values: np.ndarray, batch_size: int) -> Estimate:
    """The mean of a number per episode."""
    ones = np.ones(len(part.lifetime))
    return ratio(_sums(part, values, batch_size), _sums(part, ones, batch_size))


def _sums(part: Searches, values: np.ndarray, batch_size: int) -> np.ndarray:
    """One total per lifetime, `[B]`."""
    return np.bincount(part.lifetime, values, batch_size)


def _check(lifetimes: Lifetimes) -> None:
    reward = lifetimes.reward[lifetimes.valid]
    if not np.isin(reward, (0.0, 1.0)).all():
        raise UserError(
            "reward",
            float(reward[~np.isin(reward, (0.0, 1.0))][0]),
            "a water maze pays 1 or nothing",
            "pass the lifetimes together with the task they were recorded on",
        )
