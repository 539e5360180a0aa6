"""The arithmetic that the fixation tasks share: gaze, choice, balanced sides.

The strip is a circle of `cells` cells. Cell 0 is where the fixation cross appears; the
two objects of a trial appear `distance` cells to its left and right. Only the gaze
moves, so that after a choice the cross reappears `distance` cells away, on the side
that the gaze came from (as in the strip of AlKhamissi, which rolls instead).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds


class Gaze(NamedTuple):
    """Where `B` agents look, and at what kind of strip."""

    cell: Any  # [B] int32, the cell in the centre of the view
    on_pair: Any  # [B] bool, the two objects are on the strip; otherwise the cross


class Outcome(NamedTuple):
    """What came of one movement."""

    fixated: Any  # [B] bool, the gaze reached the cross: the objects appear
    chose: Any  # [B] bool, the gaze reached an object: the trial ends
    chose_right: Any  # [B] bool, it is the right one


def first_gaze(is_right: Any, cells: int, distance: int) -> Gaze:
    """The gaze `distance` cells to the left or right of the cross. is_right: `[B]`."""
    cell = tf.where(is_right, distance, cells - distance)
    return Gaze(cell=cell, on_pair=tf.zeros_like(is_right))


def move(gaze: Gaze, action: Any, cells: int, distance: int) -> tuple[Gaze, Outcome]:
    """Moves the gaze one cell: to the left (action 0) or to the right (1). `[B]`."""
    cell = (gaze.cell + 2 * action - 1) % cells
    fixated = ~gaze.on_pair & tf.equal(cell, 0)
    chose_left = gaze.on_pair & tf.equal(cell, cells - distance)
    chose_right = gaze.on_pair & tf.equal(cell, distance)
    chose = chose_left | chose_right
    gaze = Gaze(cell=cell, on_pair=(gaze.on_pair | fixated) & ~chose)
    return gaze, Outcome(fixated, chose, chose_right)


def reward(outcome: Outcome, rewarded_right: Any, fixation_reward: float) -> Any:
    """float32 `[B]`: `fixation_reward` for the cross, +1 or -1 for an object, else 0.

    Args:
        outcome: Of a movement.
        rewarded_right: bool `[B]`, the rewarded object is the right one.
        fixation_reward: What gazing at the cross pays.
    """
    is_correct = tf.equal(outcome.chose_right, rewarded_right)
    for_choice = tf.where(is_correct, 1.0, -1.0)
    for_fixation = tf.where(outcome.fixated, fixation_reward, 0.0)
    return tf.where(outcome.chose, for_choice, for_fixation)


SIDES = ("balanced", "coin")


def draw_sides(shape: list[int], seed: Any, sides: str = "balanced") -> Any:
    """Whether the rewarded object is the right one, bool `[..., T]`.

    Args:
        shape: `[..., T]`.
        seed: int32 `[2]`.
        sides: "balanced", in exactly half of the `T` (even) trials, in random order: a
            coin for each trial would often reward staying on one side. Or "coin": then
            the sides of earlier trials tell nothing of later ones.
    """
    if sides == "coin":
        return seeds.uniform(shape, seed) < 0.5
    return seeds.permutations(shape, seed) < shape[-1] // 2


def view(gaze: Gaze, cells: int, field: int, distance: int) -> tuple[Any, Any, Any]:
    """Where the cross, the left and the right object are seen, each bool `[B, field]`.

    `field` (odd) cells are seen, the gazed one in their middle.
    """
    offsets = tf.range(field) - field // 2
    seen = (gaze.cell[:, None] + offsets) % cells  # [B, field], cells of the strip
    on_pair = gaze.on_pair[:, None]
    cross = ~on_pair & tf.equal(seen, 0)
    left = on_pair & tf.equal(seen, cells - distance)
    right = on_pair & tf.equal(seen, distance)
    return cross, left, right
