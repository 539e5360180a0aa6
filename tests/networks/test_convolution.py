"""Images to features: the convolution written out, and every image encoded once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents

from kerasmeta._keras import tf
from kerasmeta.networks import ActorNetwork, CriticNetwork
from kerasmeta.networks.convolution import ImageEncoder, distinct

B, T, SIZE = 3, 5, 6
CONVOLUTIONS = ((2, 3, 2), (4, 2, 1))


def some_images(rng: np.random.Generator, *shape: int, size: int = SIZE) -> np.ndarray:
    """Four different images, each of them several times, uint8 `[..., S, S, 3]`."""
    pool = rng.integers(0, 256, [4, size, size, 3]).astype(np.uint8)
    return pool[rng.integers(0, 4, shape)]


def make(dtype: str = "float64", **changes: Any) -> ImageEncoder:
    arguments = {"convolutions": CONVOLUTIONS, "features": 5, "seed": 1, **changes}
    return ImageEncoder(**arguments, dtype=dtype)


def convolved(x: np.ndarray, kernel: np.ndarray, bias: Any, stride: int) -> np.ndarray:
    """tanh of a convolution, zeros around: written from its definition."""
    size, width = x.shape[1], kernel.shape[0]
    count = -(-size // stride)
    missing = max((count - 1) * stride + width - size, 0)
    before = missing // 2
    padding = [before, missing - before]
    x = np.pad(x, [[0, 0], padding, padding, [0, 0]])
    out = np.zeros([len(x), count, count, kernel.shape[-1]])
    for row in range(count):
        for column in range(count):
            patch = x[:, row * stride :, column * stride :][:, :width, :width]
            out[:, row, column] = np.einsum("bijc,ijcf->bf", patch, kernel)
    return np.tanh(out + bias)


def test_features_are_those_of_the_definition(rng: np.random.Generator) -> None:
    encoder, images = make(), some_images(rng, B)
    found = encoder(images)
    assert found.dtype == tf.float64
    agents.shake(encoder.variables)
    found = encoder(images)
    named = {k: v.numpy() for k, v in encoder.named_weights().items()}
    x = (images.astype(float) - 127.5) / 64.0
    for n, (_, _, stride) in enumerate(CONVOLUTIONS):
        kernel, bias = (named[f"convolution/{n}/{w}"] for w in ("kernel", "bias"))
        x = convolved(x, kernel, bias, stride)
    flat = x.reshape(B, -1) @ named["features/kernel"] + named["features/bias"]
    np.testing.assert_allclose(found, np.tanh(flat), rtol=0, atol=1e-12)
    assert np.ptp(found.numpy()) > 0.5


def test_without_convolutions_features_are_of_the_pixels(
    rng: np.random.Generator,
) -> None:
    encoder = make(convolutions=())
    assert encoder(some_images(rng, B)).shape == (B, 5)
    assert encoder.dense.kernel.shape == (SIZE * SIZE * 3, 5)


@pytest.mark.parametrize("size", [3, 6])  # of 27 and of 108 bytes
@pytest.mark.parametrize("graph", [False, True])
def test_distinct_finds_every_image_once(
    size: int, graph: bool, rng: np.random.Generator
) -> None:
    images = some_images(rng, B, T, size=size)
    images[1, 1] = images[0, 0]
    images[1, 1, -1, -1, -1] ^= 1  # the smallest difference there can be
    find = tf.function(distinct) if graph else distinct
    different, index = (part.numpy() for part in find(tf.constant(images)))
    np.testing.assert_array_equal(different[index], images)
    rows = images.reshape(B * T, -1)
    assert len(different) == len(np.unique(rows, axis=0))
    firsts = [index.ravel().tolist().index(n) for n in range(len(different))]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("convolutions", [CONVOLUTIONS, ((3, 3, 1),), ()])
def test_lifetimes_are_encoded_as_their_steps_are(
    convolutions: Any, rng: np.random.Generator
) -> None:
    encoder = make("float32", convolutions=convolutions)
    images = some_images(rng, B, T)
    whole = encoder(images)  # which builds it, too
    agents.shake(encoder.variables)
    whole = encoder(images)
    assert whole.shape == (B, T, 5)
    for t in range(T):
        np.testing.assert_allclose(whole[:, t], encoder(images[:, t]), atol=1e-6)


def test_seen_images_are_encoded_as_they_are(rng: np.random.Generator) -> None:
    """XLA takes them filled up to a multiple of 64, with black where nothing is."""
    encoder, images = make("float32"), some_images(rng, B, T)
    found = encoder.seen(tf.constant(images), multiple=64)
    assert found.patches.shape[0] == 64
    assert (found.patches.numpy()[4:] == found.patches.numpy()[-1:]).all()
    assert found.index.numpy().max() < 4
    compiled = tf.function(encoder, jit_compile=True, autograph=False)
    np.testing.assert_allclose(compiled(found), encoder(images), atol=1e-5)


def test_every_appearance_counts_in_the_gradient(rng: np.random.Generator) -> None:
    encoder, images = make(), tf.constant(some_images(rng, B, T))
    weight = tf.constant(rng.normal(size=(B, T, 5)))
    encoder(images)

    def gradient(encode: Any) -> np.ndarray:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weight * encode(images) ** 2)
        found = tape.gradient(loss, encoder.trainable_variables)
        return np.concatenate([np.ravel(tf.convert_to_tensor(g)) for g in found])

    def one_by_one(images: Any) -> Any:
        return tf.stack([encoder(images[:, t]) for t in range(T)], axis=1)

    expected = gradient(one_by_one)
    np.testing.assert_allclose(gradient(encoder), expected, rtol=0, atol=1e-10)
    assert np.linalg.norm(expected) > 1


def test_fresh_features_tell_images_apart() -> None:
    """Of noise, as of pictures, they are spread about 0 and hardly correlated."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, [300, 16, 16, 3]).astype(np.uint8)
    encoder = make("float32", convolutions=((16, 5, 2), (32, 3, 2)), features=32)
    features = encoder(images).numpy()
    assert np.abs(features.mean(axis=0)).mean() < 0.1
    assert 0.4 < features.std(axis=0).mean() < 0.9
    between = np.corrcoef(features)[np.triu_indices(300, 1)]
    assert abs(between.mean()) < 0.05
    assert between.max() < 0.9


