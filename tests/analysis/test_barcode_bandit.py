"""The barcode bandit's metrics, against loops that count exposures one by one."""

from __future__ import annotations

import collections
import time

import numpy as np
import pytest

from kerasmeta.analysis import metrics
from kerasmeta.analysis.exposures import exposures
from kerasmeta.analysis.headline import headline
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

PULLS = 4
FIRST_PULL = {1: 0.2, 2: 0.5, 3: 0.9}  # planted chance of a reward, by exposure


def simulate(lifetimes: int, contexts: int, seed: int) -> Lifetimes:
    """Three presentations of each context; every later pull pays with chance 0.6."""
    rng = np.random.default_rng(seed)
    episodes = 3 * contexts
    shown = np.zeros((lifetimes, episodes * PULLS, 6), np.float32)
    reward = np.zeros((lifetimes, episodes * PULLS), np.float32)
    for b in range(lifetimes):
        codes = rng.permutation(64)[:contexts]
        times: collections.Counter[int] = collections.Counter()
        for e, code in enumerate(rng.permutation(np.repeat(codes, 3))):
            times[code] += 1
            span = slice(e * PULLS, (e + 1) * PULLS)
            shown[b, span] = 2.0 * (code >> np.arange(6) & 1) - 1
            reward[b, span] = rng.random(PULLS) < 0.6
            reward[b, e * PULLS] = rng.random() < FIRST_PULL[times[code]]
    starts = np.broadcast_to(np.arange(shown.shape[1]) % PULLS == 0, reward.shape)
    observation = {"context": shown, "episode_start": starts.copy()}
    action = np.zeros(reward.shape, np.int32)
    return Lifetimes(observation, action, reward, np.ones(reward.shape, bool))


@pytest.fixture(scope="module")
def recorded() -> Lifetimes:
    """Lifetimes that end anywhere; what comes after them is nonsense."""
    lifetimes = simulate(20, 5, seed=0)
    length = np.random.default_rng(1).integers(30, 61, size=(20, 1))
    valid = np.arange(60) < length
    return lifetimes._replace(
        valid=valid, reward=np.where(valid, lifetimes.reward, 7.0)
    )


def naive_exposures(lifetimes: Lifetimes) -> np.ndarray:
    found = np.zeros(lifetimes.valid.shape, int)
    for b, t in zip(*np.nonzero(lifetimes.valid), strict=True):
        context = lifetimes.observation["context"][b]
        starts = [
            s
            for s in range(t + 1)
            if lifetimes.observation["episode_start"][b, s]
            and (context[s] == context[t]).all()
        ]
        found[b, t] = len(starts)
    return found


def test_exposures_against_loops(recorded: Lifetimes) -> None:
    np.testing.assert_array_equal(exposures(recorded), naive_exposures(recorded))


def test_metrics_against_loops(recorded: Lifetimes) -> None:
    exposure = naive_exposures(recorded)
    rewards, firsts = collections.defaultdict(list), collections.defaultdict(list)
    for b, t in zip(*np.nonzero(recorded.valid), strict=True):
        rewards[exposure[b, t]].append(recorded.reward[b, t])
        if t % PULLS == 0:
            firsts[exposure[b, t]].append(recorded.reward[b, t])
    expected = {"reward_per_pull": np.concatenate(list(rewards.values()))}
    expected |= {f"reward_per_pull_exposure_{n}": rewards[n] for n in (1, 2, 3)}
    expected |= {f"first_pull_exposure_{n}": firsts[n] for n in (1, 2, 3)}
    found = metrics("barcode_bandit", recorded)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name].mean, np.mean(values), err_msg=name)


def test_planted_memory_is_found() -> None:
    found = metrics("barcode_bandit", simulate(300, 5, seed=2))
    for n, chance in FIRST_PULL.items():
        low, high = found[f"first_pull_exposure_{n}"].ci95
        assert low < chance < high
        low, high = found[f"reward_per_pull_exposure_{n}"].ci95
        assert low < (chance + 3 * 0.6) / 4 < high


def test_the_same_context_in_two_lifetimes_is_not_the_same_one() -> None:
    one = simulate(1, 4, seed=3)
    twice = Lifetimes(
        {k: np.concatenate([v, v]) for k, v in one.observation.items()},
        *(np.concatenate([field, field]) for field in one[1:4]),
    )
    expected = np.concatenate([exposures(one)] * 2)
    np.testing.assert_array_equal(exposures(twice), expected)


def test_lifetimes_without_contexts_are_refused(recorded: Lifetimes) -> None:
    hidden = {
        **recorded.observation,
        "context": np.zeros_like(recorded.observation["context"]),
    }
    with pytest.raises(UserError, match="shows a context where an episode begins"):
        metrics("barcode_bandit", recorded._replace(observation=hidden))


def test_headlines_are_metrics(recorded: Lifetimes) -> None:
    assert set(headline("barcode_bandit")) <= set(metrics("barcode_bandit", recorded))


def test_a_thousand_lifetimes_take_under_two_seconds() -> None:
    one = simulate(10, 10, seed=4)
    many = Lifetimes(
        {k: np.tile(v, (100, *[1] * (v.ndim - 1))) for k, v in one.observation.items()},
        *(np.tile(field, (100, 1)) for field in one[1:4]),
    )
    start = time.process_time()
    metrics("barcode_bandit", many)
    assert time.process_time() - start < 2.0
