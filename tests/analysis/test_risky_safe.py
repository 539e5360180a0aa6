"""Risky choices, told apart by what they paid."""

from __future__ import annotations

import numpy as np
import pytest

from kerasmeta.analysis import metrics
from kerasmeta.analysis.headline import headline
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

NAMES = {
    "reward_per_trial",
    "risky_choice",
    "risky_choice_favourable",
    "risky_choice_unfavourable",
}


def simulate(
    risk: np.ndarray, amounts: tuple[float, float] = (1.0, 4.0), seed: int = 0
) -> tuple[Lifetimes, np.ndarray, np.ndarray]:
    """Lifetimes that choose the risky lever with the chances `risk` `[B]`.

    Returns: the lifetimes, the choices `[B, T]` and the favourable lifetimes `[B]`.
    """
    rng = np.random.default_rng(seed)
    lever, favourable = rng.integers(2, size=(2, len(risk)))
    risky = rng.random((len(risk), 40)) < risk[:, None]
    wins = rng.random(risky.shape) < np.where(favourable, 0.5, 0.125)[:, None]
    paid = np.where(risky, amounts[1] * wins, amounts[0])
    action = np.where(risky, lever[:, None], 1 - lever[:, None])
    stimulus = np.zeros((len(risk), 41, 3), np.float32)
    stimulus[:, :-1, 0] = 1
    stimulus[np.arange(len(risk)), -1, 1 + favourable] = 1
    ends = np.zeros((len(risk), 1), np.int32)
    return (
        Lifetimes(
            {"stimulus": stimulus},
            np.concatenate([action, ends], axis=1).astype(np.int32),
            np.concatenate([paid, ends], axis=1).astype(np.float32),
            np.ones((len(risk), 41), bool),
        ),
        risky,
        favourable == 1,
    )


@pytest.mark.parametrize("amounts", [(1.0, 4.0), (0.5, 3.0)])
def test_against_what_was_planted(amounts: tuple[float, float]) -> None:
    risk = np.random.default_rng(1).random(50)
    lifetimes, risky, favourable = simulate(risk, amounts)
    found = metrics("risky_safe", lifetimes)
    assert set(found) == NAMES
    assert found["risky_choice"].mean == pytest.approx(risky.mean())
    good, bad = risky[favourable].mean(), risky[~favourable].mean()
    assert found["risky_choice_favourable"].mean == pytest.approx(good)
    assert found["risky_choice_unfavourable"].mean == pytest.approx(bad)
    rate = lifetimes.reward.sum() / risky.size
    assert found["reward_per_trial"].mean == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize(("risk", "expected"), [(0.0, 0.0), (1.0, 1.0)])
def test_one_lever_alone_is_told_by_how_it_pays(risk: float, expected: float) -> None:
    lifetimes, _, _ = simulate(np.full(20, risk))
    assert metrics("risky_safe", lifetimes)["risky_choice"].mean == expected


def test_lifetimes_of_another_task_are_refused() -> None:
    lifetimes, _, _ = simulate(np.full(20, 0.5))
    graded = lifetimes._replace(reward=lifetimes.reward + 0.1 * lifetimes.action)
    with pytest.raises(UserError, match="task they were recorded on"):
        metrics("risky_safe", graded)


def test_headlines_are_metrics() -> None:
    assert set(headline("risky_safe")) <= NAMES
