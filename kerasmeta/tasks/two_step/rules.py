"""The arithmetic that the two-step tasks share: transition, reward, reversal.

The two second-stage states are numbered 0 (S1) and 1 (S2), and -1 stands for none.
Action 0 usually leads to S1 and action 1 to S2. The `good` state pays more often.
Every function takes its uniform draw from [0, 1), so that a task can make all the
draws of a step at once.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.tasks.validation import check_probability, check_reward_chances


def check_chances(
    common: float, high_reward: float, low_reward: float, reversal: float
) -> None:
    """Refuses chances that are no probabilities, or a good state that pays less.

    Raises:
        UserError: See above.
    """
    check_probability("common", common)
    check_reward_chances(high_reward, low_reward)
    check_probability("reversal", reversal)


def second_stage_state(action: Any, draw: Any, common: float) -> Any:
    """The state `[B]` that a stage-1 action leads to: its own with chance `common`."""
    return tf.where(draw < common, action, 1 - action)


def reward_chance(reached: Any, good: Any, high: float, low: float) -> Any:
    """The chance `[B]` of a reward of 1 in the state reached."""
    return tf.where(tf.equal(reached, good), float(high), float(low))


def reverse(good: Any, draw: Any, reversal: float) -> Any:
    """The good state `[B]` of the next trial: the other one with chance `reversal`."""
    return tf.where(draw < reversal, 1 - good, good)
