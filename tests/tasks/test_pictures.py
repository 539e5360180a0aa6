"""The procedural images: always the same, all different, and needing vision."""

import numpy as np
import pytest

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.harlow import pictures


@pytest.fixture(scope="module")
def images():
    return pictures.draw_images(0, 16)


@pytest.fixture(scope="module")
def drawn():
    return pictures.sketch(seeds.as_seed(0))


def distances(images):
    """Root mean square differences between all images, 0 to 255, `[N, N]`."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    squares = (flat**2).sum(axis=1)
    gram = flat @ flat.T
    sums = np.maximum(squares[:, None] + squares - 2 * gram, 0)
    return np.sqrt(sums / flat.shape[1])


def test_the_same_number_is_the_same_image(images):
    assert images.shape == (2000, 16, 16, 3)
    assert images.dtype == np.uint8
    pictures.draw_images.cache_clear()
    np.testing.assert_array_equal(pictures.draw_images(0, 16), images)

    @tf.function(autograph=False)
    def traced():  # the first call may come while a graph is being built
        pictures.draw_images.cache_clear()
        return tf.constant(pictures.draw_images(0, 16))

    np.testing.assert_array_equal(traced(), images)


def test_another_seed_is_other_images(images):
    other = pictures.draw_images(1, 16)
    assert (other != images).any(axis=(1, 2, 3)).all()


def test_another_size_is_the_same_images(images):
    """Scaled down, every large image looks more like its small one than any other."""
    large = pictures.draw_images(0, 64)[:200].astype(float)
    scaled = large.reshape(200, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    apart = distances(np.concatenate([scaled, images]))[:200, 200:]
    np.testing.assert_array_equal(apart.argmin(axis=1), np.arange(200))
    assert np.median(apart.min(axis=1)) < 6  # of 255; what differs are edges


def test_no_two_images_look_alike(images):
    apart = distances(images)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 12  # of 255, root mean square over all pixels
    assert np.percentile(apart, 1) > 45


def test_held_out_images_are_new_but_of_the_same_kind(images):
    train, held_out = images[:1000].astype(float), images[1000:].astype(float)
    for moment in (np.mean, np.std):
        ours, theirs = (moment(half, axis=(1, 2, 3)) for half in (train, held_out))
        error = np.sqrt(ours.var() / 1000 + theirs.var() / 1000)
        assert abs(ours.mean() - theirs.mean()) < 2.58 * error


def test_colour_alone_or_form_alone_does_not_do(images):
    """Many images share a mean colour, and many share a grey picture, roughly."""
    colour = images.mean(axis=(1, 2))  # [N, 3]
    alike = np.abs(colour[:, None] - colour).max(axis=-1) < 10
    np.fill_diagonal(alike, False)
    assert alike.any(axis=1).mean() > 0.8
    # What is left without the mean colour is most of the variance.
    residual = images - colour[:, None, None]
    assert residual.var() > 0.4 * images.var()


def test_shapes_textures_and_colours_are_all_used(drawn):
    for kind, *_ in drawn.textures:
        found, counts = np.unique(kind, return_counts=True)
        assert found.tolist() == [0, 1, 2, 3, 4]
        assert counts.min() > 330
    assert set(np.unique(drawn.lobes)) == {2, 3, 4, 5, 6}
    hole = drawn.hole.numpy()
    assert 0.3 < (hole > 0).mean() < 0.45
    assert hole[hole > 0].min() >= 0.2
    depth = drawn.depth.numpy()
    assert 0.15 < (depth == 0).mean() < 0.31  # plain discs
    colours = drawn.colours.numpy()
    assert colours.min() >= 0
    assert abs(colours.mean() - 0.5) < 0.01
    correlation = np.corrcoef(colours.reshape(2000, -1), rowvar=False)
    assert np.abs(correlation - np.eye(12)).max() < 0.09


def sketch_of(**changes):
    """One image: a white disc of half the image's width on black, unless changed."""
    one = np.ones([1, 1, 1], np.float32)
    plain = (0 * one, 8 * one, 0 * one, 0 * one)
    colours = np.array([[[1, 1, 1], [1, 0, 0], [0, 0, 0], [0, 0, 1]]], np.float32)
    known = {
        "centre": (0 * one, 0 * one),
        "radius": 0.5 * one,
        "turn": 0 * one,
        "stretch": one,
        "lobes": 4 * one,
        "depth": 0 * one,
        "hole": 0 * one,
        "textures": [plain, plain],
        "colours": colours,
    }
    known = {**known, **changes}
    return pictures.paint(pictures.Sketch(**known), 64).numpy()[0]


def test_a_disc_covers_its_area():
    disc = sketch_of()[..., 0] / 255
    assert disc.mean() == pytest.approx(np.pi * 0.5**2 / 4, rel=0.01)
    assert disc[32, 32] == 1
    assert disc[0, 0] == 0


def test_holes_lobes_and_stretch_change_the_area_as_they_should():
    one = np.ones([1, 1, 1], np.float32)
    ring = sketch_of(hole=0.6 * one)[..., 0] / 255
    assert ring[32, 32] == 0
    assert ring.mean() == pytest.approx(np.pi * 0.25 * (1 - 0.36) / 4, rel=0.02)
    # The area of r = R (1 + d cos 4t) is pi R^2 (1 + d^2 / 2).
    star = sketch_of(depth=0.4 * one)[..., 0] / 255
    assert star.mean() == pytest.approx(np.pi * 0.25 * 1.08 / 4, rel=0.02)
    assert star[32, 32 + 21] == 1  # (21 + 1/2) / 32 = .67 < .7, in a lobe
    assert star[32 + 15, 32 + 15] == 0  # .68 > .3, between lobes
    oval = sketch_of(stretch=2 * one)[..., 0] / 255
    assert oval.mean() == pytest.approx(np.pi * 0.25 / 2 / 4, rel=0.02)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_textures_are_half_of_each_colour(kind):
    one = np.ones([1, 1, 1], np.float32)
    painted = (kind * one, 12 * one, 0.3 * one, 0 * one)
    plain = (0 * one, one, one, one)
    image = sketch_of(radius=0 * one, textures=[plain, painted])
    blue = image[..., 2] / 255
    assert (image[..., :2] == 0).all()
    assert 0.35 < blue.mean() < 0.65
    assert ((blue > 0.9) | (blue < 0.1)).mean() > 0.6
