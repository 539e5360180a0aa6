"""Lesions that have to be measured first: the units whose gates are open."""

from __future__ import annotations

import dataclasses

import numpy as np

from kerasmeta.agents import EpisodicAgent
from kerasmeta.analysis.lesions.gate_openness import gate_openness, open_units
from kerasmeta.errors import UserError
from kerasmeta.lesions import Lesion
from kerasmeta.tasks.base import Task
from kerasmeta.training.recordings import record

# So many steps, in whole lifetimes, tell a mean gate to about 0.01.
RECORDED_STEPS = 20_000
# Of the lifetimes in which gates are measured. Evaluation's default seed is another:
# units are not chosen by the lifetimes that then show what they were good for.
SEED = 2**30 - 1


def resolve(lesion: Lesion, agent: EpisodicAgent, task: Task) -> Lesion:
    """The lesion with the units whose gates are open by their numbers.

    A lesion that is not `gate_open` is returned as it is. Otherwise the intact agent
    lives through fresh lifetimes of `task.held_out()`, and the units with a mean
    reinstatement gate of at least the threshold, over the steps that retrieved
    something, are silenced.

    Raises:
        UserError: The agent has no memory, its task shows no contexts, or no unit's
            gate is that open.
    """
    lesion.check(agent.config.units, agent.config.has_memory)
    if lesion.gate_open is None:
        return lesion
    if not task.contexts_per_lifetime:
        raise UserError(
            "lesion",
            str(lesion),
            f"nothing is ever retrieved in {task.name}, which shows no contexts",
            "lesion an agent of an episodic task",
        )
    openness = measure_gates(agent, task)
    units = open_units(openness, lesion.gate_open)
    if not units:
        raise UserError(
            "lesion",
            str(lesion),
            "no unit's gate is that open",
            f"give a threshold of at most {np.floor(openness.max() * 1000) / 1000:g}",
        )
    units = tuple(sorted({*units, *lesion.units}))
    return dataclasses.replace(lesion, gate_open=None, units=units)


def measure_gates(agent: EpisodicAgent, task: Task, seed: int = SEED) -> np.ndarray:
    """r*, each unit's mean reinstatement gate over steps that read memory, `[H]`."""
    intact = agent.lesioned(None)
    recorded = record(intact, task, lifetimes_for(task), seed, gamma=0.0)
    return gate_openness(recorded)


def lifetimes_for(task: Task) -> int:
    """How many lifetimes have about `RECORDED_STEPS` steps."""
    return max(1, RECORDED_STEPS // task.lifetime_steps)
