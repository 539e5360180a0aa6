"""The eye of the visual tasks: it jumps between three places, and dwells to choose.

The cross is in the middle of the screen, the two objects appear to its left and right.
A saccade goes to any of the three places at once. An object is looked at before it is
chosen: choosing means to stay on it for a second step, as PsychLab lets the gaze hover.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks.harlow.rules import Outcome

LEFT, CENTRE, RIGHT = 0, 1, 2
NUM_PLACES = 3
# A trial without a detour: the cross, the one object, the other, and staying on it.
STEPS_PER_TRIAL = 4


class Gaze(NamedTuple):
    """Where `B` agents look, and at what kind of screen."""

    place: Any  # [B] int32, LEFT, CENTRE or RIGHT
    on_pair: Any  # [B] bool, the two objects may be chosen; otherwise the cross waits
    chose: Any  # [B] bool, an object was chosen just now, and is still to be seen


def first_gaze(is_right: Any) -> Gaze:
    """The gaze to the left or right of the cross. is_right: `[B]`."""
    nothing = tf.zeros_like(is_right)
    return Gaze(tf.where(is_right, RIGHT, LEFT), nothing, nothing)


def move(gaze: Gaze, action: Any) -> tuple[Gaze, Outcome]:
    """Looks at a place: LEFT (action 0), CENTRE (1) or RIGHT (2). action: `[B]`."""
    to_cross = tf.equal(action, CENTRE)
    fixated = ~gaze.on_pair & to_cross
    chose = gaze.on_pair & ~to_cross & tf.equal(action, gaze.place)
    moved = Gaze(action, (gaze.on_pair | fixated) & ~chose, chose)
    return moved, Outcome(fixated, chose, chose & tf.equal(action, RIGHT))
