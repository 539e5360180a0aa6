"""A last step that tells what was hidden, as experimenters debrief a subject.

Behaviour is analysed by conditions that the agent must not know: which half was the
volatile one, how often the risky lever pays. The record of a lifetime is what the agent
saw, so its last step shows the condition, when nothing is left to choose: whatever is
done in that step pays nothing.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf

SIZE = 3  # of the stimulus


def stimulus(steps: Any, trials: int, condition: Any) -> Any:
    """`[B, 3]`: a trial, or the debriefing of condition 0, or of condition 1.

    Args:
        steps: int32 `[B]`, steps done.
        trials: Steps before the debriefing, all of them trials.
        condition: int32 `[B]`, 0 or 1.
    """
    return tf.one_hot(tf.where(steps < trials, 0, 1 + condition), SIZE)
