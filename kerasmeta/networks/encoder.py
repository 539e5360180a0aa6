"""From an observation dict to the features the LSTM sees."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import keras, tf
from kerasmeta.networks.convolution import ImageEncoder
from kerasmeta.networks.normalization import ObservationNormalizer


class ObservationEncoder(keras.layers.Layer):
    """Concatenates stimulus, previous action and previous reward; then tanh layers.

    An image enters as the features that convolutions make of it. The context is the
    memory's key and not part of the features (Ritter et al. 2018). A discrete previous
    action becomes a one-hot vector, all zeros for "none" (-1).

    Args:
        action_spec: The environment's `BoundedTensorSpec`.
        layers: Sizes of the tanh layers; none passes the concatenation on.
        seed: Of the initial weights.
        image: Encodes the stimulus first; None where it is a vector.
        normalizer: Normalises the observation before all that; None leaves it.
    """

    def __init__(
        self,
        action_spec: Any,
        layers: tuple[int, ...],
        seed: int,
        image: ImageEncoder | None = None,
        normalizer: ObservationNormalizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.action_spec = action_spec
        self.image = image
        self.normalizer = normalizer
        self.dense = [
            keras.layers.Dense(
                size,
                activation="tanh",
                kernel_initializer=keras.initializers.Orthogonal(seed=seed + n),
                name=f"dense_{n}",
            )
            for n, size in enumerate(layers)
        ]

    @property
    def fixed_variables(self) -> list[Any]:
        """The variables that training leaves as they are."""
        if self.image is None or not self.image.fixed:
            return []
        return self.image.trainable_variables

    def named_weights(self) -> dict[str, Any]:
        """The variables under names that do not depend on Keras."""
        named = {} if self.image is None else self.image.named_weights()
        if self.normalizer is not None:
            for name, variable in self.normalizer.named_weights().items():
                named[f"normalizer/{name}"] = variable
        for n, layer in enumerate(self.dense):
            named[f"{n}/kernel"], named[f"{n}/bias"] = layer.weights
        return named

    def call(self, observation: dict[str, Any]) -> Any:
        """Features `[..., F]` of an observation whose leaves are `[...]`-batched."""
        if self.normalizer is not None:
            observation = self.normalizer(observation)
        reward = observation["previous_reward"][..., tf.newaxis]
        stimulus = observation["stimulus"]
        if self.image is not None:
            stimulus = self.image(stimulus)
        if self.action_spec.dtype.is_integer:
            num_actions = int(self.action_spec.maximum) + 1
            action = tf.one_hot(
                observation["previous_action"], num_actions, dtype=stimulus.dtype
            )
        else:
            action = observation["previous_action"]
        features = tf.concat([stimulus, action, reward], axis=-1)
        for layer in self.dense:
            features = layer(features)
        return features
