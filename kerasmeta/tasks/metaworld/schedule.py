"""What a lifetime in Meta-World consists of: pure functions of counters.

A lifetime is made of episodes of `horizon` steps each. In a plain family all of them
have the same task and goal; in a contextual one there are several goals, each with a
context, that come back in random order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kerasmeta.tasks.metaworld import names

GOALS = 50  # of each task on each side of a benchmark, as Meta-World has them
NUMBERS = {f"{task}{names.VERSION}": number for number, task in enumerate(names.TASKS)}


class Plan(NamedTuple):
    """One lifetime: `C` goals and `E` episodes."""

    tasks: tuple[str, ...]  # [C], the task of each goal
    goals: tuple[int, ...]  # [C], the goal's number among its task's
    order: np.ndarray  # [E] int, which of the C goals each episode has
    contexts: np.ndarray  # [C, K] float32 of +-1; zeros in a plain family


def plan(
    tasks: Sequence[str],
    goals: int,
    episodes: int,
    context_size: int,
    key: int,
    index: int,
    numbers: int = GOALS,
) -> Plan:
    """The lifetime that two counters name.

    Tasks take turns, so that a batch whose size is a multiple of their number has
    each equally often, and a row the same one in every batch; goals are drawn.

    Args:
        tasks: Of the benchmark.
        goals: `C`; with more than one, tasks that differ where there are enough.
        episodes: `E`, a multiple of `goals`.
        context_size: `K`; 0 for a plain family, which shows no context.
        key: Of the run and the stream.
        index: Counts the lifetimes of a stream.
        numbers: How many goals each task has.
    """
    random = np.random.default_rng([key, index])
    if goals == 1:
        chosen = [tasks[index % len(tasks)]]
        drawn = random.integers(numbers, size=1)
    elif len(tasks) >= goals:
        chosen = [tasks[n] for n in random.choice(len(tasks), goals, replace=False)]
        drawn = random.integers(numbers, size=goals)
    else:  # a goal twice would have two names
        chosen = [tasks[index % len(tasks)]] * goals
        drawn = random.choice(numbers, goals, replace=False)
    order = random.permutation(np.arange(episodes) % goals)
    contexts = codes(random, goals, context_size)
    return Plan(tuple(chosen), tuple(drawn.tolist()), order, contexts)


def codes(random: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Distinct contexts of +-1, float32 `[count, size]`; `[count, 1]` zeros for 0."""
    if size == 0:
        return np.zeros([count, 1], np.float32)
    numbers: set[int] = set()
    while len(numbers) < count:
        numbers.add(int(random.integers(2**size)))
    drawn = random.permutation(sorted(numbers))
    bits = drawn[:, None] >> np.arange(size) & 1
    return (2.0 * bits - 1.0).astype(np.float32)


class Schedule(NamedTuple):
    """What is known beforehand of a batch of lifetimes; time includes the last step."""

    context: np.ndarray  # [B, T + 1, K] float32
    episode_start: np.ndarray  # [B, T + 1] bool
    store: np.ndarray  # [B, T + 1] bool
    task: np.ndarray  # [B, T + 1, 50] float32, 1 for the one of `names.TASKS`
    first: np.ndarray  # [B, T + 1] bool, in the first episode with a goal


def schedule(plans: Sequence[Plan], horizon: int) -> Schedule:
    """Contexts, flags and tasks of a batch.

    A contextual family shows an episode's context in its first step, a cue that lets
    what was known come back, and in its last one, in which the agent knows most and is
    asked to store it. (Shown throughout, a memory is added to the cell in every step.)
    The step after a lifetime's end shows neither a context nor the start of an episode.
    """
    shown = np.stack([plan.contexts[plan.order] for plan in plans])  # [B, E, K]
    context = np.repeat(shown, horizon, axis=1)
    context = np.concatenate([context, np.zeros_like(context[:, :1])], axis=1)
    time = np.arange(context.shape[1])
    inside = np.broadcast_to(time < time[-1], context.shape[:2])
    start = inside & (time % horizon == 0)
    last = inside & (time % horizon == horizon - 1)
    context = np.where((start | last)[..., None], context, 0.0).astype(np.float32)
    lived = [[NUMBERS[plan.tasks[goal]] for goal in plan.order] for plan in plans]
    task = np.repeat(np.eye(len(NUMBERS), dtype=np.float32)[lived], horizon, axis=1)
    task = np.concatenate([task, task[:, -1:]], axis=1)
    first = np.stack([first_exposures(plan.order) for plan in plans])
    first = np.repeat(first, horizon, axis=1)
    first = np.concatenate([first, first[:, -1:]], axis=1)
    return Schedule(context, start, last & context.any(axis=-1), task, first)


def first_exposures(order: np.ndarray) -> np.ndarray:
    """Which of `[E]` episodes are the first with their goal, bool `[E]`."""
    return np.isin(np.arange(len(order)), np.unique(order, return_index=True)[1])
