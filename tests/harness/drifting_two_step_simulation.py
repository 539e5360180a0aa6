"""The drifting two-step task once more, in plain NumPy, with Daw's hybrid learner.

Written from the rules and the paper's equations alone, sharing no code with
`kerasmeta`: input of known parameters for the fits, a second opinion on the players.
Daw et al. (2011), Neuron 69:1204; parameters are arrays with one entry per subject.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.lifetimes import Lifetimes

Generator = np.random.Generator


class Subjects(NamedTuple):
    """Parameters of `B` hybrid learners, each `[B]`; beta inf: takes the better."""

    alpha_1: np.ndarray
    alpha_2: np.ndarray
    trace: np.ndarray  # lambda
    beta_1: np.ndarray
    beta_2: np.ndarray
    weight: np.ndarray  # w: 1 plans, 0 is model-free
    perseveration: np.ndarray  # p


def alike(count: int, *parameters: float) -> Subjects:
    """Subjects that all have the same parameters, in the order of the fields."""
    return Subjects(*(np.full(count, value) for value in parameters))


class Walk:
    """Four chances a subject, uniform at first, in Gaussian steps between two walls."""

    def __init__(self, batch_size: int, rng: Generator, drift: float) -> None:
        self.rng, self.drift = rng, drift
        self.chances = rng.uniform(0.25, 0.75, size=(batch_size, 2, 2))

    def go_on(self) -> None:
        moved = self.chances + self.drift * self.rng.normal(size=self.chances.shape)
        self.chances = 0.25 + np.abs((moved - 0.25 + 0.5) % 1.0 - 0.5)  # a zigzag


def simulate(
    subjects: Subjects,
    trials: int,
    seed: int,
    common: float = 0.7,
    drift: float = 0.025,
    initial_value: float = 0.5,
) -> Lifetimes:
    """Behaviour of hybrid learners, two steps a trial, as an agent's would be recorded.

    The model-based value of a first choice is common max Q2(own state) + (1 - common)
    max Q2(other state); the model-free one is learned by SARSA(lambda).
    """
    rng = np.random.default_rng(seed)
    batch_size = len(subjects.weight)
    rows, walk = np.arange(batch_size), Walk(batch_size, rng, drift)
    first = np.full((batch_size, 2), initial_value)
    second = np.full((batch_size, 2, 2), initial_value)
    repeats = np.zeros((batch_size, 2))  # 1 at the last first choice
    stimulus = np.zeros((batch_size, 2 * trials, 7), np.float32)
    action = np.zeros((batch_size, 2 * trials), np.int32)
    reward = np.zeros((batch_size, 2 * trials), np.float32)
    for trial in range(trials):
        best = second.max(axis=2)
        planned = common * best + (1 - common) * best[:, ::-1]
        w, p = subjects.weight[:, None], subjects.perseveration[:, None]
        net = w * planned + (1 - w) * first + p * repeats
        a = choose(net, subjects.beta_1, rng)
        state = np.where(rng.random(batch_size) < common, a, 1 - a)
        b = choose(second[rows, state], subjects.beta_2, rng)
        paid = rng.random(batch_size) < walk.chances[rows, state, b]
        stimulus[:, 2 * trial, 0] = stimulus[rows, 2 * trial + 1, 1 + state] = 1
        if trial < trials - 1:
            stimulus[rows, 2 * trial + 2, 3 + 2 * state + b] = 1  # what was pulled
        action[:, 2 * trial], action[:, 2 * trial + 1] = a, b
        reward[:, 2 * trial + 1] = paid
        arrival = second[rows, state, b] - first[rows, a]
        outcome = paid - second[rows, state, b]
        first[rows, a] += subjects.alpha_1 * (arrival + subjects.trace * outcome)
        second[rows, state, b] += subjects.alpha_2 * outcome
        repeats[:] = 0
        repeats[rows, a] = 1
        walk.go_on()
    return _lifetimes(stimulus, action, reward)


def choose(values: np.ndarray, beta: np.ndarray, rng: Generator) -> np.ndarray:
    """Softmax choices `[B]` between two values `[B, 2]`."""
    lead = values[:, 1] - values[:, 0] + 1e-9 * rng.normal(size=len(values))
    with np.errstate(over="ignore"):
        return (rng.random(len(lead)) < 1 / (1 + np.exp(-beta * lead))).astype(int)


def _lifetimes(
    stimulus: np.ndarray, action: np.ndarray, reward: np.ndarray
) -> Lifetimes:
    def before(values: np.ndarray, at_first: int) -> np.ndarray:
        return np.concatenate([np.full_like(values[:, :1], at_first), values], axis=1)

    seen = {
        "stimulus": stimulus,
        "context": np.zeros((*action.shape, 1), np.float32),
        "episode_start": np.arange(action.shape[1]) == np.zeros((len(action), 1)),
        "store": np.zeros(action.shape, bool),
        "previous_action": before(action, -1)[:, :-1],
        "previous_reward": before(reward, 0)[:, :-1],
    }
    return Lifetimes(seen, action, reward, np.ones(action.shape, bool))
