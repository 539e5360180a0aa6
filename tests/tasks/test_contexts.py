import numpy as np
import pytest
from harness.statistics import check_rate
from scipy import stats

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.tasks import contexts

SEED = tf.constant([1, 3])


@pytest.mark.parametrize(
    ("count", "size"), [(50, 6), (50, 20), (64, 6), (1, 1), (9, 62)]
)
def test_codes_are_distinct_and_fit(count, size):
    codes = contexts.draw_codes(500, count, size, SEED).numpy()
    assert codes.min() >= 0
    assert codes.max() < 2**size
    assert all(len(set(row)) == count for row in codes)


def test_as_many_codes_as_there_are_means_each_one_once_in_random_order():
    codes = contexts.draw_codes(4000, 4, 2, SEED).numpy()
    assert (np.sort(codes, axis=1) == np.arange(4)).all()
    # All 24 orders, equally often.
    _, counts = np.unique(codes, axis=0, return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 0.01


def test_every_bit_is_a_fair_coin_and_contexts_are_orthogonal_on_average():
    codes = contexts.draw_codes(400, 50, 20, SEED)
    context = np.stack([contexts.context_of(codes[:, i], 20) for i in range(50)], 1)
    assert set(np.unique(context)) == {-1.0, 1.0}
    # One context a lifetime, so that the draws are independent.
    for bit in range(20):
        check_rate(context[:, 7, bit] > 0, 0.5)
    agreement = context[:, 3] * context[:, 4] > 0
    check_rate(agreement, 0.5)


@pytest.mark.parametrize("size", [3, 20, 62])
def test_code_is_read_back_from_its_context(size):
    codes = contexts.draw_codes(100, 5, size, SEED)[:, 0]
    context = contexts.context_of(codes, size)
    assert context.shape == (100, size)
    np.testing.assert_array_equal(contexts.code_of(context), codes)


def test_size_that_cannot_hold_the_contexts_is_refused():
    contexts.check_context_size(6, 64)
    with pytest.raises(UserError, match=r"context_size 6: cannot hold 65 .* use 7 to"):
        contexts.check_context_size(6, 65)
