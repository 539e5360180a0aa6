"""What all fixation tasks share, whatever the eye sees: trials, rewards, balance."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any, Literal

from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.harlow import object_codes, rules
from kerasmeta.tasks.validation import (
    check_choice,
    check_count,
    check_probability,
)


@dataclasses.dataclass(frozen=True)
class FixationTask(Task):
    """Look at the cross, then choose one of two objects by looking at it.

    Which objects come when is told by `OnePair` and `ReturningPairs`; how the eye moves
    and what it sees, by `StripTask` and `ScreenTask`. A family inherits one of each.

    Attributes:
        trials: Trials in an episode, an even number.
        max_steps: Steps after which an episode ends, finished or not.
        fixation_reward: What gazing at the cross pays; less than 1, so that only
            choices pay +-1.
        objects: "train" or "held_out", the half of the objects that are drawn from.
            Agents are trained on the one and evaluated on the other (`held_out()`).
        sides: How the rewarded object's side is drawn (`rules.draw_sides`). Where sides
            are balanced, who counts them knows the sixth trial's from the others, and
            learners take to counting before they look. "coin" is for training; held-out
            lifetimes are balanced.
    """

    trials: int = 6
    max_steps: int = 60
    fixation_reward: float = 0.2
    objects: Literal["train", "held_out"] = "train"
    sides: Literal["balanced", "coin"] = "balanced"

    def __post_init__(self) -> None:
        check_count("trials", self.trials, minimum=2)
        if self.trials % 2:
            raise UserError(
                "trials",
                self.trials,
                "cannot be balanced between left and right",
                "use an even number",
            )
        self._check_eye()
        check_count("max_steps", self.max_steps, minimum=self._steps_needed)
        check_probability("fixation_reward", self.fixation_reward)
        if self.fixation_reward == 1:
            raise UserError(
                "fixation_reward", 1, "is what an object pays", "use less than 1"
            )
        check_choice("objects", self.objects, object_codes.SETS)
        check_choice("sides", self.sides, rules.SIDES)
        self._check_objects(self._num_objects)

    def held_out(self) -> FixationTask:
        return dataclasses.replace(self, objects="held_out", sides="balanced")

    # What `OnePair` and `ReturningPairs` tell.

    @property
    @abc.abstractmethod
    def _num_objects(self) -> int:
        """Distinct objects in a lifetime."""

    @property
    def _key_size(self) -> int:
        """Components of a context; 1 where none is ever shown."""
        return 1

    # What `StripTask` and `ScreenTask` tell.

    @abc.abstractmethod
    def _check_eye(self) -> None:
        """Refuses numbers of the eye's that are out of range."""

    @property
    @abc.abstractmethod
    def _steps_needed(self) -> int:
        """The most steps that an episode takes without a detour."""

    @abc.abstractmethod
    def _check_objects(self, count: int) -> None:
        """Refuses what does not give `count` distinct objects of each set."""

    @abc.abstractmethod
    def _draw_objects(self, batch_size: int, count: int, seed: Any) -> Any:
        """Distinct objects of this task's set, int64 `[B, count]`."""

    @abc.abstractmethod
    def _first_gaze(self, is_right: Any) -> Any:
        """The gaze before the first trial, right or left of the cross (bool `[B]`)."""

    @abc.abstractmethod
    def _move_gaze(self, gaze: Any, action: Any) -> tuple[Any, rules.Outcome]:
        """The gaze after a movement, and what came of it."""

    @abc.abstractmethod
    def _is_at_cross(self, gaze: Any) -> Any:
        """Whether the gaze rests where the cross was, and the objects are there."""

    def _trial_shown(self, gaze: Any, trial: Any) -> Any:
        """The trial whose objects are shown, int32 `[B]`: the present one."""
        return trial

    @abc.abstractmethod
    def _stimulus(
        self, gaze: Any, rewarded: Any, distractor: Any, rewarded_right: Any
    ) -> Any:
        """What is seen, `[B, ...]`.

        Args:
            gaze: Where the eye is.
            rewarded: int64 `[B]`, the rewarded object.
            distractor: int64 `[B]`, the other one.
            rewarded_right: bool `[B]`, the rewarded object is the right one.
        """
