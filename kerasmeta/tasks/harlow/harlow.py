"""The Harlow task on a strip: does one outcome tell the agent which object pays?"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from kerasmeta.tasks.base import Player, RandomPlayer
from kerasmeta.tasks.harlow.one_pair import OnePair
from kerasmeta.tasks.harlow.players import LearningPlayer, OraclePlayer
from kerasmeta.tasks.harlow.strip import StripTask


@dataclasses.dataclass(frozen=True)
class Harlow(StripTask, OnePair):
    """Two new objects, one of which pays: choose between them six times.

    The agent sees the `field` cells around its gaze on a circular strip of `cells`,
    and moves its gaze one cell to the left (action 0) or to the right (1). A trial
    begins with a fixation cross, `distance` cells to one side. Gazing at it (in the
    middle of the view) pays `fixation_reward` and puts the two objects in its place,
    `distance` cells to its left and right. Gazing at one of them pays +1 or -1 and ends
    the trial: the cross is back where it was.

    The two objects, and which of them pays, are drawn for each lifetime, and both stay
    for all its trials. The rewarded one is left in half of the trials and right in the
    others, in random order. A lifetime is one episode: it ends with its last trial, or
    after `max_steps`.

    Nothing can be known in the first trial, and everything afterwards: the best returns
    are 6 * 0.2 + 0 + 5 = 6.2 on average, and 7.2 for an oracle. Wang et al. (2018) show
    the objects as images; the strip is AlKhamissi's, without its defects (an object
    that looks like the cross, two equal objects).

    Attributes: see `StripTask`.

    Observation: `stimulus` float32 `[field * F]`, `F` numbers a cell, all zeros where
    a cell is empty; `context` `[1]`, always zero; `store` always false.

    Raises:
        UserError: A parameter is out of range, or does not go with the others.
    """

    name: ClassVar[str] = "harlow"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 5."
    )

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "optimal": LearningPlayer(self),
            "oracle": OraclePlayer(self),
        }
