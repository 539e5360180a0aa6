"""The water maze's metrics, against loops that go through the episodes one by one."""

from __future__ import annotations

import collections
import time

import numpy as np
import pytest

from kerasmeta.analysis import metrics
from kerasmeta.analysis.families.water_maze import searches
from kerasmeta.analysis.headline import headline
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

STEPS = 7
CHANCE = {1: 0.1, 2: 0.3, 3: 0.6}  # planted chance of a reward a step, by exposure


def simulate(lifetimes: int, contexts: int, seed: int) -> Lifetimes:
    """Three presentations of each context, rewarded by chance at every step."""
    rng = np.random.default_rng(seed)
    episodes = 3 * contexts
    shown = np.zeros((lifetimes, episodes * STEPS, 6), np.float32)
    reward = np.zeros((lifetimes, episodes * STEPS), np.float32)
    for b in range(lifetimes):
        codes = rng.permutation(64)[:contexts]
        times: collections.Counter[int] = collections.Counter()
        for e, code in enumerate(rng.permutation(np.repeat(codes, 3))):
            times[code] += 1
            span = slice(e * STEPS, (e + 1) * STEPS)
            shown[b, span] = 2.0 * (code >> np.arange(6) & 1) - 1
            reward[b, span] = rng.random(STEPS) < CHANCE[times[code]]
    starts = np.broadcast_to(np.arange(shown.shape[1]) % STEPS == 0, reward.shape)
    observation = {"context": shown, "episode_start": starts.copy()}
    action = np.zeros(reward.shape, np.int32)
    return Lifetimes(observation, action, reward, np.ones(reward.shape, bool))


@pytest.fixture(scope="module")
def recorded() -> Lifetimes:
    """Lifetimes that end anywhere; what comes after them is nonsense."""
    lifetimes = simulate(20, 4, seed=0)
    length = np.random.default_rng(1).integers(50, 85, size=(20, 1))
    valid = np.arange(84) < length
    return lifetimes._replace(
        valid=valid, reward=np.where(valid, lifetimes.reward, 1.0)
    )


def naive(lifetimes: Lifetimes) -> dict[str, list[float]]:
    """Every metric's values, one an episode."""
    found = collections.defaultdict(list)
    for b in range(len(lifetimes.valid)):
        times: collections.Counter[bytes] = collections.Counter()
        for start in range(0, lifetimes.valid.shape[1], STEPS):
            steps = [t for t in range(start, start + STEPS) if lifetimes.valid[b, t]]
            if not steps:
                continue
            context = lifetimes.observation["context"][b, start].tobytes()
            times[context] += 1
            paid = [t - start + 1 for t in steps if lifetimes.reward[b, t] == 1]
            n = times[context]
            found["reward_per_episode"].append(len(paid))
            found[f"reward_per_episode_exposure_{n}"].append(len(paid))
            found[f"success_exposure_{n}"].append(bool(paid))
            found[f"steps_to_goal_exposure_{n}"].append((paid or [len(steps)])[0])
    return found


def test_metrics_against_loops(recorded: Lifetimes) -> None:
    expected = {name: np.mean(values) for name, values in naive(recorded).items()}
    expected["steps_to_goal_exposure_2_over_1"] = (
        expected["steps_to_goal_exposure_2"] / expected["steps_to_goal_exposure_1"]
    )
    found = metrics("water_maze", recorded)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].mean, value, err_msg=name)


def test_planted_chances_are_found() -> None:
    found = metrics("water_maze", simulate(400, 4, seed=2))
    for n, chance in CHANCE.items():
        # The mean of min(steps, length): steps > k has the chance (1 - p)**k.
        expected = {
            "reward_per_episode": STEPS * chance,
            "success": 1 - (1 - chance) ** STEPS,
            "steps_to_goal": ((1 - chance) ** np.arange(STEPS)).sum(),
        }
        for name, value in expected.items():
            low, high = found[f"{name}_exposure_{n}"].ci95
            assert low < value < high, name
    steps = [((1 - CHANCE[n]) ** np.arange(STEPS)).sum() for n in (1, 2)]
    low, high = found["steps_to_goal_exposure_2_over_1"].ci95
    assert low < steps[1] / steps[0] < high
    assert high - low < 0.1


def test_one_exposure_has_no_ratio() -> None:
    once = simulate(5, 3, seed=5)
    first = once._replace(valid=np.arange(once.valid.shape[1])[None] < [[STEPS]] * 5)
    assert "steps_to_goal_exposure_2_over_1" not in metrics("water_maze", first)


def test_an_episode_without_a_reward_counts_its_whole_length() -> None:
    one = simulate(2, 2, seed=3)
    never = searches(one._replace(reward=np.zeros_like(one.reward)))
    assert (never.steps_to_goal == STEPS).all()
    assert not never.success.any()
    last = np.zeros_like(one.reward)
    last[:, STEPS - 1 :: STEPS] = 1
    at_last = searches(one._replace(reward=last))
    assert (at_last.steps_to_goal == STEPS).all()
    assert at_last.success.all()
    always = searches(one._replace(reward=np.ones_like(one.reward)))
    assert (always.steps_to_goal == 1).all()


def test_lifetimes_of_another_task_are_refused(recorded: Lifetimes) -> None:
    with pytest.raises(UserError, match="a water maze pays 1 or nothing"):
        metrics("water_maze", recorded._replace(reward=0.5 * recorded.reward))
    context = np.zeros_like(recorded.observation["context"])
    hidden = {**recorded.observation, "context": context}
    with pytest.raises(UserError, match="shows a context where an episode begins"):
        metrics("water_maze", recorded._replace(observation=hidden))


def test_headlines_are_metrics(recorded: Lifetimes) -> None:
    assert set(headline("water_maze")) <= set(metrics("water_maze", recorded))


def test_a_thousand_lifetimes_take_under_two_seconds() -> None:
    one = simulate(10, 24, seed=4)
    many = Lifetimes(
        {k: np.tile(v, (100, *[1] * (v.ndim - 1))) for k, v in one.observation.items()},
        *(np.tile(field, (100, 1)) for field in one[1:4]),
    )
    start = time.process_time()
    metrics("water_maze", many)
    assert time.process_time() - start < 2.0
