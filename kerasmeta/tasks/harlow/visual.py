"""The visual Harlow task: does one outcome tell the agent which image pays?"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from kerasmeta.tasks.base import Player, RandomPlayer
from kerasmeta.tasks.harlow.one_pair import OnePair
from kerasmeta.tasks.harlow.screen import ScreenTask
from kerasmeta.tasks.harlow.visual_players import LearningPlayer, OraclePlayer


@dataclasses.dataclass(frozen=True)
class VisualHarlow(ScreenTask, OnePair):
    """Two new images, one of which pays: choose between them six times, by looking.

    The screen is black and has three places side by side, each of the size of an image.
    The agent looks at one of them at a time and sees its pixels. An action is a saccade
    to the left place (0), the middle (1) or the right (2).

    A fixation cross stands in the middle. A trial begins with the gaze elsewhere; the
    saccade to the cross pays `fixation_reward` and puts the two images on the left and
    right. Looking at an image shows it, and staying on it for a second step chooses it
    (PsychLab lets the gaze hover): that pays +1 or -1 and ends the trial. The image
    chosen is still seen together with its outcome; then the images are gone.

    The two images, and which of them pays, are drawn for each lifetime, and both stay
    for all its trials. The rewarded one is left in half of the trials and right in the
    others, in random order. A lifetime is one episode: it ends with its last trial, or
    after `max_steps`.

    Nothing can be known in the first trial, and everything afterwards: the best returns
    are 6 * 0.2 + 0 + 5 = 6.2 on average, and 7.2 for an oracle. The rewards are
    PsychLab's, divided by 5.

    Attributes: see `ScreenTask`.

    Observation: `stimulus` uint8 `[S, S, 3]`; `context` `[1]`, always zero; `store`
    always false.

    Raises:
        UserError: A parameter is out of range, or a folder of images cannot be used.
    """

    name: ClassVar[str] = "visual_harlow"
    paper: ClassVar[str] = (
        "Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 5."
    )

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "optimal": LearningPlayer(),
            "oracle": OraclePlayer(self),
        }
