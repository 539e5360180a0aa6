"""From images to features: convolutions that look at every different image once."""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import keras, tf
from kerasmeta.networks.components import principal_components

# Images of which every byte is as frequent have this mean and, nearly, this deviation.
MEAN, DEVIATION = 127.5, 64.0
# Orthogonal kernels of tanh layers: what goes in with variance 1 comes out with about
# as much, and a layer more spreads the features of different images to about +-0.7.
GAIN, FEATURE_GAIN = 1.4, 2.0
# Principal components before their tanh: the first has this deviation and is nearly
# binary then, the others have less, as much less as they had in the images.
COMPONENT_GAIN = 5.0


class SeenImages(NamedTuple):
    """Every different image of many once, and where each of them was seen."""

    # [D, rows, columns, size * size * channels], what the first kernel sees at each
    # place of an image of mean 0 and variance 1; of a fixed encoder [D, features]. The
    # last may be seen nowhere.
    patches: Any
    index: Any  # int32 [B, T]


class ImageEncoder(keras.layers.Layer):
    """Convolutions and a dense layer, all tanh, from uint8 images to features.

    Args:
        convolutions: `(filters, kernel size, stride)` of each layer.
        features: Size of the dense layer.
        seed: Of the initial weights.
        fixed: Whether training leaves the weights as they are; see `adapt`.

    Call arguments:
        images: uint8 `[..., height, width, channels]`. Bytes are brought to about
            mean 0 and variance 1. Or `SeenImages`.

    Returns:
        Features `[..., features]` in the layer's data type.

    Whole lifetimes (`[B, T, ...]`) show the same image many times: each different one
    is encoded once, and so counted in full by every derivative. XLA cannot find them,
    but it can compile what comes afterwards (`seen`); the first layer is then a matrix
    product, whose derivatives take a third of a convolution's time.
    """

    def __init__(
        self,
        convolutions: tuple[tuple[int, int, int], ...],
        features: int,
        seed: int,
        fixed: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fixed = fixed
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
                return self._features(self._scaled(images), self.convolutions)
            images = self.seen(images)
        encoded = images.patches
        if encoded.shape.rank > 2:
            encoded = self._encode(encoded)
        return tf.gather(encoded, images.index)

    def adapt(self, images: Any) -> None:
        """Makes features the principal components of these images, as convolutions
        have them: uncorrelated, with mean 0, the coarsest differences first.

        Krähenbühl et al. (2016). Data-dependent initializations of convolutional
        neural networks. ICLR. Components are not brought to the same variance, as
        theirs are: an agent that is to tell images apart by all of them at once finds
        out late that it can tell any apart.

        Args:
            images: uint8 `[N, height, width, channels]`, each different one once.

        Raises:
            UserError: They have fewer components than there are features.
        """
        found = self._convolved(self._scaled(images), self.convolutions)
        kernel, bias = principal_components(found.numpy(), self.dense.units)
        _build_once(self.dense, found)
        self.dense.kernel.assign(COMPONENT_GAIN * kernel)
        self.dense.bias.assign(COMPONENT_GAIN * bias)

    def seen(self, images: Any, multiple: int = 1) -> SeenImages:
        """Images uint8 `[B, T, height, width, channels]` as they are encoded.

        With images of zeros there is a multiple of `multiple` of them.
        """
        different, index = distinct(images)
        missing = -tf.shape(different)[0] % multiple
        scaled = self._scaled(tf.pad(different, [[0, missing]] + [[0, 0]] * 3))
        if self.fixed:
            return SeenImages(self._features(scaled, self.convolutions), index)
        for first in self.convolutions[:1]:
            _build_once(first, scaled)
            kernel, stride = [1, *first.kernel_size, 1], [1, *first.strides, 1]
            scaled = tf.image.extract_patches(scaled, kernel, stride, [1] * 4, "SAME")
        return SeenImages(scaled, index)

    def _scaled(self, images: Any) -> Any:
        return (tf.cast(images, self.compute_dtype) - MEAN) / DEVIATION

    def _encode(self, x: Any) -> Any:
        """Features of patches; the first convolution as a matrix product."""
        for first in self.convolutions[:1]:
            kernel = tf.reshape(first.kernel, [-1, first.filters])
            found = tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel)
            places = [-1, *x.shape[1:3], first.filters]
            x = tf.tanh(tf.reshape(found + first.bias, places))
        return self._features(x, self.convolutions[1:])

    def _features(self, x: Any, layers: list[Any]) -> Any:
        """Features `[D, features]` of what these layers see."""
        return self.dense(self._convolved(x, layers))

    def _convolved(self, x: Any, layers: list[Any]) -> Any:
        """What the last of these layers gives, `[D, rows * columns * filters]`."""
        for layer in layers:
            x = layer(x)
        return tf.reshape(x, [-1, x.shape[1] * x.shape[2] * x.shape[3]])


def _build_once(layer: Any, images: Any) -> None:
    if not layer.built:
        with tf.init_scope():
            layer.build(images.shape)


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
