"""Pictures in 48 ways: all different, all of the same pixels and colours."""

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.tasks.harlow import pictures, variants
from kerasmeta.tasks.harlow.visual import VisualHarlow


def test_variants_are_the_squares_symmetries_and_orders_of_colours():
    """By NumPy's own turns and flips, picture by picture."""
    image = pictures.draw_images(0, 16)[3]
    batch = np.repeat(image[None], variants.NUM_VARIANTS, axis=0)
    shown = variants.vary(tf.constant(batch), tf.range(variants.NUM_VARIANTS)).numpy()
    expected = set()
    for turns in range(4):
        turned = np.rot90(image, turns)
        for one in (turned, np.fliplr(turned)):
            for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1]):
                expected.add(one[..., order].tobytes())
            expected.add(one[..., ::-1].tobytes())
    assert {one.tobytes() for one in shown} == expected
    assert len(expected) == 48
    np.testing.assert_array_equal(shown[0], image)


def test_training_shows_variants_and_what_is_held_out_is_shown_as_it_is():
    plain, task = VisualHarlow(), VisualHarlow(augment=True)
    state, _ = task.reset(4000, tf.constant([1, 2]))
    shown = np.concatenate([state.rewarded.numpy(), state.distractor.numpy()])
    assert (shown % 2000 < 1000).all()
    np.testing.assert_array_equal(np.unique(shown // 2000), np.arange(48))
    others = [one.held_out().reset(50, tf.constant([3, 4]))[0] for one in (plain, task)]
    np.testing.assert_array_equal(others[0].rewarded, others[1].rewarded)
    assert (others[0].rewarded.numpy() >= 1000).all()


def test_the_eye_sees_the_variant():
    task = VisualHarlow(augment=True)
    state, _ = task.reset(6, tf.constant([5, 6]))
    numbers = tf.constant([0, 1, 2000, 2001, 4000, 47 * 2000 + 999], tf.int64)
    gaze = state.gaze._replace(on_pair=tf.ones([6], bool))
    right = tf.zeros([6], bool)  # the rewarded one is on the left
    left = task.screen(gaze, numbers, numbers + 1, right)[:, :, :16]
    base = task.pictures[numbers.numpy() % 2000]
    expected = variants.vary(tf.constant(base), numbers // 2000)
    np.testing.assert_array_equal(left, expected)
    assert not np.array_equal(left[2], base[2])
