"""The hashed random numbers: the hash itself, uniformity, and no correlations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from kerasmeta._keras import tf
from kerasmeta.agents.sampling import lifetime_seeds, uniforms

SEEDS, ROWS, STEPS, COLUMNS = 6, 32, 40, 4


def lowbias32(x: int) -> int:
    """C. Wellons' hash, in Python's own integers."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) % 2**32
    x = ((x ^ (x >> 15)) * 0x846CA68B) % 2**32
    return x ^ (x >> 16)


def chained(*parts: int) -> int:
    state = 0x9E3779B9
    for part in parts:
        state = lowbias32(state ^ (part % 2**32))
    return state


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    """Uniforms of adjacent seeds, rows, steps and columns, one axis each."""
    draws = [
        [
            uniforms(lifetime_seeds(seed, ROWS), tf.fill([ROWS], step), COLUMNS)
            for step in range(STEPS)
        ]
        for seed in range(SEEDS)
    ]
    return np.transpose(np.array(draws), [0, 2, 1, 3])  # [seed, row, step, column]


@pytest.mark.parametrize("jit", [False, True])
def test_is_the_hash_of_seed_row_step_and_column(jit: bool) -> None:
    seeds = np.array([[0, 0], [7, 3], [-1, 5], [2**31 - 1, -(2**31)]], np.int32)
    steps = np.array([0, 1, 2, 100_000], np.int32)
    draw = tf.function(uniforms, jit_compile=jit, autograph=False)
    found = draw(tf.constant(seeds), tf.constant(steps), 3).numpy()
    for row, column in itertools.product(range(4), range(3)):
        state = chained(int(seeds[row, 0]), int(seeds[row, 1]), int(steps[row]))
        bits = lowbias32(state ^ chained(column))
        assert found[row, column] == (bits >> 8) / 2**24


def test_regression() -> None:
    """Published evaluations name their seeds: these numbers may not change."""
    found = uniforms(lifetime_seeds(1, 2), tf.constant([0, 1]), 2)
    expected = [[0.206265389919281, 0.6376081109046936]]
    expected += [[0.9936364889144897, 0.8123162984848022]]
    np.testing.assert_array_equal(found, np.float32(expected))


def test_lies_in_the_unit_interval(table: np.ndarray) -> None:
    assert table.min() >= 0.0
    assert table.max() < 1.0
    assert np.unique(table).size > 0.99 * table.size


def test_is_uniform(table: np.ndarray) -> None:
    """Chi-square over 64 bins, for all numbers and for each column."""
    for numbers in (table, *np.moveaxis(table, -1, 0)):
        counts, _ = np.histogram(numbers, bins=64, range=(0.0, 1.0))
        assert 0.005 < stats.chisquare(counts).pvalue < 0.995


@pytest.mark.parametrize("axis", range(4), ids=["seed", "row", "step", "column"])
@pytest.mark.parametrize("lag", [1, 2, 3])
def test_neighbours_are_independent(table: np.ndarray, axis: int, lag: int) -> None:
    """No correlation, and no pattern among 16 x 16 pairs, along any axis."""
    moved = np.moveaxis(table, axis, 0)
    one, other = moved[:-lag].ravel(), moved[lag:].ravel()
    assert stats.pearsonr(one, other).pvalue > 0.005
    counts, _, _ = np.histogram2d(one, other, bins=16, range=[[0, 1]] * 2)
    assert 0.005 < stats.chisquare(counts.ravel()).pvalue < 0.995


def test_a_row_does_not_depend_on_its_batch(rng: np.random.Generator) -> None:
    seeds = tf.constant(rng.integers(0, 100, [8, 2]), tf.int32)
    steps = tf.constant(rng.integers(0, 100, 8), tf.int32)
    together = uniforms(seeds, steps, 3)
    for row in range(8):
        alone = uniforms(seeds[row : row + 1], steps[row : row + 1], 3)
        np.testing.assert_array_equal(alone[0], together[row])
    np.testing.assert_array_equal(uniforms(seeds, steps, 2), together[:, :2])


def test_lifetimes_of_a_batch_have_seeds_of_their_own() -> None:
    np.testing.assert_array_equal(lifetime_seeds(4, 3), [[4, 0], [4, 1], [4, 2]])
    np.testing.assert_array_equal(lifetime_seeds(4, 2), lifetime_seeds(4, 3)[:2])
    assert lifetime_seeds(-1, 1).dtype == tf.int32
