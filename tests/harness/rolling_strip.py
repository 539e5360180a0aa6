"""The fixation task told otherwise: an array that rolls under a gaze that stays.

Written from the published rules (a rolled array of cells, as in AlKhamissi's), one
agent at a time; the project's task moves a gaze over a strip that stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class RollingStrip:
    """One episode of one agent.

    Args:
        task: A fixation task, for its numbers.
        rewarded: The code of the object that pays.
        distractor: The code of the other one.
        sides: For each trial, whether the rewarded object is the right one.
        gaze_right: Whether the gaze begins right of the cross.
    """

    def __init__(
        self, task: Any, rewarded: int, distractor: int, sides: Any, gaze_right: bool
    ) -> None:
        self.task = task
        self.objects = {+1.0: rewarded, -1.0: distractor}
        self.sides = list(sides)
        self.middle = task.cells // 2
        self.cross_at = self.middle + (-1 if gaze_right else 1) * task.distance
        self.trial = 0
        self.place({self.cross_at: "cross"})

    def place(self, things: dict[int, Any]) -> None:
        self.cells: list[Any] = [None] * self.task.cells
        for cell, thing in things.items():
            self.cells[cell] = thing

    def step(self, action: int) -> float:
        """Rolls the strip and returns the reward."""
        shift = 1 if action == 0 else -1  # looking left brings things to the right
        self.cells = [
            self.cells[(i - shift) % len(self.cells)] for i in range(len(self.cells))
        ]
        self.cross_at = (self.cross_at + shift) % len(self.cells)
        seen = self.cells[self.middle]
        if seen is None:
            return 0.0
        if seen == "cross":
            right, left = (+1.0, -1.0) if self.sides[self.trial] else (-1.0, +1.0)
            d = self.task.distance
            self.place({self.middle - d: left, self.middle + d: right})
            return self.task.fixation_reward
        self.trial += 1
        self.place({self.cross_at: "cross"})
        return seen

    def stimulus(self) -> np.ndarray:
        """`[field * F]`."""
        half = self.task.field // 2
        window = self.cells[self.middle - half : self.middle + half + 1]
        return np.concatenate([self.features(thing) for thing in window])

    def features(self, thing: Any) -> np.ndarray:
        bits = self.task.object_bits
        if self.task.object_code == "scalar":
            if thing is None or thing == "cross":
                return np.array([0.0 if thing is None else 1.0])
            return np.array([(self.objects[thing] + 1) / (2**bits + 1)])
        if thing is None or thing == "cross":
            return np.array([thing == "cross"] + [0] * bits, float)
        digits = reversed(np.binary_repr(self.objects[thing], bits))  # lowest first
        return np.array([0.0] + [1.0 if digit == "1" else -1.0 for digit in digits])


def scanning(task: Any, batch_size: int, seed: int, skill: float = 0.8) -> Any:
    """Actions that go for the cross, then for a random object, most of the time.

    Without the `skill` a movement is in the other direction.
    """
    generator = np.random.default_rng(seed)

    def choose(step: int, state: Any) -> np.ndarray:
        cell = np.asarray(state.gaze.cell)
        place = (cell + task.cells // 2) % task.cells - task.cells // 2
        outward = np.where(
            place == 0, generator.integers(2, size=batch_size), place > 0
        )
        right = np.where(state.gaze.on_pair, outward, place < 0)
        slip = generator.random(batch_size) > skill
        return (right != slip).astype(np.int32)

    return choose
