"""The two-step tasks once more, in plain NumPy, with choosers whose behaviour is known.

Written from the rules alone and sharing no code with `kerasmeta.tasks`, so that it can
serve as input for the analysis tests and as a cross-check of the real tasks. All
arrays are batch-first; a chooser sees exactly what an agent sees.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasmeta.lifetimes import Lifetimes

Observation = dict[str, np.ndarray]
Generator = np.random.Generator

# Trial types in the order of the metric names: (common transition, rewarded).
TRIAL_TYPES = {
    "common_rewarded": (True, True),
    "uncommon_rewarded": (False, True),
    "common_unrewarded": (True, False),
    "uncommon_unrewarded": (False, False),
}


class World:
    """The hidden part: which second-stage state is good, and its slow reversals."""

    def __init__(
        self,
        batch_size: int,
        rng: Generator,
        common: float,
        reward: float,
        hazard: float,
    ) -> None:
        self.rng = rng
        self.batch_size = batch_size
        self.common, self.reward, self.hazard = common, reward, hazard
        self.good_state = rng.integers(2, size=batch_size)  # [B]

    def trial(self, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One trial: (state reached, reward of a fresh draw), [B] each."""
        uniform = self.rng.random((3, self.batch_size))
        self.good_state ^= uniform[0] < self.hazard
        state = np.where(uniform[1] < self.common, action, 1 - action)
        chance = np.where(state == self.good_state, self.reward, 1 - self.reward)
        return state, (uniform[2] < chance).astype(np.float32)


class Recorder:
    """Builds observations, keeps them, and returns them as `Lifetimes`."""

    def __init__(self, batch_size: int, stimulus_size: int, context_size: int) -> None:
        self.steps: list[tuple[Observation, np.ndarray, np.ndarray]] = []
        self.sizes = (batch_size, stimulus_size, context_size)
        self.last = (np.zeros(batch_size, np.int32), np.zeros(batch_size, np.float32))

    def observation(
        self,
        state: np.ndarray | None,
        context: np.ndarray | None = None,
        store: bool = False,
        cue: bool = False,
    ) -> Observation:
        batch_size, stimulus_size, context_size = self.sizes
        stimulus = np.zeros((batch_size, stimulus_size), np.float32)
        stimulus[np.arange(batch_size), 0 if state is None else 1 + state] = 1
        if cue:
            stimulus[:, 3] = 1
        if context is None:
            context = np.zeros((batch_size, context_size))
        return {
            "stimulus": stimulus,
            "context": context.astype(np.float32),
            "previous_action": self.last[0],
            "previous_reward": self.last[1],
            "episode_start": np.full(batch_size, not self.steps),
            "store": np.full(batch_size, store),
        }

    def record(self, seen: Observation, action: np.ndarray, reward: np.ndarray) -> None:
        self.last = (action.astype(np.int32), reward.astype(np.float32))
        self.steps.append((seen, *self.last))

    def lifetimes(self) -> Lifetimes:
        seen, action, reward = zip(*self.steps, strict=True)
        observation = {k: np.stack([s[k] for s in seen], axis=1) for k in seen[0]}
        valid = np.ones((self.sizes[0], len(self.steps)), bool)
        return Lifetimes(
            observation, np.stack(action, axis=1), np.stack(reward, axis=1), valid
        )


def two_step(
    chooser: Any,
    batch_size: int,
    seed: int,
    trials: int = 100,
    common: float = 0.8,
    reward: float = 0.9,
    hazard: float = 0.025,
) -> Lifetimes:
    """Lifetimes of the two-step task (Wang et al. 2018), one step a trial."""
    rng = np.random.default_rng(seed)
    world = World(batch_size, rng, common, reward, hazard)
    recorder = Recorder(batch_size, stimulus_size=3, context_size=1)
    chooser.reset(batch_size, rng)
    state = None
    for _ in range(trials):
        seen = recorder.observation(state)
        action = chooser.choose(seen)
        state, paid = world.trial(action)
        recorder.record(seen, action, paid)
    return recorder.lifetimes()


