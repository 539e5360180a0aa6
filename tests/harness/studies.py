"""Made-up studies: recordings with what was planted in them, without an agent."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasmeta.analysis import Recordings, Study, Subject
from kerasmeta.lifetimes import Lifetimes


def lifetimes(
    rng: np.random.Generator, batch: int, time: int, arms: int = 2
) -> Lifetimes:
    """Random choices that pay 1 half of the time; lifetimes end at different steps."""
    action = rng.integers(0, arms, [batch, time]).astype(np.int32)
    reward = (rng.random([batch, time]) < 0.5).astype(np.float32)
    length = rng.integers(time // 2, time, batch)
    valid = np.arange(time) < length[:, np.newaxis]
    start = np.zeros([batch, time], bool)
    start[:, 0] = True
    previous_action, previous_reward = _shifted(action, -1), _shifted(reward, 0.0)
    observation = {
        "stimulus": rng.normal(size=(batch, time, 3)).astype(np.float32),
        "context": np.zeros([batch, time, 1], np.float32),
        "episode_start": start,
        "store": np.zeros([batch, time], bool),
        "previous_action": previous_action,
        "previous_reward": previous_reward,
    }
    return Lifetimes(observation, action, reward * valid, valid)


def _shifted(values: np.ndarray, first: float) -> np.ndarray:
    """Each step's predecessor's value."""
    shifted = np.full_like(values, first)
    shifted[:, 1:] = values[:, :-1]
    return shifted


def recordings(
    rng: np.random.Generator,
    lived: Lifetimes,
    units: int = 6,
    gamma: float = 0.5,
    **changes: Any,
) -> Recordings:
    """Noise in every unit, but for the `signals` and `hidden_variables` given."""
    batch, time = lived.valid.shape

    def noise(*shape: int) -> np.ndarray:
        return rng.normal(size=(batch, time, *shape)).astype(np.float32)

    signals = {
        "hidden": noise(units),
        "cell": noise(units),
        "value": noise(),
        "reward_prediction_error": noise(),
        **changes.pop("signals", {}),
    }
    return Recordings(lived, signals, changes.pop("hidden_variables", {}), gamma)


def study(*recorded: Recordings, **changes: Any) -> Study:
    """A study of subjects with these recordings."""
    subjects = [
        Subject(f"agent seed {seed}", one.lifetimes, one)
        for seed, one in enumerate(recorded)
    ]
    fields: dict[str, Any] = {
        "agent": "toy/agent",
        "task": "toy",
        "parameters": {"arms": 2},
        "default_parameters": True,
        "trials_per_lifetime": 10,
        "subjects": subjects,
        **changes,
    }
    return Study(**fields)
