"""Slow, naive versions of the arithmetic, written from the equations in NumPy.

Loops over rows, units and entries on purpose: they share no code, no shapes and no
tricks with the library.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def ep_lstm_step(
    x: np.ndarray,
    m: np.ndarray | None,
    h: np.ndarray,
    c: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray,
    activation: Callable[[float], float] = math.tanh,
) -> tuple[np.ndarray, np.ndarray]:
    """One step of one lifetime, unit by unit. Gate order i, f, o, (r,) g."""
    units = len(h)
    names = "ifog" if m is None else "iforg"
    new_h, new_c = np.zeros(units), np.zeros(units)
    for unit in range(units):
        gate = {}
        for position, name in enumerate(names):
            column = position * units + unit
            drive = bias[column]
            drive += sum(x[f] * kernel[f, column] for f in range(len(x)))
            drive += sum(h[u] * recurrent_kernel[u, column] for u in range(units))
            gate[name] = math.tanh(drive) if name == "g" else sigmoid(drive)
        new_c[unit] = gate["i"] * gate["g"] + gate["f"] * c[unit]
        if m is not None:
            new_c[unit] += gate["r"] * activation(m[unit])
        new_h[unit] = gate["o"] * math.tanh(new_c[unit])
    return new_h, new_c


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    if not a.any() or not b.any():
        return 0.0
    return float(np.dot(a, b) / (math.sqrt(np.dot(a, a)) * math.sqrt(np.dot(b, b))))


@dataclasses.dataclass
class Entry:
    """One (context, cell state) pair and when it was last touched."""

    key: np.ndarray
    value: np.ndarray
    used: int


class ListMemory:
    """The episodic memory of one lifetime as a Python list, oldest entry first."""

    def __init__(
        self,
        capacity: int,
        units: int,
        read: str = "nearest",
        num_neighbors: int = 5,
        temperature: float = 0.1,
        min_similarity: float = -1.0,
        eviction: str = "oldest",
        overwrite: bool = True,
    ) -> None:
        self.capacity, self.units = capacity, units
        self.read_kind, self.num_neighbors = read, num_neighbors
        self.temperature, self.min_similarity = temperature, min_similarity
        self.eviction, self.overwrite = eviction, overwrite
        self.entries: list[Entry] = []
        self.now = 0

    def write(self, key: np.ndarray, value: np.ndarray) -> None:
        self.now += 1
        equal = [entry for entry in self.entries if np.array_equal(entry.key, key)]
        if self.overwrite and equal:
            self._drop(equal[-1])
        elif len(self.entries) == self.capacity:
            victim = self.entries[0]
            if self.eviction == "least_recently_used":
                victim = min(self.entries, key=lambda entry: entry.used)
            self._drop(victim)
        self.entries.append(Entry(key.copy(), value.copy(), self.now))

    def _drop(self, victim: Entry) -> None:
        self.entries = [entry for entry in self.entries if entry is not victim]

    def read(self, query: np.ndarray) -> np.ndarray:
        nothing = np.zeros(self.units)
        if not query.any() or not self.entries:
            return nothing
        best = self.entries[-1]
        for entry in reversed(self.entries):  # newest first: it wins a tie
            if cosine(entry.key, query) > cosine(best.key, query) + 1e-9:
                best = entry
        if cosine(best.key, query) < self.min_similarity - 1e-9:
            return nothing
        self.now += 1
        best.used = self.now
        if self.read_kind == "nearest":
            return best.value
        pairs = self._weighted(query)
        total = sum(weight for weight, _ in pairs)
        return sum((weight / total * value for weight, value in pairs), start=nothing)

    def _weighted(self, query: np.ndarray) -> list[tuple[float, np.ndarray]]:
        if self.read_kind == "softmax":
            return [
                (math.exp(cosine(entry.key, query) / self.temperature), entry.value)
                for entry in self.entries
            ]
        newest_first = list(reversed(self.entries))
        distance = [float(np.sum((e.key - query) ** 2)) for e in newest_first]
        order = sorted(range(len(distance)), key=lambda n: distance[n])  # stable
        nearest = order[: self.num_neighbors]
        return [(1.0 / (distance[n] + 1e-3), newest_first[n].value) for n in nearest]


def generalized_advantages(
    rewards: Any, discounts: Any, values: Any, valid: Any, gamma: float, lam: float
) -> np.ndarray:
    """GAE of one row, by the double sum of Schulman et al. (2016), equation 16.

    A_t = Σ_l (Π_{k<l} γ λ d_{t+k}) δ_{t+l},  δ_t = r_t + γ d_t V_{t+1} - V_t

    The sum stops at the end of the lifetime (the first step that is not valid).
    `discounts` are the environment's, of the step that follows.
    """
    steps = len(rewards)
    advantages = np.zeros(steps)
    for t in range(steps):
        factor = 1.0
        for u in range(t, steps):
            if not valid[u]:
                break
            following = values[u + 1] if u + 1 < steps else 0.0
            delta = rewards[u] + gamma * discounts[u] * following - values[u]
            advantages[t] += factor * delta
            factor *= gamma * lam * discounts[u]
    return advantages
