"""Evaluation: frozen weights on fresh lifetimes, beside the reference players."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.analysis import Estimate, metrics, published
from kerasmeta.analysis.published import Published
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.gymnasium.play import SIDE_BY_SIDE, joined
from kerasmeta.tasks.gymnasium.task import GymnasiumTask
from kerasmeta.tasks.metaworld.task import MetaWorld
from kerasmeta.tasks.observation import full_observation_spec
from kerasmeta.tasks.play import play
from kerasmeta.tasks.revealed import revealed, with_hidden
from kerasmeta.training import metaworld_evaluation
from kerasmeta.training.collect import EVALUATION_STREAM, make_collector, to_lifetimes

# Lifetimes that run side by side; more only take more memory.
CHUNK = 1000


class Evaluation(NamedTuple):
    """An agent's behaviour and its metrics."""

    lifetimes: Lifetimes | tuple[()]  # () by Meta-World's own protocol
    metrics: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """The metrics as JSON data."""
        return {name: estimate.as_dict() for name, estimate in self.metrics.items()}


def evaluate(
    agent: EpisodicAgent,
    task: Task,
    lifetimes: int = 1000,
    seed: int = 0,
    greedy: bool = False,
    held_out: bool = True,
) -> Evaluation:
    """Lets an agent live through fresh lifetimes and measures its behaviour.

    The lifetimes come from a stream that training never draws from, and of a family
    that keeps objects back from training (`Task.held_out`) they show those. Actions are
    drawn from the policy, as in the published work, unless `greedy`.

    Meta-World's plain families are evaluated by Meta-World's own protocol on fresh
    goals, 40 or `lifetimes` of each task (`kerasmeta.training.metaworld_evaluation`).

    Args:
        agent: The agent, its weights frozen here.
        task: What it lives in.
        lifetimes: How many.
        seed: The same seed gives the same lifetimes and actions.
        greedy: Always take the most probable action.
        held_out: False: `task` as it is, with the objects of training.

    Raises:
        UserError: The agent does not fit the task, or `lifetimes` is not positive.
    """
    if isinstance(task, MetaWorld) and not task.contextual:
        check_extent(lifetimes, seed)
        task = task.held_out() if held_out else task
        check_fit(agent, task)
        goals = measured_lifetimes(task, lifetimes)
        outcome = metaworld_evaluation.run(agent, task, goals, seed)
        return Evaluation((), metaworld_evaluation.estimates(outcome))
    recorded = record(agent, task, lifetimes, seed, greedy, held_out)
    return Evaluation(recorded, metrics(task.name, recorded))


def measured_lifetimes(task: Task, lifetimes: int) -> int:
    """How many lifetimes `evaluate` measures if asked for some number.

    Meta-World's own protocol has 40 goals of each task, a lifetime each.
    """
    if isinstance(task, MetaWorld) and not task.contextual:
        return min(lifetimes, metaworld_evaluation.GOALS)
    return lifetimes


def record(
    agent: EpisodicAgent,
    task: Task,
    lifetimes: int,
    seed: int,
    greedy: bool = False,
    held_out: bool = True,
) -> Lifetimes:
    """The behaviour alone; see `evaluate`."""
    check_extent(lifetimes, seed)
    task = task.held_out() if held_out else task
    check_fit(agent, task)
    size = min(lifetimes, chunk_of(task))
    collect = collecting(make_collector(revealed(task), size, agent, greedy=greedy))
    chunks = []
    for index in range(-(-lifetimes // size)):
        experience = collect(seed, tf.constant(index), EVALUATION_STREAM)
        chunks.append(with_hidden(to_lifetimes(experience)))
    return joined(chunks, lifetimes)


def chunk_of(task: Task) -> int:
    """How many lifetimes of a task run side by side at most."""
    in_python = isinstance(task, (GymnasiumTask, MetaWorld))
    return SIDE_BY_SIDE if in_python else CHUNK


def collecting(collector: Any) -> Any:
    """A collector's `collect`, as one graph call where that can be."""
    if not collector.in_graph:
        return collector.collect
    return tf.function(collector.collect, autograph=False)


def check_extent(lifetimes: int, seed: int) -> None:
    """Refuses a number of lifetimes or a seed that is out of range."""
    if lifetimes < 1:
        raise UserError("--lifetimes", lifetimes, "is not positive", "give 1 or more")
    if not 0 <= seed < 2**30:
        raise UserError("--seed", seed, "is out of range", "use 0 to 2**30 - 1")


def held_out_parameters(task: Task) -> dict[str, Any]:
    """The parameters in which `task.held_out()` differs; empty for most tasks."""
    trained: Any = task
    evaluated: Any = task.held_out()
    if evaluated == trained:
        return {}
    before, after = dataclasses.asdict(trained), dataclasses.asdict(evaluated)
    return {name: after[name] for name in before if after[name] != before[name]}


@functools.lru_cache(maxsize=32)
def players(
    task: Task, lifetimes: int = 1000, seed: int = 0, held_out: bool = True
) -> dict[str, Any]:
    """The metrics of the task's reference players, `{player: {metric: Estimate}}`.

    They live where `evaluate` lets agents live; in Python, only 100 lifetimes.
    """
    task = task.held_out() if held_out else task
    if isinstance(task, GymnasiumTask):
        lifetimes = min(lifetimes, 100)
    return {
        name: metrics(task.name, play(task, player, lifetimes, seed, chunk_of(task)))
        for name, player in task.players().items()
    }


def references(
    task: Task, held_out: bool = True, lifetimes: int = 1000, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """What an agent's numbers are compared with, `{column: {metric: value}}`.

    The columns are the task's reference players, which live through fresh lifetimes of
    this very task (see `players`), and `published`. Where several sources published a
    metric, `published` has the first one's value; `sources` has all of them. Published
    values belong to the published parameters and are left out for others; what is held
    out from training makes no difference there.
    """
    found: dict[str, dict[str, Any]] = {
        name: {metric: estimate.mean for metric, estimate in estimates.items()}
        for name, estimates in players(task, lifetimes, seed, held_out).items()
    }
    sources = published(task.name) or threshold(task)
    if published(task.name) and not _is_as_published(task):
        sources = {}
    found["published"] = {}
    for entry in reversed(list(sources.values())):
        found["published"].update(entry.values)
    found["sources"] = {
        key: {"source": entry.source, **entry.values} for key, entry in sources.items()
    }
    return found


def _is_as_published(task: Task) -> bool:
    """Whether published values are of this very task."""
    if isinstance(task, MetaWorld):  # its protocol knows no other parameters
        return True
    return task.held_out() == type(task)().held_out()


def threshold(task: Task) -> dict[str, Published]:
    """The return from which Gymnasium calls an environment solved, if it does."""
    if not isinstance(task, GymnasiumTask) or task.reward_threshold is None:
        return {}
    source = "reward_threshold of its registration in Gymnasium"
    values = {"return": float(task.reward_threshold)}
    return {"gymnasium": Published("solved", values, source)}


def check_fit(agent: EpisodicAgent, task: Task) -> None:
    """Refuses a task whose observations or actions are not the agent's."""
    wanted = full_observation_spec(task)
    pairs = [(k, agent.observation_spec.get(k), wanted[k]) for k in wanted]
    pairs.append(("action", agent.action_spec, task.action_spec))
    for key, ours, theirs in pairs:
        if ours is None or ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            raise UserError(
                "task",
                task.name,
                f"its {key} is {theirs.dtype.name} {theirs.shape}, "
                f"the agent's is {ours and f'{ours.dtype.name} {ours.shape}'}",
                "evaluate the agent on the task it was trained on",
            )
