"""The visual Harlow task with pairs of images that come back."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from kerasmeta.tasks.base import Player, RandomPlayer
from kerasmeta.tasks.harlow.returning_pairs import ReturningPairs
from kerasmeta.tasks.harlow.screen import ScreenTask
from kerasmeta.tasks.harlow.visual_players import (
    LearningPlayer,
    OraclePlayer,
    RememberingPlayer,
)


@dataclasses.dataclass(frozen=True)
class EpisodicVisualHarlow(ScreenTask, ReturningPairs):
    """Episodes of the visual Harlow task, whose pairs of images come back later.

    How the eye moves and sees is told in `VisualHarlow`, and what comes back when in
    `ReturningPairs`. The pair's context is shown while the gaze is on the cross and the
    images are on the screen. The screen is black in a pause.

    Attributes: see `ReturningPairs` and `ScreenTask`.

    Observation: `stimulus` uint8 `[S, S, 3]`; `context` float32 `[K]` of +-1, zeros
    where there is none; `episode_start` true at the first step of every episode;
    `store` true where the pair's context is to be stored.

    Raises:
        UserError: A parameter is out of range, or a folder of images cannot be used.
    """

    name: ClassVar[str] = "episodic_visual_harlow"
    paper: ClassVar[str] = (
        "AlKhamissi, ElNokrashy & Spranger (2021). The emergence of abstract and "
        "episodic neurons in episodic meta-RL. arXiv:2104.02959."
    )

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "incremental": LearningPlayer(),
            "optimal": RememberingPlayer(self),
            "oracle": OraclePlayer(self),
        }