def episodic_two_step(
    chooser: Any,
    batch_size: int,
    seed: int,
    half: int = 50,
    common: float = 0.9,
    reward: float = 0.9,
    hazard: float = 0.1,
    context_size: int = 10,
) -> Lifetimes:
    """Lifetimes of the contextual two-step task: uncued half, a pause, cued half."""
    rng = np.random.default_rng(seed)
    world = World(batch_size, rng, common, reward, hazard)
    recorder = Recorder(batch_size, stimulus_size=4, context_size=context_size)
    contexts = _distinct_contexts(batch_size, half, context_size, rng)  # [B, half, K]
    chooser.reset(batch_size, rng)
    state, past = None, []
    for t in range(half + 1):  # the step after the last uncued trial is the pause
        context = contexts[:, t - 1] if t else None
        seen = recorder.observation(state, context, store=t > 0)
        action = chooser.choose(seen)
        if t == half:
            recorder.record(seen, action, np.zeros(batch_size))
            break
        state, paid = world.trial(action)
        past.append((state, paid))
        recorder.record(seen, action, paid)
    old_state, old_reward = (np.stack(x, axis=1) for x in zip(*past, strict=True))
    rows, state = np.arange(batch_size), None
    for t in range(half):
        low, high = (0, half // 2) if t < half // 2 else (half // 2, half)
        cue = rng.integers(low, high, size=batch_size)
        seen = recorder.observation(state, contexts[rows, cue], cue=True)
        action = chooser.choose(seen)
        state, paid = world.trial(action)
        paid = np.where(state == old_state[rows, cue], old_reward[rows, cue], paid)
        recorder.record(seen, action, paid)
    return recorder.lifetimes()


def _distinct_contexts(
    batch_size: int, count: int, size: int, rng: Generator
) -> np.ndarray:
    codes = np.argsort(rng.random((batch_size, 2**size)), axis=1)[:, :count]
    return 2.0 * ((codes[..., np.newaxis] >> np.arange(size)) & 1) - 1


class RandomChooser:
    """Tosses a coin. `bias` is the chance of action 1."""

    def __init__(self, bias: float = 0.5) -> None:
        self.bias = bias

    def reset(self, batch_size: int, rng: Generator) -> None:
        self.rng = rng

    def choose(self, seen: Observation) -> np.ndarray:
        return (self.rng.random(len(seen["store"])) < self.bias).astype(int)


def _last_trial(seen: Observation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(was there one, transition was common, was rewarded), [B] bool each."""
    state = seen["stimulus"][:, 1:3].argmax(axis=1)
    there_was = seen["stimulus"][:, 1:3].any(axis=1)
    return there_was, state == seen["previous_action"], seen["previous_reward"] > 0


class TableChooser:
    """Repeats with a given probability for each trial type.

    Args:
        stay: P(repeat the last action) by trial type of the last trial.
        repeat: P(repeat the cued past trial's action) by that trial's type; the cued
          half follows `stay` where None.
        spread: Every lifetime has its own tables: the given ones plus a uniform draw
          from [-spread, spread], so that trials of one lifetime are correlated.
    """

    def __init__(
        self,
        stay: dict[str, float],
        repeat: dict[str, float] | None = None,
        spread: float = 0.0,
    ) -> None:
        self.stay, self.repeat, self.spread = stay, repeat, spread

    def reset(self, batch_size: int, rng: Generator) -> None:
        self.rng = rng
        self.shift = rng.uniform(-self.spread, self.spread, size=batch_size)
        self.memory: list[tuple[np.ndarray, ...]] = []

    def choose(self, seen: Observation) -> np.ndarray:
        if seen["store"].all():
            there_was, common, rewarded = _last_trial(seen)
            action = seen["previous_action"]
            self.memory.append((seen["context"], action, common, rewarded))
        if self.repeat is not None and seen["stimulus"].shape[1] > 3:
            cued = seen["stimulus"][:, 3] > 0
            if cued.all():
                return self._draw(self.repeat, *self._recall(seen["context"]))
        there_was, common, rewarded = _last_trial(seen)
        action = self._draw(self.stay, seen["previous_action"], common, rewarded)
        return np.where(there_was, action, self.rng.integers(2, size=len(action)))

    def _recall(self, context: np.ndarray) -> tuple[np.ndarray, ...]:
        keys, *values = (np.stack(x, axis=1) for x in zip(*self.memory, strict=True))
        slot = (keys == context[:, np.newaxis]).all(axis=2).argmax(axis=1)  # [B]
        action, common, rewarded = (v[np.arange(len(slot)), slot] for v in values)
        return action, common, rewarded

    def _draw(
        self,
        table: dict[str, float],
        action: np.ndarray,
        common: np.ndarray,
        rewarded: np.ndarray,
    ) -> np.ndarray:
        chance = np.zeros(len(action))
        for name, (is_common, is_rewarded) in TRIAL_TYPES.items():
            rows = (common == is_common) & (rewarded == is_rewarded)
            chance[rows] = table[name]
        repeats = self.rng.random(len(action)) < chance + self.shift
        return np.where(repeats, action, 1 - action)


class ModelFreeChooser:
    """Learns one value per action from reward alone, blind to the state reached."""

    def __init__(self, learning_rate: float = 0.5, inverse_temperature: float = 5.0):
        self.learning_rate = learning_rate
        self.inverse_temperature = inverse_temperature

    def reset(self, batch_size: int, rng: Generator) -> None:
        self.rng = rng
        self.values = np.full((batch_size, 2), 0.5)

    def choose(self, seen: Observation) -> np.ndarray:
        there_was, _, _ = _last_trial(seen)
        rows, action = np.nonzero(there_was)[0], seen["previous_action"][there_was]
        error = seen["previous_reward"][there_was] - self.values[rows, action]
        self.values[rows, action] += self.learning_rate * error
        advantage = self.values[:, 1] - self.values[:, 0]
        chance = 1 / (1 + np.exp(-self.inverse_temperature * advantage))
        return (self.rng.random(len(chance)) < chance).astype(int)


class OptimalChooser:
    """Exact belief over the good state, and perfect memory of the cued past trial.

    Args:
        memory: Whether it uses the cue.
        lapse: Chance of a coin toss instead of the best action.
    """

    def __init__(
        self,
        common: float,
        reward: float,
        hazard: float,
        memory: bool = True,
        lapse: float = 0.0,
    ) -> None:
        self.common, self.reward, self.hazard = common, reward, hazard
        self.memory, self.lapse = memory, lapse

    def reset(self, batch_size: int, rng: Generator) -> None:
        self.rng = rng
        self.belief = np.full(batch_size, 0.5)  # P(state S2 is good), [B]
        self.events: list[tuple[np.ndarray, ...]] = []
        self.copied = np.zeros((batch_size, 2), bool)  # per state: reward was a copy

    def choose(self, seen: Observation) -> np.ndarray:
        self._update(seen)
        if seen["store"].all():
            state = seen["stimulus"][:, 1:3].argmax(axis=1)
            self.events.append((seen["context"], state, seen["previous_reward"]))
        good = (1 - self.hazard) * self.belief + self.hazard * (1 - self.belief)
        value = np.stack([1 - good, good], axis=1)  # P(state is good), [B, 2]
        value = value * self.reward + (1 - value) * (1 - self.reward)
        self.copied[:] = False
        if self.memory and seen["stimulus"].shape[1] > 3 and seen["stimulus"][0, 3]:
            state, reward = self._recall(seen["context"])
            rows = np.arange(len(state))
            value[rows, state] = reward
            self.copied[rows, state] = True
        advantage = value[:, 1] - value[:, 0] + 1e-9 * self.rng.normal(size=len(value))
        coin = self.rng.random((2, len(value)))
        return np.where(coin[0] < self.lapse, coin[1] < 0.5, advantage > 0).astype(int)

    def _update(self, seen: Observation) -> None:
        there_was, _, rewarded = _last_trial(seen)
        state = seen["stimulus"][:, 1:3].argmax(axis=1)
        informative = ~self.copied[np.arange(len(state)), state]
        prior = (1 - self.hazard) * self.belief + self.hazard * (1 - self.belief)
        says_s2 = (state == 1) == rewarded
        likelihood = np.where(says_s2, self.reward, 1 - self.reward)
        posterior = likelihood * prior
        posterior /= posterior + (1 - likelihood) * (1 - prior)
        posterior = np.where(informative, posterior, prior)
        self.belief = np.where(there_was, posterior, self.belief)

    def _recall(self, context: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keys, states, rewards = (
            np.stack(x, axis=1) for x in zip(*self.events, strict=True)
        )
        slot = (keys == context[:, np.newaxis]).all(axis=2).argmax(axis=1)  # [B]
        rows = np.arange(len(slot))
        return states[rows, slot], rewards[rows, slot]
