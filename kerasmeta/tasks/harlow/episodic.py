"""The Harlow task with pairs that come back: does the agent remember what paid?"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from kerasmeta.tasks.base import Player, RandomPlayer
from kerasmeta.tasks.harlow.episodic_players import RememberingPlayer
from kerasmeta.tasks.harlow.players import LearningPlayer, OraclePlayer
from kerasmeta.tasks.harlow.returning_pairs import ReturningPairs
from kerasmeta.tasks.harlow.strip import StripTask


@dataclasses.dataclass(frozen=True)
class EpisodicHarlow(StripTask, ReturningPairs):
    """Episodes of the Harlow task, whose pairs of objects come back in later ones.

    How the eye moves and sees is told in `Harlow`, and what comes back when in
    `ReturningPairs`. The pair's context is shown in the one step in which the objects
    appear.

    Attributes: see `ReturningPairs` and `StripTask`.

    Observation: `stimulus` float32 `[field * F]`, `F` numbers a cell, all zeros where
    a cell is empty; `context` float32 `[K]` of +-1, zeros where there is none;
    `episode_start` true at the first step of every episode; `store` true where the
    pair's context is to be stored.

    Raises:
        UserError: A parameter is out of range, or does not go with the others.
    """

    name: ClassVar[str] = "episodic_harlow"
    paper: ClassVar[str] = (
        "AlKhamissi, ElNokrashy & Spranger (2021). The emergence of abstract and "
        "episodic neurons in episodic meta-RL. arXiv:2104.02959."
    )

    def players(self) -> dict[str, Player]:
        return {
            "random": RandomPlayer(self.action_spec),
            "incremental": LearningPlayer(self),
            "optimal": RememberingPlayer(self),
            "oracle": OraclePlayer(self),
        }
