import numpy as np
import pytest

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.tasks import seeds


def test_integers_pairs_and_tensors_are_seeds():
    np.testing.assert_array_equal(seeds.as_seed(5), [0, 5])
    np.testing.assert_array_equal(seeds.as_seed(2**31), [1, 0])
    np.testing.assert_array_equal(seeds.as_seed((3, tf.constant(4, tf.int64))), [3, 4])
    np.testing.assert_array_equal(seeds.as_seed(tf.constant([3, 4], tf.int64)), [3, 4])


@pytest.mark.parametrize("seed", [-1, 2**62])
def test_integers_out_of_range_are_refused(seed):
    with pytest.raises(UserError, match=r"^seed "):
        seeds.as_seed(seed)


def test_no_two_steps_of_neighbouring_runs_share_a_seed():
    # The trap: (run, iteration + step) would give iteration 8 the seeds of 7, shifted.
    keys = [seeds.key_from(seeds.as_seed((3, i))).numpy() for i in range(50)]
    used = {tuple(seeds.at_step(key, t).numpy()) for key in keys for t in range(20)}
    assert len(used) == 50 * 20
