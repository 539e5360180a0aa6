"""What Meta-World measures: episodes in which the task was solved.

An episode counts as a success if the task is solved in any of its steps, as in Meta-
World's own evaluation (Yu et al. 2020; McLean et al. 2025). The agent has the whole
lifetime to adapt: `success_rate` is that of the lifetime's last episode, and
`success_rate_first_episode` what it can do before it knows the goal.
"""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.estimates import (
    Counts,
    Estimate,
    mean_over_lifetimes,
    proportion,
)
from kerasmeta.analysis.exposures import episodes
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes


def metaworld_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`success_rate`, `success_rate_first_episode` and `return`.

    Of benchmarks of several tasks also `success_rate_<task>`, over the lifetimes that
    end with it. Of contextual families also `success_rate_exposure_<n>`, over the n-th
    episodes with the same context in a lifetime: in the second one an agent that
    remembers goes straight to the goal.

    Raises:
        UserError: The lifetimes are of another task.
    """
    solved, of_step = _solved(lifetimes)  # [E], [B, T]
    rows = np.arange(len(lifetimes.valid))
    ends = lifetimes.valid.shape[1] - 1 - np.argmax(lifetimes.valid[:, ::-1], axis=1)
    paid = np.where(lifetimes.valid, lifetimes.reward, 0.0)
    last = solved[of_step[rows, ends]]
    found = {
        "success_rate": _rate(last, rows, len(rows)),
        "success_rate_first_episode": _rate(solved[of_step[:, 0]], rows, len(rows)),
        "return": mean_over_lifetimes(paid.sum(axis=1)),
    }
    if isinstance(lifetimes.task, np.ndarray):
        found |= _by_task(last, lifetimes.task[rows, ends])
    if lifetimes.observation["context"].any():
        lifetime, exposure, _ = episodes(lifetimes)
        for n in range(1, exposure.max() + 1):
            part = exposure == n
            rate = _rate(solved[part], lifetime[part], len(rows))
            found[f"success_rate_exposure_{n}"] = rate
    return found


def _by_task(solved: np.ndarray, task: np.ndarray) -> dict[str, Estimate]:
    """Each task's rate of success, from one episode of each lifetime, `[B]`."""
    found = {}
    for name in np.unique(task):
        part = solved[task == name].astype(float)
        rate = proportion(Counts(part, np.ones_like(part)))
        found[f"success_rate_{name.replace('-', '_')}"] = rate
    return found


def _solved(lifetimes: Lifetimes) -> tuple[np.ndarray, np.ndarray]:
    """Whether each episode was solved, `[E]`, and each step's episode, `[B, T]`."""
    if not isinstance(lifetimes.success, np.ndarray):
        raise UserError(
            "lifetimes",
            "success",
            "was not recorded",
            "pass the lifetimes together with the task they were recorded on",
        )
    starts = lifetimes.observation["episode_start"].astype(bool)
    of_step = np.cumsum(starts.ravel()).reshape(starts.shape) - 1
    solved = np.zeros(starts.sum(), bool)
    np.logical_or.at(solved, of_step, (lifetimes.success > 0) & lifetimes.valid)
    return solved, of_step


def _rate(solved: np.ndarray, lifetime: np.ndarray, count: int) -> Estimate:
    """The rate of success over some episodes, by lifetime."""
    successes = np.bincount(lifetime, solved, count)
    return proportion(Counts(successes, np.bincount(lifetime, minlength=count)))
