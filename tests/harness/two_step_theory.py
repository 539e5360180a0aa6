"""What players of the two-step tasks earn, computed without playing.

Nothing here draws a random number: closed forms, and distributions carried from trial
to trial on a grid.
"""

from __future__ import annotations

import numpy as np


def oracle_reward(common: float, high: float, low: float) -> float:
    """Reward per trial of who knows the good state: c h + (1 - c) l."""
    return common * high + (1 - common) * low


def bayes_optimal(
    trials: int, common: float, high: float, reversal: float, cells: int = 4000
) -> tuple[float, float]:
    """Reward per trial and P(stay | evidence against the choice), for low = 1 - high.

    Then the outcome of a trial is a clue that points to the truly good state with
    chance `high`, whatever was chosen, so that the belief in the preferred state,
    p >= 1/2, is a Markov chain of its own. Its distribution is carried on a grid, with
    the mass split between the two neighbouring cells.

    Evidence against is a common transition without reward or a rare one with reward.
    """
    p = np.linspace(0.5, 1.0, cells + 1)
    mass = np.zeros_like(p)
    mass[0] = 1.0
    reward = stay = against = 0.0
    for trial in range(trials):
        is_good = p * high + (1 - p) * (1 - high)  # reward in the preferred state
        reward += mass @ (common * is_good + (1 - common) * (1 - is_good))
        new = np.zeros_like(mass)
        for clue, chance in ((high, is_good), (1 - high, 1 - is_good)):
            posterior = p * clue / chance
            belief = posterior * (1 - reversal) + (1 - posterior) * reversal
            if clue < 0.5 and trial < trials - 1:
                against += mass @ chance
                stay += mass @ (chance * (belief > 0.5))
            place = (np.maximum(belief, 1 - belief) - 0.5) * 2 * cells
            lower = np.minimum(place.astype(int), cells - 1)
            share = place - lower
            np.add.at(new, lower, mass * chance * (1 - share))
            np.add.at(new, lower + 1, mass * chance * share)
        mass = new
    return reward / trials, stay / against


def model_free_reward(
    trials: int,
    common: float,
    high: float,
    low: float,
    reversal: float,
    cells: int = 256,
) -> float:
    """Reward per trial of Q(a) <- (Q(a) + r) / 2, greedy, random ties, from Q = 1/2.

    With a learning rate of one half a value is a binary fraction: its first bit is the
    last reward. The joint distribution of the good state and the two values is carried
    with each value cut to log2(cells) bits.
    """
    mass = np.zeros((2, cells, cells))  # good state, cell of Q(0), cell of Q(1)
    mass[:, cells // 2, cells // 2] = 0.5
    cell = np.arange(cells)
    prefers_1 = np.where(cell[:, None] < cell, 1.0, 0.0)
    prefers_1 += 0.5 * (cell[:, None] == cell)
    total = 0.0
    for _ in range(trials):
        new = np.zeros_like(mass)
        for good in (0, 1):
            for action, chosen in ((0, 1 - prefers_1), (1, prefers_1)):
                weight = mass[good] * chosen
                to_good = common if action == good else 1 - common
                chance = to_good * high + (1 - to_good) * low
                total += chance * weight.sum()
                new[good] += _learn(weight, action, chance)
        mass = (1 - reversal) * new + reversal * new[::-1]
    return total / trials


def _learn(weight: np.ndarray, action: int, chance: float) -> np.ndarray:
    """Moves the mass along the axis of the action: cell -> (cell + r cells) // 2."""
    cells = weight.shape[0]
    along = weight if action == 0 else weight.T
    halved = along.reshape(cells // 2, 2, cells).sum(axis=1)
    moved = np.concatenate([(1 - chance) * halved, chance * halved])
    return moved if action == 0 else moved.T


def episodic_oracle_cued_reward(
    uncued: int, cued: int, common: float, high: float, low: float, reversal: float
) -> float:
    """Reward per cued trial of who knows the good state and the cued outcome.

    In the past trial the good state was reached with chance c. The lag between the two
    trials decides how probably the good state is still the same. The oracle then knows
    the value of both states: the past reward, and `high` or `low`.
    """

    def planned(values: tuple[float, float]) -> float:
        return common * max(values) + (1 - common) * min(values)

    total = 0.0
    for trial in range(cued):
        half = uncued // 2
        past = range(half) if trial < cued // 2 else range(half, uncued)
        for past_trial in past:
            lag = uncued + trial - past_trial
            same = (1 + (1 - 2 * reversal) ** lag) / 2
            for was_good, p_was in ((True, common), (False, 1 - common)):
                rate = high if was_good else low
                is_good = same if was_good else 1 - same  # the past state, now
                for reward, p_reward in ((1.0, rate), (0.0, 1 - rate)):
                    value = is_good * planned((reward, low))
                    value += (1 - is_good) * planned((reward, high))
                    total += p_was * p_reward * value / len(past)
    return total / cued


def memory_only_cued_reward(common: float) -> float:
    """Reward per cued trial of who knows the cued outcome and nothing else.

    The past trial was rewarded with chance 1/2, the other state is worth 1/2:
    (c + (1 - c)/2) / 2 + (c/2) / 2 = 1/4 + c/2.
    """
    return 0.25 + common / 2
