"""How an agent does with more and more of its units silenced: what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.analysis import Estimate, metrics
from kerasmeta.analysis.estimates import UNKNOWN
from kerasmeta.analysis.headline import headline
from kerasmeta.analysis.lesions.dose_response import (
    FRACTIONS,
    OPEN_FIRST,
    RANDOM,
    Dose,
    units_to_silence,
)
from kerasmeta.analysis.lesions.gate_openness import most_open_first
from kerasmeta.tasks.base import Task
from kerasmeta.training.collect import EVALUATION_STREAM, make_collector, to_lifetimes
from kerasmeta.training.evaluation import check_extent, check_fit, chunk_of, collecting
from kerasmeta.training.lesions import measure_gates

REPEATS = 5  # random orders
LIFETIMES = 200  # of every dose, at most


class SilencingAgent(EpisodicAgent):
    """An agent whose silenced units change between lifetimes.

    A lesioned agent is a program of its own, which takes seconds to compile. This one
    is compiled once for all doses: what is silenced is a variable.

    Args:
        agent: Whose weights it shares.
    """

    def __init__(self, agent: EpisodicAgent) -> None:
        specs = agent.observation_spec, agent.action_spec
        super().__init__(*specs, agent.config, networks=agent.networks)
        self._kept = tf.Variable(tf.ones([agent.config.units]), trainable=False)

    @property
    def kept_units(self) -> Any:
        return self._kept

    def silence(self, units: tuple[int, ...]) -> None:
        """Silences these units and no others."""
        kept = np.ones(self.config.units, np.float32)
        kept[list(units)] = 0.0
        self._kept.assign(kept)


def record_doses(
    agent: EpisodicAgent,
    task: Task,
    lifetimes: int = LIFETIMES,
    seed: int = 0,
    repeats: int = REPEATS,
) -> dict[str, Dose]:
    """Silences fractions of the units in several orders, and measures performance.

    It is unknown where an agent no longer does what is measured, say, choose.

    Every dose sees the same lifetimes, of `task.held_out()`. What is measured is the
    family's first headline metric.

    Args:
        agent: The intact agent.
        task: What it was trained on.
        lifetimes: Of each dose; more than `LIFETIMES` are not needed.
        seed: Of the lifetimes and of the random orders.
        repeats: Random orders.

    Raises:
        UserError: The agent does not fit the task, or `lifetimes` is not positive.
    """
    check_extent(lifetimes, seed)
    shown = task.held_out()
    check_fit(agent, shown)
    silencing = SilencingAgent(agent)
    size = min(lifetimes, LIFETIMES, chunk_of(shown))
    collect = collecting(make_collector(shown, size, silencing))
    known: dict[tuple[int, ...], Estimate] = {}

    def performance(units: tuple[int, ...]) -> Estimate:
        if units not in known:
            silencing.silence(units)
            lived = to_lifetimes(collect(seed, tf.constant(0), EVALUATION_STREAM))
            found = metrics(task.name, lived)
            known[units] = found.get(headline(task.name)[0], UNKNOWN)
        return known[units]

    return {
        f"{name} {repeat}, {fraction:.3f}": Dose(
            name, repeat, fraction, performance(units_to_silence(order, fraction))
        )
        for name, repeat, order in _orders(agent, task, seed, repeats)
        for fraction in FRACTIONS
    }


def _orders(
    agent: EpisodicAgent, task: Task, seed: int, repeats: int
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Orders of all units: (name, repeat, units int `[H]`)."""
    rng = np.random.default_rng(seed)
    for repeat in range(repeats):
        yield RANDOM, repeat, rng.permutation(agent.config.units)
    if agent.config.has_memory and task.contexts_per_lifetime:
        yield OPEN_FIRST, 0, most_open_first(measure_gates(agent, task))
