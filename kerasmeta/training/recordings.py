"""Recordings: what goes on inside an agent while it lives.

recorded = recordings.record(agent, task, lifetimes=20)
recorded.signals["hidden"]                       # [B, T, units]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.analysis import Recordings
from kerasmeta.analysis.recordings.signals import reward_prediction_errors
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.gymnasium.play import joined
from kerasmeta.tasks.revealed import RevealedTask, has_hidden_variables, taken_out
from kerasmeta.training.collect import EVALUATION_STREAM, make_collector, to_lifetimes
from kerasmeta.training.evaluation import (
    check_extent,
    check_fit,
    chunk_of,
    collecting,
)


def record(
    agent: EpisodicAgent,
    task: Task,
    lifetimes: int = 100,
    seed: int = 0,
    gamma: float | None = None,
    held_out: bool = True,
) -> Recordings:
    """Records everything inside an agent through fresh lifetimes.

    They are the lifetimes of `evaluate` with the same number and seed, action by
    action.

    Args:
        agent: The agent, its weights frozen here. It may be lesioned.
        task: What it lives in.
        lifetimes: `B`, how many.
        seed: The same seed gives the same recordings.
        gamma: Discount per step of the reward prediction error; by default the one a
            published agent was trained with.
        held_out: False: `task` as it is, with the objects of training.

    Raises:
        UserError: The agent does not fit the task, a number is out of range, or
            `gamma` is not known.
    """
    gamma = gamma_of(agent) if gamma is None else gamma
    check_extent(lifetimes, seed)
    task = task.held_out() if held_out else task
    check_fit(agent, task)
    size = min(lifetimes, chunk_of(task))
    shown = RevealedTask(task) if has_hidden_variables(task) else task
    collect = collecting(make_collector(shown, size, agent, record=True))
    chunks = []
    for index in range(-(-lifetimes // size)):
        experience = collect(seed, tf.constant(index), EVALUATION_STREAM)
        chunks.append(_parts(experience, gamma))
    recorded, signals, hidden = joined(chunks, lifetimes)
    return Recordings(recorded, signals, hidden, gamma)


def gamma_of(agent: EpisodicAgent) -> float:
    """The discount a published agent was trained with.

    Raises:
        UserError: The agent has no card, so that nothing is known of its training.
    """
    if agent.card is None:
        raise UserError(
            "gamma",
            None,
            "is not known of an agent without a card",
            "give the discount it was trained with (trpo.gamma in its config.json)",
        )
    return float(agent.card.manifest.provenance.config["trpo"]["gamma"])


def _parts(experience: Any, gamma: float) -> tuple[Any, Any, Any]:
    """(lifetimes, signals, hidden variables) of a `Trajectory`, as NumPy arrays."""
    lifetimes, hidden = taken_out(to_lifetimes(experience))
    signals = {k: np.asarray(v) for k, v in experience.policy_info["signals"].items()}
    signals["reward_prediction_error"] = reward_prediction_errors(
        signals["value"], lifetimes.reward, lifetimes.valid, gamma
    )
    return lifetimes, signals, hidden
