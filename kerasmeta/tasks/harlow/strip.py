"""The eye of the symbolic tasks: a view of a circular strip of cells."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks import specs
from kerasmeta.tasks.harlow import object_codes, rules
from kerasmeta.tasks.harlow.fixation import FixationTask
from kerasmeta.tasks.validation import check_choice, check_count


@dataclasses.dataclass(frozen=True)
class StripTask(FixationTask):
    """A fixation task on a circular strip; see `Harlow` for the rules.

    Attributes:
        max_steps: Steps after which an episode ends, finished or not. The least that a
            whole episode takes is 2 * distance * trials (36); 60 leaves room for one
            wrong step in five and spares untrained agents long walks.
        cells: Cells of the strip.
        field: Cells in view, an odd number.
        distance: Cells between the cross and each object.
        object_bits: An object is one of 2**object_bits codes.
        object_code: "bits", a cell shows `1 + object_bits` numbers: 1 for the cross,
            then the object's bits as +-1; or "scalar", it shows one number: 1 for the
            cross, for an object a number between 0 and 1 (AlKhamissi's stimulus, where
            similar numbers are hard to tell apart).
        trials, fixation_reward, objects: See `FixationTask`.
    """

    max_steps: int = 60
    cells: int = 17
    field: int = 9
    distance: int = 3
    object_bits: int = 8
    object_code: Literal["bits", "scalar"] = "bits"

    def _check_eye(self) -> None:
        # The objects are two cells, seen together with the cross's, each cell once.
        check_count("distance", self.distance)
        check_count("field", self.field, minimum=2 * self.distance + 1)
        if self.field % 2 == 0:
            raise UserError(
                "field", self.field, "has no middle cell", "use an odd number"
            )
        check_count("cells", self.cells, minimum=self.field)

    def _check_objects(self, count: int) -> None:
        check_count("object_bits", self.object_bits)
        check_choice("object_code", self.object_code, object_codes.CODINGS)
        object_codes.check_object_bits(self.object_bits, count)

    @property
    def _steps_needed(self) -> int:
        return 2 * self.distance * self.trials

    @property
    def observation_spec(self) -> dict[str, Any]:
        size = self.field * self.num_features
        return specs.vector_observation(stimulus=size, context=self._key_size)

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(2)

    @property
    def num_features(self) -> int:
        """`F`, numbers that one cell of the stimulus has."""
        return object_codes.num_features(self.object_bits, self.object_code)

    def _draw_objects(self, batch_size: int, count: int, seed: Any) -> Any:
        held_out = self.objects == "held_out"
        return object_codes.draw_objects(
            batch_size, count, self.object_bits, held_out, seed
        )

    def _first_gaze(self, is_right: Any) -> rules.Gaze:
        return rules.first_gaze(is_right, self.cells, self.distance)

    def _move_gaze(
        self, gaze: rules.Gaze, action: Any
    ) -> tuple[rules.Gaze, rules.Outcome]:
        return rules.move(gaze, action, self.cells, self.distance)

    def _is_at_cross(self, gaze: rules.Gaze) -> Any:
        return gaze.on_pair & tf.equal(gaze.cell, 0)

    def _stimulus(
        self, gaze: rules.Gaze, rewarded: Any, distractor: Any, rewarded_right: Any
    ) -> Any:
        """The view as float32 `[B, field * F]`, cell by cell from left to right."""
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
