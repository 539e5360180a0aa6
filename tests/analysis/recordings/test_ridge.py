"""Ridge regression over lifetimes, against one written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

from kerasmeta.analysis.recordings import ridge


def naive_fit(x: np.ndarray, y: np.ndarray, penalty: float) -> ridge.Fit:
    """Rows of penalties below the centred data, by least squares."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    scale = np.sqrt(penalty * np.mean(np.sum((x - mean_x) ** 2, axis=0)))
    below = np.vstack([x - mean_x, scale * np.eye(x.shape[1])])
    aim = np.vstack([y - mean_y, np.zeros([x.shape[1], y.shape[1]])])
    weights = np.linalg.lstsq(below, aim, rcond=None)[0]
    return ridge.Fit(weights, mean_y - mean_x @ weights)


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = rng.normal(size=(120, 4)) + 3.0
    y = x @ rng.normal(size=(4, 2)) + rng.normal(size=(120, 2))
    return x, y, rng.integers(0, 7, 120)


@pytest.mark.parametrize("penalty", [1e-6, 0.1, 100.0])
def test_fit_from_sums(
    data: tuple[np.ndarray, np.ndarray, np.ndarray], penalty: float
) -> None:
    x, y, _ = data
    found, expected = ridge.fit(ridge.sums(x, y), penalty), naive_fit(x, y, penalty)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-8)
    np.testing.assert_allclose(found.predict(x), expected.predict(x), atol=1e-8)
    error = np.sum((y - expected.predict(x)) ** 2)
    assert ridge.squared_error(found, ridge.sums(x, y)) == pytest.approx(error)


def test_predictions_come_from_other_lifetimes(
    data: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Nested cross-validation once more, with a loop over everything."""
    x, y, lifetime = data
    found = ridge.predict_left_out(x, y, lifetime, folds=4)
    fold = lifetime % 4
    for f in range(4):
        rest = fold != f
        errors = []
        for penalty in ridge.PENALTIES:
            inner = 0.0
            for g in set(fold[rest]):
                fitted = naive_fit(
                    x[rest & (fold != g)], y[rest & (fold != g)], penalty
                )
                inner += np.sum((y[fold == g] - fitted.predict(x[fold == g])) ** 2)
            errors.append(inner)
        best = ridge.PENALTIES[int(np.argmin(errors))]
        expected = naive_fit(x[rest], y[rest], best).predict(x[fold == f])
        np.testing.assert_allclose(found[fold == f], expected, atol=1e-6)


def test_a_penalty_is_chosen_that_noise_deserves(rng: np.random.Generator) -> None:
    x, lifetime = rng.normal(size=(300, 40)), np.repeat(np.arange(10), 30)
    noise, signal = rng.normal(size=(300, 1)), x[:, :1]
    for y, few in ((noise, False), (signal, True)):
        parts = [ridge.sums(x[lifetime == n], y[lifetime == n]) for n in range(10)]
        chosen = ridge.choose_penalty(parts)
        assert (chosen < 1e-3) == few


def test_too_few_lifetimes_give_nothing(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 1))
    assert np.isnan(ridge.predict_left_out(x, y, np.arange(20) % 2)).all()
    assert np.isfinite(ridge.predict_left_out(x, y, np.arange(20) % 3)).all()
