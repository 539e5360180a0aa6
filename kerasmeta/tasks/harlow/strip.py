"""What the fixation tasks have in common: their numbers, stimulus and actions."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from kerasmeta._keras import tf, tf_agents
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.harlow import object_codes, rules
from kerasmeta.tasks.validation import (
    check_choice,
    check_count,
    check_probability,
)


@dataclasses.dataclass(frozen=True)
class StripTask(Task):
    """A fixation task on a circular strip; see `Harlow` for the rules.

    Attributes:
        trials: Trials in an episode, an even number.
        max_steps: Steps after which an episode ends, finished or not. The least that a
            whole episode takes is 2 * distance * trials (36); 60 leaves room for one
            wrong step in five and spares untrained agents long walks.
        cells: Cells of the strip.
        field: Cells in view, an odd number.
        distance: Cells between the cross and each object.
        fixation_reward: What gazing at the cross pays; less than 1, so that only
            choices pay +-1.
        object_bits: An object is one of 2**object_bits codes.
        object_code: "bits", a cell shows `1 + object_bits` numbers: 1 for the cross,
            then the object's bits as +-1; or "scalar", it shows one number: 1 for the
            cross, for an object a number between 0 and 1 (AlKhamissi's stimulus, where
            similar numbers are hard to tell apart).
        objects: "train" or "held_out", the half of the codes that objects are drawn
            from. Agents are trained on the one and evaluated on the other
            (`held_out()`).
    """

    trials: int = 6
    max_steps: int = 60
    cells: int = 17
    field: int = 9
    distance: int = 3
    fixation_reward: float = 0.2
    object_bits: int = 8
    object_code: Literal["bits", "scalar"] = "bits"
    objects: Literal["train", "held_out"] = "train"

    def held_out(self) -> StripTask:
        return dataclasses.replace(self, objects="held_out")

    def __post_init__(self) -> None:
        check_count("trials", self.trials, minimum=2)
        if self.trials % 2:
            raise UserError(
                "trials",
                self.trials,
                "cannot be balanced between left and right",
                "use an even number",
            )
        self._check_strip()
        shortest = 2 * self.distance * self.trials
        check_count("max_steps", self.max_steps, minimum=shortest)
        check_probability("fixation_reward", self.fixation_reward)
        if self.fixation_reward == 1:
            raise UserError(
                "fixation_reward", 1, "is what an object pays", "use less than 1"
            )
        check_count("object_bits", self.object_bits)
        check_choice("object_code", self.object_code, object_codes.CODINGS)
        check_choice("objects", self.objects, object_codes.SETS)

    def _check_strip(self) -> None:
        """The objects are two cells, seen together with the cross's, each cell once."""
        check_count("distance", self.distance)
        check_count("field", self.field, minimum=2 * self.distance + 1)
        if self.field % 2 == 0:
            raise UserError(
                "field", self.field, "has no middle cell", "use an odd number"
            )
        check_count("cells", self.cells, minimum=self.field)

    @property
    def observation_spec(self) -> dict[str, Any]:
        size = self.field * self.num_features
        return {
            "stimulus": tf.TensorSpec([size], tf.float32, "stimulus"),
            "context": tf.TensorSpec([self._key_size], tf.float32, "context"),
            "episode_start": tf.TensorSpec([], tf.bool, "episode_start"),
            "store": tf.TensorSpec([], tf.bool, "store"),
        }

    @property
    def action_spec(self) -> Any:
        return tf_agents.specs.BoundedTensorSpec([], tf.int32, 0, 1, "action")

    @property
    def num_features(self) -> int:
        """`F`, numbers that one cell of the stimulus has."""
        return object_codes.num_features(self.object_bits, self.object_code)

    @property
    def _key_size(self) -> int:
        """Components of a context; 1 where none is ever shown."""
        return 1

    def _draw_objects(self, batch_size: int, count: int, seed: Any) -> Any:
        """Distinct objects of this task's set, int64 `[B, count]`."""
        held_out = self.objects == "held_out"
        return object_codes.draw_objects(
            batch_size, count, self.object_bits, held_out, seed
        )

    def _stimulus(
        self, gaze: Any, rewarded: Any, distractor: Any, rewarded_right: Any
    ) -> Any:
        """The view as float32 `[B, field * F]`, cell by cell from left to right.

        Args:
            gaze: `rules.Gaze`.
            rewarded: int64 `[B]`, the rewarded object.
            distractor: int64 `[B]`, the other one.
            rewarded_right: bool `[B]`, the rewarded object is the right one.
        """
        size, coding = self.object_bits, self.object_code
        left = tf.where(rewarded_right, distractor, rewarded)
        right = tf.where(rewarded_right, rewarded, distractor)
        shown = (
            object_codes.cross_features(size, coding)[None],  # [1, F]
            object_codes.features(left, size, coding),  # [B, F]
            object_codes.features(right, size, coding),
        )
        places = rules.view(gaze, self.cells, self.field, self.distance)
        cells = tf.add_n(
            [
                tf.cast(place, tf.float32)[:, :, None] * content[:, None]
                for place, content in zip(places, shown, strict=True)
            ]
        )  # [B, field, F]
        return tf.reshape(cells, [-1, self.field * self.num_features])
