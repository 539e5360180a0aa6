"""Small Gymnasium environments, registered as `kerasmeta_test/...`."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

Seen = tuple[Any, dict[str, Any]]
Step = tuple[Any, float, bool, bool, dict[str, Any]]


class Match(gymnasium.Env[Any, Any]):
    """Shows one of three symbols; pays 1 where the action is the symbol, ten times.

    The optimal return is 10, chance 10 / 3. Symbols and actions begin at 2.
    """

    observation_space = spaces.Discrete(3, start=2)
    action_space = spaces.Discrete(3, start=2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Seen:
        super().reset(seed=seed)
        self.left = 10
        return self._show(), {}

    def step(self, action: Any) -> Step:
        assert action in self.action_space, action
        reward = float(action == self.shown)
        self.left -= 1
        return self._show(), reward, self.left == 0, False, {}

    def _show(self) -> int:
        self.shown = int(self.np_random.integers(2, 5))
        return self.shown


class Target(gymnasium.Env[Any, Any]):
    """Pays minus the squared distance of the action from the target shown, ten times.

    The optimal return is 0. Actions are from -3 to 1; targets are within.
    """

    observation_space = spaces.Box(-100.0, 100.0, (1,), np.float64)
    action_space = spaces.Box(-3.0, 1.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Seen:
        super().reset(seed=seed)
        self.left = 10
        return self._show(), {}

    def step(self, action: Any) -> Step:
        assert action in self.action_space, action
        reward = -float((action[0] - self.target) ** 2)
        self.left -= 1
        return self._show(), reward, self.left == 0, False, {}

    def _show(self) -> np.ndarray:
        self.target = self.np_random.uniform(-2.5, 0.5)
        return np.array([40.0 * self.target])


class Counter(gymnasium.Env[Any, Any]):
    """Counts its steps and pays 1 for each; ends after `length` of them.

    With `length` 0 the seed draws 1 to 6 in each episode.
    """

    observation_space = spaces.Box(0.0, 1000.0, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, length: int = 3, truncates: bool = False) -> None:
        self.length, self.truncates = length, truncates

    def reset(self, *, seed: int | None = None, options: Any = None) -> Seen:
        super().reset(seed=seed)
        self.steps = 0
        self.end = self.length or int(self.np_random.integers(1, 7))
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Step:
        self.steps += 1
        ended = self.steps == self.end
        observation = np.array([self.steps], np.float32)
        terminated = ended and not self.truncates
        return observation, 1.0, terminated, ended and self.truncates, {}


class Spaces(gymnasium.Env[Any, Any]):
    """Whatever spaces are asked for; shows and takes samples of them."""

    def __init__(self, observations: str = "box", actions: str = "discrete") -> None:
        self.observation_space = SPACES[observations]
        self.action_space = SPACES[actions]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Seen:
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(1000)))
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Step:
        assert action in self.action_space, action
        return self.observation_space.sample(), 0.5, False, False, {}


class NotFinite(Counter):
    """Its third observation is NaN."""

    def step(self, action: Any) -> Step:
        observation, *rest = super().step(action)
        return observation * (np.nan if self.steps == 2 else 1.0), *rest


SPACES: dict[str, spaces.Space[Any]] = {
    "box": spaces.Box(-1.0, 1.0, (2, 3), np.float64),
    "scalar": spaces.Box(-2.0, 6.0, (), np.float32),
    "unbounded": spaces.Box(-np.inf, np.inf, (2,), np.float32),
    "half": spaces.Box(
        np.array([0.0, -np.inf], np.float32), np.array([np.inf, 5.0], np.float32)
    ),
    "whole": spaces.Box(-3, 3, (2,), np.int64),
    "image": spaces.Box(0, 255, (8, 6, 3), np.uint8),
    "discrete": spaces.Discrete(4, start=-1),
    "dict": spaces.Dict(
        {
            "z": spaces.Discrete(3, start=5),
            "a": spaces.Box(-1.0, 1.0, (2, 2), np.float32),
            "m": spaces.Dict({"q": spaces.Discrete(2), "b": spaces.Box(0, 9, (1,))}),
        }
    ),
    "tuple": spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)]),
    "multidiscrete": spaces.MultiDiscrete([2, 3]),
    "text": spaces.Text(5),
    "dict of text": spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Text(5)}),
    "empty": spaces.Box(0.0, 1.0, (0,)),
}


def needs_package(**_: Any) -> Any:
    """An entry point whose package is not there."""
    raise gymnasium.error.DependencyNotInstalled(
        "Frobnicator is not installed, run `pip install frobnicator`."
    )


def register() -> None:
    """Adds them to Gymnasium's registry, once."""
    classes: dict[str, Any] = {
        "Match-v0": Match,
        "Target-v0": Target,
        "Counter-v0": Counter,
        "Spaces-v0": Spaces,
        "NotFinite-v0": NotFinite,
        "NeedsPackage-v0": needs_package,
    }
    for name, entry_point in classes.items():
        id = f"kerasmeta_test/{name}"
        if id not in gymnasium.registry:
            gymnasium.register(id=id, entry_point=entry_point)
    limited = "kerasmeta_test/Limited-v0"
    if limited not in gymnasium.registry:
        gymnasium.register(
            id=limited,
            entry_point=Counter,
            kwargs={"length": 100},
            max_episode_steps=4,
            reward_threshold=3.5,
        )


register()
