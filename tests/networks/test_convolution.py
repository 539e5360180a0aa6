"""Images to features: the convolution written out, and every image encoded once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.networks import ActorNetwork, CriticNetwork
from kerasmeta.networks.components import principal_components
from kerasmeta.networks.convolution import COMPONENT_GAIN, ImageEncoder, distinct

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
    find = tf.function(distinct, autograph=False) if graph else distinct
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


def test_principal_components_are_those_of_the_covariance(
    rng: np.random.Generator,
) -> None:
    """By the eigenvectors of the covariance, not by singular values of the rows."""
    x = rng.normal(size=(50, 7)) @ rng.normal(size=(7, 7)) + rng.normal(size=7)
    kernel, bias = principal_components(x, 3)
    found = x @ kernel + bias
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-12)
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    shares = values[::-1][:3] / values[-1]
    expected = np.diag(shares)
    np.testing.assert_allclose(np.cov(found.T, bias=True), expected, atol=1e-12)
    assert found[:, 0].std() == pytest.approx(1.0)
    for column, vector in zip(kernel.T, vectors.T[::-1], strict=False):
        cosine = column @ vector / np.linalg.norm(column)
        assert abs(cosine) == pytest.approx(1.0)
        assert column[np.abs(column).argmax()] > 0


def test_an_encoder_adapts_to_images(rng: np.random.Generator) -> None:
    """Its features then have the components' variances, before the tanh."""
    images = rng.integers(0, 256, [60, SIZE, SIZE, 3]).astype(np.uint8)
    encoder = make(fixed=True)
    encoder(images)
    before = encoder.named_weights()["convolution/0/kernel"].numpy()
    encoder.adapt(tf.constant(images))
    encoder.dense.activation = tf.identity  # or tanh hides how far they go
    features = encoder(images).numpy()
    np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=1e-9)
    spread = features.std(axis=0)
    assert spread[0] == pytest.approx(COMPONENT_GAIN)
    assert (np.diff(spread) < 0).all()
    correlation = np.corrcoef(features.T)
    np.testing.assert_allclose(correlation, np.eye(5), atol=1e-9)
    after = encoder.named_weights()["convolution/0/kernel"].numpy()
    np.testing.assert_array_equal(after, before)


def test_what_a_fixed_encoder_has_seen_are_features(rng: np.random.Generator) -> None:
    encoder, images = make("float32", fixed=True), some_images(rng, B, T)
    found = encoder.seen(tf.constant(images), multiple=64)
    assert found.patches.shape == (64, 5)
    compiled = tf.function(encoder, jit_compile=True, autograph=False)
    step_by_step = [encoder(images[:, t]) for t in range(T)]
    np.testing.assert_allclose(compiled(found), np.stack(step_by_step, 1), atol=1e-6)


def test_too_few_images_are_refused(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, [5, SIZE, SIZE, 3]).astype(np.uint8)
    message = r"agent.image_features 5: is more than the 4 components of 5 different"
    with pytest.raises(UserError, match=message):
        make(fixed=True).adapt(tf.constant(images))


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
