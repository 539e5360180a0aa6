"""The visual fixation task told otherwise: one agent, things in a list of places.

Written from the rules in `VisualHarlow`'s docstring, without tensors; images are
compared with the table of all images that a task keeps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

PLACES = ["left", "middle", "right"]


class PlainScreen:
    """One episode of one agent.

    Args:
        task: A visual task, for its numbers and images.
        rewarded: The number of the image that pays.
        distractor: The number of the other one.
        sides: For each trial, whether the rewarded image is the right one.
        gaze_right: Whether the gaze begins on the right.
    """

    def __init__(
        self, task: Any, rewarded: int, distractor: int, sides: Any, gaze_right: bool
    ) -> None:
        self.task = task
        self.pays = {rewarded: +1.0, distractor: -1.0}
        self.pairs = [
            (distractor, rewarded) if right else (rewarded, distractor)
            for right in sides
        ]
        self.trial = 0
        self.gaze = "right" if gaze_right else "left"
        self.things: dict[str, int] = {}  # the images that are there
        self.afterglow: dict[str, int] = {}  # seen for one step more

    def step(self, action: int) -> float:
        """Looks at a place and returns the reward."""
        place, before = PLACES[action], self.gaze
        self.gaze, self.afterglow = place, {}
        if place == "middle":
            if self.things:
                return 0.0
            left, right = self.pairs[self.trial]
            self.things = {"left": left, "right": right}
            return self.task.fixation_reward
        if not self.things or place != before:
            return 0.0
        self.trial += 1
        self.afterglow, self.things = self.things, {}
        return self.pays[self.afterglow[place]]

    def stimulus(self) -> np.ndarray:
        """`[S, S, 3]`."""
        size = self.task.image_size
        if self.gaze == "middle":
            return cross(size)
        number = {**self.things, **self.afterglow}.get(self.gaze)
        if number is None:
            return np.zeros([size, size, 3], np.uint8)
        return self.task.pictures[number]


def cross(size: int) -> np.ndarray:
    """The cross of screens of 8 and 16 pixels, written out, uint8 `[size, size, 3]`."""
    quarter = {  # the lower right quarter; the others are its mirror images
        8: ["##..", "....", "....", "...."],
        16: ["####....", "........", *["........"] * 6],
    }[size]
    lit = np.array([[letter == "#" for letter in line] for line in quarter])
    lit |= lit.T
    half = np.concatenate([lit[:, ::-1], lit], axis=1)
    whole = np.concatenate([half[::-1], half], axis=0)
    return np.repeat(255 * whole[..., None].astype(np.uint8), 3, axis=-1)


def looking(task: Any, batch_size: int, seed: int, skill: float = 0.8) -> Any:
    """Actions that go for the cross, then look at a random side and stay there.

    Without the `skill` they look anywhere.
    """
    generator = np.random.default_rng(seed)

    def choose(step: int, state: Any) -> np.ndarray:
        place, on_pair = np.asarray(state.gaze.place), np.asarray(state.gaze.on_pair)
        side = np.where(place == 1, 2 * generator.integers(2, size=batch_size), place)
        slip = generator.random(batch_size) > skill
        anywhere = generator.integers(3, size=batch_size)
        return np.where(slip, anywhere, np.where(on_pair, side, 1)).astype(np.int32)

    return choose
