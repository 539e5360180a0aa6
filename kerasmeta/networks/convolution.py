"""From images to features: convolutions that look at every different image once."""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import keras, tf

# Images of which every byte is as frequent have this mean and, nearly, this deviation.
MEAN, DEVIATION = 127.5, 64.0
# Orthogonal kernels of tanh layers: what goes in with variance 1 comes out with about
# as much, and a layer more spreads the features of different images to about +-0.7.
GAIN, FEATURE_GAIN = 1.4, 2.0
# Different images are filled up to a multiple of this: few sizes, few XLA programs.
_FULL = 64


class SeenImages(NamedTuple):
    """Every different image of many once, and where each of them was seen."""

    different: Any  # uint8 [D, height, width, channels]; the last may be seen nowhere
    index: Any  # int32 [B, T]


class ImageEncoder(keras.layers.Layer):
    """Convolutions and a dense layer, all tanh, from uint8 images to features.

    Args:
        convolutions: `(filters, kernel size, stride)` of each layer.
        features: Size of the dense layer.
        seed: Of the initial weights.

    Call arguments:
        images: uint8 `[..., height, width, channels]`. Bytes are brought to about
            mean 0 and variance 1. Or `SeenImages`.

    Returns:
        Features `[..., features]` in the layer's data type.

    Whole lifetimes (`[B, T, ...]`) show the same image many times: each different one
    is encoded once, and so counted in full by every derivative. XLA cannot find them,
    but it can compile what comes afterwards (`seen`).
    """

    def __init__(
        self,
        convolutions: tuple[tuple[int, int, int], ...],
        features: int,
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.convolutions = [
            keras.layers.Conv2D(
                filters,
                kernel,
                stride,
                padding="same",
                activation="tanh",
                kernel_initializer=keras.initializers.Orthogonal(GAIN, seed=seed + n),
                dtype=self.dtype,
                name=f"convolution_{n}",
            )
            for n, (filters, kernel, stride) in enumerate(convolutions)
        ]
        self.dense = keras.layers.Dense(
            features,
            activation="tanh",
            kernel_initializer=keras.initializers.Orthogonal(
                FEATURE_GAIN, seed=seed + len(convolutions)
            ),
            dtype=self.dtype,
            name="features",
        )

    def named_weights(self) -> dict[str, Any]:
        """The variables under names that do not depend on Keras."""
        named = {}
        for n, layer in enumerate(self.convolutions):
            named[f"convolution/{n}/kernel"], named[f"convolution/{n}/bias"] = (
                layer.weights
            )
        named["features/kernel"], named["features/bias"] = self.dense.weights
        return named

    def call(self, images: Any) -> Any:
        if not isinstance(images, SeenImages):
            if images.shape.rank <= 4:
                return self._encode(images)
            images = SeenImages(*distinct(images))
        return tf.gather(self._encode(images.different), images.index)

    def _encode(self, images: Any) -> Any:
        """Features `[B, features]` of images `[B, height, width, channels]`."""
        x = (tf.cast(images, self.compute_dtype) - MEAN) / DEVIATION
        for layer in self.convolutions:
            x = layer(x)
        return self.dense(tf.reshape(x, [-1, x.shape[1] * x.shape[2] * x.shape[3]]))


def seen(images: Any) -> SeenImages:
    """Images `[B, T, height, width, channels]` as programs of XLA take them."""
    different, index = distinct(images)
    missing = -tf.shape(different)[0] % _FULL
    return SeenImages(tf.pad(different, [[0, missing]] + [[0, 0]] * 3), index)


def distinct(images: Any) -> tuple[Any, Any]:
    """The different images among many, in order of appearance, and where each is.

    Args:
        images: uint8 `[B, T, height, width, channels]`.

    Returns:
        `[D, height, width, channels]`, and int32 `[B, T]` such that gathering the one
        by the other gives `images`.
    """
    rows = tf.reshape(images, [-1, images.shape[2:].num_elements()])
    found = tf.raw_ops.UniqueV2(x=_as_words(rows), axis=[0])
    different = tf.reshape(tf.bitcast(found.y, tf.uint8), [-1, *images.shape[2:]])
    return different, tf.reshape(found.idx, tf.shape(images)[:2])


def _as_words(rows: Any) -> Any:
    """Bytes `[N, size]` as int32 `[N, size / 4]`: a quarter of the comparisons.

    Where 4 does not divide the size they stay bytes.
    """
    size = rows.shape[1]
    if size % 4:
        return rows
    return tf.bitcast(tf.reshape(rows, [-1, size // 4, 4]), tf.int32)
