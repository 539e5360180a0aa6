"""Studies: everything that analyses need, recorded of an agent and of each seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kerasmeta import tasks
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.signals import signals_spec
from kerasmeta.analysis import Analysis, Study, Subject
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.play import play
from kerasmeta.tasks.revealed import has_hidden_variables
from kerasmeta.training.evaluation import record
from kerasmeta.training.experiments import Bench, experiments
from kerasmeta.training.recordings import record as record_inside

# Recordings hold some hundred numbers a step. So many numbers are recorded of one seed
# where nobody says how many lifetimes: 20 MB.
RECORDED_NUMBERS = 5_000_000
SEED_LIMIT = 2**30  # of evaluation


class Trained(NamedTuple):
    """The weights of one seed, and what is known of their training."""

    name: str
    agent: EpisodicAgent
    gamma: float  # discount per step
    rows: Sequence[Mapping[str, Any]] = ()  # of metrics.jsonl


class Extent(NamedTuple):
    """How much is recorded."""

    lifetimes: int  # of behaviour
    recorded_lifetimes: int  # of what goes on inside
    seed: int  # of the first subject's lifetimes

    def of_subject(self, number: int) -> Extent:
        """The same for lifetimes of their own, so that subjects are independent."""
        return self._replace(seed=(self.seed + number) % SEED_LIMIT)


def offered(trained: Sequence[Trained], task: Task) -> set[str]:
    """What a study of these agents can have, as in `Analysis.needs`."""
    found = {"recordings"}
    if task.players():
        found.add("players")
    if has_hidden_variables(task):
        found.add("hidden_variables")
    if all(one.rows for one in trained):
        found.add("training")
    agent = trained[0].agent
    fitting = (e.name for e in experiments().values() if e.fits(agent, task))
    return found.union(fitting)


def needed(analyses: Iterable[Analysis], available: set[str]) -> set[str]:
    """What to record for some analyses."""
    wanted = {part for one in analyses for part in (*one.needs, *one.uses)}
    return wanted & available


def check_alike(trained: Sequence[Trained], trained_on: Sequence[Task]) -> None:
    """Refuses agents that are not one agent trained from several seeds.

    Raises:
        UserError: Families, their parameters or the agents' parts differ.
    """
    first, wanted = trained[0], trained_on[0]
    for other, task in zip(trained[1:], trained_on[1:], strict=True):
        if task.name != wanted.name:
            problem = f"is of family {task.name}, and {first.name} of {wanted.name}"
        elif task != wanted:
            problem = (
                f"was trained on other parameters of {task.name} than {first.name}"
            )
        elif _without_seed(other.agent) != _without_seed(first.agent):
            problem = f"is made of other parts than {first.name}"
        else:
            continue
        raise UserError(
            "AGENT", other.name, problem, "give one agent's seeds, or one at a time"
        )


def default_recorded_lifetimes(agent: EpisodicAgent, task: Task) -> int:
    """How many lifetimes make about `RECORDED_NUMBERS`, ten at least."""
    seen = sum(spec.shape.num_elements() for spec in agent.observation_spec.values())
    inside = sum(spec.shape.num_elements() for spec in signals_spec(agent).values())
    return max(10, RECORDED_NUMBERS // ((seen + inside) * task.lifetime_steps))


def make_study(
    name: str,
    trained: Sequence[Trained],
    task: Task,
    parts: set[str],
    extent: Extent,
    report: Callable[[str], Any] = lambda text: None,
) -> Study:
    """Records what some analyses need of each seed.

    Agents live in lifetimes that training never drew, of `task.held_out()`.

    Args:
        name: What the agent is called.
        trained: Its seeds, one or more, all alike (`check_alike`).
        task: What they were trained on.
        parts: What to record besides behaviour, from `needed`.
        extent: How much.
        report: Told what is done next, in a few words.
    """
    shown: Any = task.held_out()
    players = {}
    if "players" in parts:
        for player in shown.players():
            report(f"{player} player")
            players[player] = play(shown, player, extent.lifetimes, extent.seed)
    is_family = task.name in tasks.names()  # and not any Gymnasium environment
    return Study(
        agent=name,
        task=task.name,
        parameters=dataclasses.asdict(shown),
        default_parameters=is_family and shown == type(task)().held_out(),
        trials_per_lifetime=task.trials_per_lifetime,
        subjects=[
            _subject(one, task, parts, extent.of_subject(n), report)
            for n, one in enumerate(trained)
        ],
        players=players,
        seed=extent.seed,
    )


def stages(trained: Sequence[Trained], task: Task, parts: set[str]) -> int:
    """How often `make_study` will report."""
    players = len(task.players()) if "players" in parts else 0
    each = 1 + len(parts & ({"recordings"} | experiments().keys()))
    return players + each * len(trained)


def _subject(
    one: Trained,
    task: Task,
    parts: set[str],
    extent: Extent,
    report: Callable[[str], Any],
) -> Subject:
    report(f"behaviour of {one.name}")
    behaviour = record(one.agent, task, extent.lifetimes, extent.seed)
    bench = Bench(one.agent, task, extent.lifetimes, extent.seed, one.gamma)
    found = {}
    for experiment in experiments().values():
        if experiment.name in parts:
            report(f"{experiment.name.replace('_', ' ')} of {one.name}")
            found[experiment.name] = experiment.run(bench)
    recordings = None
    if "recordings" in parts:
        report(f"recordings of {one.name}")
        recordings = record_inside(
            one.agent, task, extent.recorded_lifetimes, extent.seed, one.gamma
        )
    return Subject(
        name=one.name,
        lifetimes=behaviour,
        recordings=recordings,
        experiments=found,
        training=one.rows,
    )


def _without_seed(agent: EpisodicAgent) -> Any:
    return agent.config.model_copy(update={"seed": 0})
