"""Running means and variances, in an agent's weights but without a gradient.

They are constants while an agent acts and while it is updated, and change between the
two, so that the policy that acted is the policy that is updated: KL(old ‖ old) = 0.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import keras, tf
from kerasmeta.groups import SumOverWorkers, alone

EPSILON = 1e-6  # added to variances
LIMIT = 10.0  # in standard deviations; what lies further out is cut off
SMALLEST_SCALE = 1e-3  # of returns


class _Constants(keras.layers.Layer):
    """A layer whose weights no optimizer touches."""

    def constant(self, name: str, shape: list[int], value: float) -> Any:
        """A weight that is not trained."""
        initial = keras.initializers.Constant(value)
        return self.add_weight(name, shape, tf.float32, initial, trainable=False)


class RunningMoments(_Constants):
    """Mean and variance of all vectors seen, component by component.

    Args:
        size: `F`.

    Call arguments:
        x: `[..., F]`.

    Returns:
        (x - mean) / sqrt(variance + 1e-6), cut off at +-10. Before the first `update`
        the mean is 0 and the variance 1.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = self.constant("mean", [size], 0.0)
        self.variance = self.constant("variance", [size], 1.0)
        self.count = self.constant("count", [1], 0.0)

    def named_weights(self) -> dict[str, Any]:
        """The variables under names that do not depend on Keras."""
        return {"mean": self.mean, "variance": self.variance, "count": self.count}

    def call(self, x: Any) -> Any:
        scaled = (x - self.mean) * tf.math.rsqrt(self.variance + EPSILON)
        return tf.clip_by_value(scaled, -LIMIT, LIMIT)

    def update(self, x: Any, mask: Any, total_of: SumOverWorkers = alone) -> None:
        """Adds the vectors `[..., F]` where `mask` `[...]` is 1, unless one is NaN.

        `total_of` makes sums over these vectors the sums over those of all workers.

        The moments of two samples taken together (Chan, Golub & LeVeque 1983, eq. 2.1).
        """
        axes, weight = list(range(x.shape.rank - 1)), mask[..., tf.newaxis]
        new, sums = total_of((tf.reduce_sum(mask), tf.reduce_sum(x * weight, axes)))
        mean = tf.math.divide_no_nan(sums, new)
        spread = total_of(tf.reduce_sum((x - mean) ** 2 * weight, axes))
        total, shift = self.count + new, mean - self.mean
        part = tf.math.divide_no_nan(new, total)
        between = shift**2 * self.count * part
        whole = self.variance * self.count + spread + between
        good = tf.reduce_all(tf.math.is_finite(whole)) & (new > 0.0)
        variance = tf.math.divide_no_nan(whole, total)
        self.variance.assign(tf.where(good, variance, self.variance))
        self.mean.assign(tf.where(good, self.mean + shift * part, self.mean))
        self.count.assign(tf.where(good, total, self.count))


class ObservationNormalizer(keras.layers.Layer):
    """Normalises an observation's stimulus, unless it is an image, and its reward.

    Args:
        observation_spec: The environment's.

    Call arguments:
        observation: A dict whose leaves are `[...]`-batched.

    Returns:
        The observation with `stimulus` and `previous_reward` replaced.
    """

    def __init__(self, observation_spec: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        stimulus = observation_spec["stimulus"].shape
        self.parts = {"previous_reward": RunningMoments(1, name="previous_reward")}
        if stimulus.rank == 1:
            self.parts["stimulus"] = RunningMoments(int(stimulus[0]), name="stimulus")

    def named_weights(self) -> dict[str, Any]:
        """The variables under names that do not depend on Keras."""
        return {
            f"{key}/{name}": variable
            for key, moments in self.parts.items()
            for name, variable in moments.named_weights().items()
        }

    def call(self, observation: dict[str, Any]) -> dict[str, Any]:
        changed = dict(observation)
        for key, moments in self.parts.items():
            x = observation[key]
            changed[key] = tf.reshape(moments(_vectors(key, x)), tf.shape(x))
        return changed

    def update(
        self,
        observation: dict[str, Any],
        mask: Any,
        total_of: SumOverWorkers = alone,
    ) -> None:
        """Adds the observations where `mask` `[...]` is 1, on all workers."""
        for key, moments in self.parts.items():
            moments.update(_vectors(key, observation[key]), mask, total_of)


def _vectors(key: str, x: Any) -> Any:
    """A reward `[...]` as a vector of one, `[..., 1]`."""
    return x[..., tf.newaxis] if key == "previous_reward" else x


class ValueScale(_Constants):
    """Brings what a critic's head gives to the mean and the deviation of returns.

    The head then learns numbers of about 1, whatever an environment pays. Unlike PopArt
    (van Hasselt et al. 2016) it is not corrected when the scale changes: the values
    follow the returns at once, which a few gradient steps an iteration would not.

    Call arguments:
        x: `[...]`.

    Returns:
        mean + deviation * x.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = self.constant("mean", [1], 0.0)
        self.deviation = self.constant("deviation", [1], 1.0)

    def named_weights(self) -> dict[str, Any]:
        """The variables under names that do not depend on Keras."""
        return {"mean": self.mean, "deviation": self.deviation}

    def call(self, x: Any) -> Any:
        return self.mean + self.deviation * x

    def update(self, returns: Any, mask: Any, total_of: SumOverWorkers = alone) -> None:
        """Takes mean and deviation of the returns where `mask` is 1, unless NaN."""
        count, total = total_of((tf.reduce_sum(mask), tf.reduce_sum(returns * mask)))
        mean = total / count
        variance = total_of(tf.reduce_sum((returns - mean) ** 2 * mask)) / count
        deviation = tf.maximum(tf.sqrt(variance), SMALLEST_SCALE)
        good = tf.math.is_finite(mean) & tf.math.is_finite(deviation)
        self.mean.assign(tf.where(good, mean, self.mean))
        self.deviation.assign(tf.where(good, deviation, self.deviation))
