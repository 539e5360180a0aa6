"""Reward prediction errors, worked out by hand."""

from __future__ import annotations

import numpy as np

from kerasmeta.analysis.recordings.signals import reward_prediction_errors

GAMMA = 0.5


def test_errors_by_hand() -> None:
    """Two lifetimes, of three steps and of two; what follows their end is rubbish."""
    value = np.array([[0.4, 0.6, 0.2, 9.0], [1.0, -1.0, 7.0, 9.0]])
    reward = np.array([[1.0, 0.0, 1.0, 5.0], [0.0, 1.0, 5.0, 5.0]])
    valid = np.array([[True, True, True, False], [True, True, False, False]])
    expected = [
        # r + γ V' - V: 1 + .5 * .6 - .4;  0 + .5 * .2 - .6;  1 + 0 - .2
        [0.9, -0.5, 0.8, 0.0],
        # 0 + .5 * -1 - 1;  1 + 0 + 1
        [-1.5, 2.0, 0.0, 0.0],
    ]
    found = reward_prediction_errors(value, reward, valid, GAMMA)
    np.testing.assert_allclose(found, expected)


def test_true_values_leave_no_error_and_errors_add_up(rng: np.random.Generator) -> None:
    """Limit cases: V the return itself; V = 0; and the sum that telescopes."""
    valid = np.ones([3, 6], bool)
    reward = rng.normal(size=valid.shape)
    returns = np.zeros([3, 7])
    for t in range(5, -1, -1):
        returns[:, t] = reward[:, t] + GAMMA * returns[:, t + 1]
    true = reward_prediction_errors(returns[:, :6], reward, valid, GAMMA)
    np.testing.assert_allclose(true, 0.0, atol=1e-12)
    none = reward_prediction_errors(np.zeros([3, 6]), reward, valid, GAMMA)
    np.testing.assert_allclose(none, reward)
    value = rng.normal(size=valid.shape)
    found = reward_prediction_errors(value, reward, valid, GAMMA)
    discounts = GAMMA ** np.arange(6)
    np.testing.assert_allclose(found @ discounts, returns[:, 0] - value[:, 0])