@pytest.mark.parametrize("network_class", [ActorNetwork, CriticNetwork])
def test_every_weight_of_a_network_that_sees_has_a_name(network_class: Any) -> None:
    network = network_class(
        agents.observation_spec(image=SIZE),
        agents.action_spec(),
        agents.config(
            convolutions=CONVOLUTIONS,
            image_features=5,
            encoder=(4,),
            critic_encoder=(4,),
        ),
    )
    rng = np.random.default_rng(5)
    inputs = agents.observations(rng, B, T, image=SIZE)
    inputs["memory"] = rng.normal(size=(B, T, agents.UNITS)).astype(np.float32)
    inputs = tf.nest.map_structure(tf.constant, inputs)
    network(agents.at(inputs, 0))
    output, _ = network(inputs)
    assert output.shape[:2] == (B, T)
    named = network.named_weights()
    expected = {
        f"encoder/{layer}/{kind}"
        for layer in ("convolution/0", "convolution/1", "features", "0")
        for kind in ("kernel", "bias")
    }
    assert {name for name in named if name.startswith("encoder")} == expected
    assert {id(v) for v in named.values()} == {id(v) for v in network.variables}
    # 5 features, an action of 2 and a reward enter the dense layer.
    assert named["encoder/0/kernel"].shape == (5 + agents.ACTIONS + 1, 4)


def test_actor_and_critic_see_with_weights_of_their_own() -> None:
    spec = agents.observation_spec(image=SIZE), agents.action_spec()
    inputs = agents.observations(np.random.default_rng(1), B, T, image=SIZE)
    kernels = []
    for network_class in (ActorNetwork, CriticNetwork):
        network = network_class(*spec, agents.config(kind="lstm"))
        network(agents.at(tf.nest.map_structure(tf.constant, inputs), 0))
        kernels.append(network.named_weights()["encoder/convolution/0/kernel"].numpy())
    assert (kernels[0] != kernels[1]).all()
