"""The metrics of the Harlow tasks, against tallies kept while behaviour is made up."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta.analysis import Estimate, metrics
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks.play import play

ACCURACY = [f"accuracy_trial_{n}" for n in range(1, 7)]
HARLOW = {*ACCURACY, "return", "choices_per_episode"}


class Diary:
    """Makes up one lifetime, step by step, and keeps the tallies as it goes."""

    def __init__(self) -> None:
        self.context: list[list[float]] = []
        self.start: list[bool] = []
        self.store: list[bool] = []
        self.reward: list[float] = []

    def step(self, reward: float = 0.0, **shown: object) -> None:
        self.reward.append(reward)
        self.start.append(bool(shown.get("start", False)))
        self.store.append(bool(shown.get("store", False)))
        context = shown.get("context")
        self.context.append([0.0, 0.0, 0.0] if context is None else list(context))


def made_up(batch_size: int, seed: int) -> tuple[Lifetimes, dict[str, list[float]]]:
    """Lifetimes of 8 episodes with 3 pairs in any order, and what they measure."""
    generator = np.random.default_rng(seed)
    keys = [(1.0, 1.0, -1.0), (1.0, -1.0, 1.0), (-1.0, 1.0, 1.0)]
    tally: dict[str, list[float]] = defaultdict(list)
    diaries = []
    for _ in range(batch_size):
        diary, met = Diary(), Counter[int]()
        for _ in range(8):
            pair = int(generator.integers(3))
            choices = write_episode(diary, generator, keys[pair], store=not met[pair])
            met[pair] += bool(choices)
            for trial, right in enumerate(choices, 1):
                tally[f"accuracy_trial_{trial}"].append(right)
            if choices:
                name = f"accuracy_trial_1_exposure_{met[pair]}"
                tally[name].append(choices[0])
            tally["choices_per_episode"].append(len(choices))
        tally["return"].append(sum(diary.reward))
        diaries.append(diary)
    return padded(diaries), tally


def write_episode(
    diary: Diary, generator: np.random.Generator, key: tuple[float, ...], store: bool
) -> list[bool]:
    """Some trials, the last one perhaps not finished. Returns what was right."""
    choices = []
    diary.step(start=True)
    for _ in range(generator.integers(7)):
        diary.step(0.2)
        diary.step(context=key)
        for _ in range(generator.integers(3)):
            diary.step()
        right = bool(generator.random() < 0.7)
        diary.step(1.0 if right else -1.0)
        choices.append(right)
    if generator.random() < 0.5 and len(choices) < 6:
        diary.step(0.2)
        diary.step(context=key)
    store = store and bool(choices)
    diary.step(store=store, context=key if store else None)
    return choices


def padded(diaries: list[Diary]) -> Lifetimes:
    """Lifetimes of different lengths; what comes after them is nonsense."""
    T = max(len(diary.reward) for diary in diaries) + 2

    def stack(field: str, fill: object) -> np.ndarray:
        rows = [getattr(diary, field) for diary in diaries]
        return np.array([row + [fill] * (T - len(row)) for row in rows])

    valid = np.array([np.arange(T) < len(diary.reward) for diary in diaries])
    observation = {
        "stimulus": np.zeros((*valid.shape, 5), np.float32),
        "context": stack("context", [1.0, 1.0, 1.0]).astype(np.float32),
        "episode_start": stack("start", True),
        "store": stack("store", True),
    }
    reward = stack("reward", 1.0).astype(np.float32)
    return Lifetimes(observation, np.zeros(valid.shape, np.int32), reward, valid)


def check(found: dict[str, Estimate], tally: dict[str, list[float]]) -> None:
    for name, values in tally.items():
        np.testing.assert_allclose(
            found[name].mean, np.mean(values), rtol=1e-6, err_msg=name
        )


@pytest.mark.parametrize("seed", [0, 1])
def test_made_up_behaviour(seed: int) -> None:
    lifetimes, tally = made_up(30, seed)
    found = metrics("episodic_harlow", lifetimes)
    assert set(found) == HARLOW | {name for name in tally if "exposure" in name}
    check(found, tally)
    assert {name for name in tally if "exposure" in name} >= {
        f"accuracy_trial_1_exposure_{n}" for n in (1, 2, 3, 4)
    }
    by_trial = metrics("harlow", lifetimes)
    assert set(by_trial) == HARLOW
    check(by_trial, {name: tally[name] for name in HARLOW})


def test_the_same_context_in_another_lifetime_is_another_pair() -> None:
    diaries = []
    for right in (1.0, -1.0):
        diary = Diary()
        diary.step(0.2, start=True)
        diary.step(right, context=(1.0, 1.0, 1.0))
        diaries.append(diary)
    found = metrics("episodic_harlow", padded(diaries))
    assert found["accuracy_trial_1_exposure_1"].mean == 0.5
    assert "accuracy_trial_1_exposure_2" not in found


def test_intervals_take_lifetimes_as_units() -> None:
    """Behaviour that depends on the lifetime alone: as many samples as lifetimes."""
    diaries = []
    for b in range(40):
        diary = Diary()
        for episode in range(10):
            diary.step(0.2, start=True)
            diary.step(1.0 if b % 2 else -1.0, context=(1.0, episode, 1.0))
        diaries.append(diary)
    low, high = metrics("episodic_harlow", padded(diaries))["accuracy_trial_1"].ci95
    # Wilson's interval of 20 in 40; 400 independent choices would give 0.45 to 0.55.
    np.testing.assert_allclose((low, high), (0.345, 0.655), atol=0.01)


def test_who_never_chooses_has_no_accuracy() -> None:
    diary = Diary()
    diary.step(0.2, start=True)
    found = metrics("episodic_harlow", padded([diary, diary]))
    assert set(found) == HARLOW
    assert all(math.isnan(found[name].mean) for name in ACCURACY)
    assert found["choices_per_episode"].mean == 0.0
    np.testing.assert_allclose(found["return"].mean, 0.2, rtol=1e-6)


def test_lifetimes_of_another_task_are_refused() -> None:
    lifetimes, _ = made_up(3, seed=0)
    with pytest.raises(UserError, match=r"reward 2\.0: a Harlow task pays"):
        metrics("harlow", lifetimes._replace(reward=2 * lifetimes.reward))
    blank = np.zeros_like(lifetimes.observation["context"])
    hidden = {**lifetimes.observation, "context": blank}
    with pytest.raises(UserError, match=r"before any context was shown"):
        metrics("episodic_harlow", lifetimes._replace(observation=hidden))


def test_players_of_the_real_task() -> None:
    task = tasks.make("harlow")
    optimal = metrics("harlow", play(task, "optimal", 400, seed=1))
    low, high = optimal["accuracy_trial_1"].ci95
    assert low < 0.5 < high
    assert high - low < 0.11
    assert all(optimal[name].mean == 1.0 for name in ACCURACY[1:])
    assert optimal["return"].ci95[0] < 6.2 < optimal["return"].ci95[1]
    assert optimal["choices_per_episode"].mean == 6.0
    random = metrics("harlow", play(task, "random", 400, seed=1))
    assert random["choices_per_episode"].mean < 2.0


def test_players_of_the_real_episodic_task() -> None:
    task = tasks.make("episodic_harlow", pairs=3, exposures=3)
    optimal = metrics("episodic_harlow", play(task, "optimal", 200, seed=1))
    assert set(optimal) == HARLOW | {
        f"accuracy_trial_1_exposure_{n}" for n in (1, 2, 3)
    }
    low, high = optimal["accuracy_trial_1_exposure_1"].ci95
    assert low < 0.5 < high
    for n in (2, 3):
        assert optimal[f"accuracy_trial_1_exposure_{n}"].mean == 1.0
    without = metrics("episodic_harlow", play(task, "incremental", 200, seed=1))
    for n in (1, 2, 3):
        low, high = without[f"accuracy_trial_1_exposure_{n}"].ci95
        assert low < 0.5 < high
    assert without["accuracy_trial_2"].mean == 1.0
