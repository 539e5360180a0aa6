"""The eye of the visual tasks: what it sees of a rendered screen."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.tasks import contexts, specs
from kerasmeta.tasks.harlow import picture_files, pictures, saccades, variants
from kerasmeta.tasks.harlow.fixation import FixationTask
from kerasmeta.tasks.harlow.rules import Outcome
from kerasmeta.tasks.validation import check_count


@dataclasses.dataclass(frozen=True)
class ScreenTask(FixationTask):
    """A fixation task on a screen; see `VisualHarlow` for the rules.

    Attributes:
        max_steps: Steps after which an episode ends, finished or not. The most that a
            whole episode takes without a detour is 4 * trials (24).
        image_size: `S`. The screen is `S` pixels high and `3 S` wide, and `S x S` are
            seen.
        image_seed: Of the procedural images (`pictures.draw_images`).
        images: A folder of images to show instead; see `picture_files.read_images`.
        augment: Whether training images are shown in 48 ways (`variants`), each of
            them an image of its own. Images that are held out are shown as they are.
        trials, fixation_reward, objects: See `FixationTask`.
    """

    max_steps: int = 30
    image_size: int = 16
    image_seed: int = 0
    images: str | None = None
    augment: bool = False

    def _check_eye(self) -> None:
        check_count("image_size", self.image_size, minimum=8)
        check_count("image_seed", self.image_seed, minimum=0)

    def _check_objects(self, count: int) -> None:
        picture_files.check_number(self.images, len(self.pictures), count)

    @property
    def pictures(self) -> np.ndarray:
        """All images, uint8 `[N, S, S, 3]`: for training, then as many held out."""
        if self.images is None:
            return pictures.draw_images(self.image_seed, self.image_size)
        return picture_files.read_images(self.images, self.image_size)

    @property
    def _steps_needed(self) -> int:
        return saccades.STEPS_PER_TRIAL * self.trials

    @property
    def observation_spec(self) -> dict[str, Any]:
        shape = [self.image_size, self.image_size, 3]
        return {
            **specs.vector_observation(stimulus=0, context=self._key_size),
            "stimulus": tf.TensorSpec(shape, tf.uint8, "stimulus"),
        }

    @property
    def action_spec(self) -> Any:
        return specs.discrete_actions(saccades.NUM_PLACES)

    def _draw_objects(self, batch_size: int, count: int, seed: Any) -> Any:
        every = len(self.pictures)
        half = every // 2
        ways = 1 if self.objects == "held_out" else self._ways
        drawn = contexts.draw_distinct(batch_size, count, ways * half, seed)
        if self.objects == "held_out":
            return drawn + half
        return drawn % half + drawn // half * every

    @property
    def _ways(self) -> int:
        """In how many ways training images are shown."""
        return variants.NUM_VARIANTS if self.augment else 1

    def _first_gaze(self, is_right: Any) -> saccades.Gaze:
        return saccades.first_gaze(is_right)

    def _move_gaze(
        self, gaze: saccades.Gaze, action: Any
    ) -> tuple[saccades.Gaze, Outcome]:
        return saccades.move(gaze, action)

    def _is_at_cross(self, gaze: saccades.Gaze) -> Any:
        return gaze.on_pair & tf.equal(gaze.place, saccades.CENTRE)

    def _trial_shown(self, gaze: saccades.Gaze, trial: Any) -> Any:
        return trial - tf.cast(gaze.chose, trial.dtype)  # the outcome is still seen

    def _stimulus(
        self,
        gaze: saccades.Gaze,
        rewarded: Any,
        distractor: Any,
        rewarded_right: Any,
    ) -> Any:
        """What the gaze rests on, uint8 `[B, S, S, 3]`."""
        screen = self.screen(gaze, rewarded, distractor, rewarded_right)
        size = self.image_size
        places = tf.reshape(screen, [-1, size, saccades.NUM_PLACES, size, 3])
        return tf.gather(places, gaze.place, axis=2, batch_dims=1)

    def screen(
        self,
        gaze: saccades.Gaze,
        rewarded: Any,
        distractor: Any,
        rewarded_right: Any,
    ) -> Any:
        """The whole screen, uint8 `[B, S, 3 S, 3]`; see `_stimulus`."""
        table = tf.constant(self.pictures)
        count = len(self.pictures)
        lit = (gaze.on_pair | gaze.chose)[:, None, None, None]

        def shown(number: Any) -> Any:
            image = tf.gather(table, number % count)  # [B, S, S, 3]
            if self.augment:
                image = variants.vary(image, number // count)
            return tf.where(lit, image, tf.zeros_like(image))

        left = shown(tf.where(rewarded_right, distractor, rewarded))
        right = shown(tf.where(rewarded_right, rewarded, distractor))
        cross = tf.broadcast_to(cross_image(self.image_size), tf.shape(left))
        return tf.concat([left, cross, right], axis=2)


def cross_image(size: int) -> Any:
    """The fixation cross, white on black, uint8 `[size, size, 3]`."""
    thick, long = (size + 8) // 16, size // 4  # half of an arm's width; its length
    distance = np.abs(2 * np.arange(size) + 1 - size) // 2  # from the middle, 0, 1, ...
    bar, reach = distance < thick, distance < long
    arms = (bar[:, None] & reach) | (reach[:, None] & bar)
    return tf.constant(np.repeat(255 * arms[..., None].astype(np.uint8), 3, axis=-1))
