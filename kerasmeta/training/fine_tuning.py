"""Fine-tuning: training goes on from an agent that has learnt something already.

    import zoo
    from kerasmeta.training import fine_tuning
    from kerasmeta.training.run_directory import RunDirectory

    parent = fine_tuning.published(zoo.load("two_step/lstm"))
    changes = ["task.common=0.7", "steps=200000"]
    config = fine_tuning.configuration(parent, changes=changes)
    result = fine_tuning.fine_tune(parent, config, RunDirectory("runs/mine"))

The parent's networks, its critic and its normalisation are where training begins;
Adam's moments are not kept. Observations and rewards stay normalised as the parent has
them (as Keras' guide to fine-tuning has it of BatchNormalization): moments that move to
another task's change the policy outside of the trust region. The result is a run
directory like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta import tasks
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.parts import (
    is_below,
    known_parts,
    trained_variables,
    weights_of,
)
from kerasmeta.agents.transfer import weights_sha256
from kerasmeta.errors import UserError
from kerasmeta.training.config import RunConfig, StartConfig, TaskConfig
from kerasmeta.training.loop import Report, TrainingResult, train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory
from kerasmeta.training.runs import load_run

# Of the recipe's steps, as long as none are given. What was learnt is not lost, and a
# family's other probabilities take a small part of them (benchmarks/fine_tuning.py).
PART_OF_STEPS = 0.2
NORMALIZERS = ("actor/encoder/normalizer", "critic/encoder/normalizer")


class Parent(NamedTuple):
    """An agent to start from."""

    agent: EpisodicAgent
    name: str  # `family/agent@version`, or a few words
    task: TaskConfig  # what it was trained on


def published(agent: EpisodicAgent) -> Parent:
    """An agent that `zoo.load` gave, as a parent.

    Raises:
        UserError: It has no card.
    """
    if agent.card is None:
        raise UserError(
            "agent", "one without a card", "is not published", "name its run directory"
        )
    card, described = agent.card, agent.card.manifest.task
    chosen = card.seed == card.manifest.evaluation.chosen_seed
    name = card.id if chosen else f"{card.id} seed {card.seed}"
    task = TaskConfig(name=described.name, parameters=described.parameters)
    return Parent(agent, name, task)


def trained(path: Path | str) -> Parent:
    """The agent of a run directory, as a parent.

    It is named by what it is, not by where it lies, as the name is published.

    Raises:
        UserError: The directory is no run's, is damaged, or has no checkpoint yet.
    """
    agent, _ = load_run(path)
    config = RunDirectory(path).read_config()
    name = f"a run of {config.task.name}/{config.agent.kind}, seed {config.seed}"
    return Parent(agent, name, config.task)


def configuration(
    parent: Parent,
    task: str | None = None,
    changes: Iterable[str] = (),
    fresh: Iterable[str] = (),
    freeze: Iterable[str] = (),
) -> RunConfig:
    """The configuration of a fine-tuned run: the task's recipe, the parent's networks.

    Args:
        parent: What to start from.
        task: A task family or a Gymnasium id; by default the parent's. Of its own
            family the parent's parameters are kept.
        changes: As `--set` has them: `task.common=0.7`, `steps=100000`.
        fresh: Parts of the agent that begin with new weights: `actor/head`.
        freeze: Parts that are not changed: `actor/cell`, `critic/encoder`. What
            normalises observations is, unless it is fresh.

    Raises:
        UserError: Something is not known, or nothing is left to train.
    """
    name = task or parent.task.name
    parameters = parent.task.parameters if name == parent.task.name else {}
    tasks.check(name)
    kind = parent.agent.config.kind
    base = recipe(name, kind, parameters)
    fresh, freeze = tuple(fresh), tuple(freeze)
    weights_of(parent.agent, fresh, "fresh")
    trained_variables(parent.agent, freeze)
    if both := sorted(set(fresh) & set(freeze)):
        problem = "is to be fresh and frozen"
        raise UserError("freeze", both[0], problem, "choose one")
    update: dict[str, Any] = {
        "agent": parent.agent.config,
        "steps": max(1, round(PART_OF_STEPS * base.steps)),
        "start": StartConfig(
            agent=parent.name,
            weights_sha256=weights_sha256(parent.agent),
            fresh=fresh,
            freeze=(*freeze, *_kept(parent.agent, (*fresh, *freeze))),
        ),
    }
    return base.model_copy(update=update).with_overrides(changes)


def _kept(agent: EpisodicAgent, named: tuple[str, ...]) -> list[str]:
    """The normalisers that none of the named parts has anything of."""
    chosen = weights_of(agent, named, "freeze")
    free = [part for part in NORMALIZERS if not any(is_below(w, part) for w in chosen)]
    return [part for part in free if part in known_parts(agent.named_weights())]


def fine_tune(
    parent: Parent,
    config: RunConfig,
    directory: RunDirectory,
    resume: bool = False,
    report: Report = lambda row: None,
) -> TrainingResult:
    """Fine-tunes an agent into a run directory; see `kerasmeta.training.loop.train`.

    Args:
        parent: What to start from.
        config: What `configuration` gave for this parent.
        directory: Where the run is kept.
        resume: Go on with what is there.
        report: Called with each new row of metrics.jsonl.

    Raises:
        UserError: The parent's weights do not fit the task; see `train` too.
    """
    return train(config, directory, resume, report, parent.agent)
