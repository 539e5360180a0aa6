"""The two-step task as a Gymnasium environment, for peers that want one."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np


class TwoStepEnv(gymnasium.Env):
    """The task of `kerasmeta.tasks.TwoStep`; an episode is a lifetime of 100 trials.

    Observation `[6]`: one-hot of the state reached (none, S1, S2), one-hot of the
    previous action, previous reward: the features our agents see.
    """

    def __init__(self, trials: int = 100) -> None:
        self.trials = trials
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (6,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.trial = 0
        self.good = int(self.np_random.integers(2))
        observation = np.zeros(6, np.float32)
        observation[0] = 1.0
        return observation, {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        to_state, to_reward, to_reversal = self.np_random.random(3)
        reached = int(action) if to_state < 0.8 else 1 - int(action)
        reward = float(to_reward < (0.9 if reached == self.good else 0.1))
        if to_reversal < 0.025:
            self.good = 1 - self.good
        self.trial += 1
        observation = np.zeros(6, np.float32)
        observation[1 + reached] = observation[3 + int(action)] = 1.0
        observation[5] = reward
        return observation, reward, self.trial >= self.trials, False, {}
