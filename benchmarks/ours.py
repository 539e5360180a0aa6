"""This project as subjects: what its users run, through the `Trainer` they run.

Everything that belongs to the library's own code is here, so that a change of its
interfaces is a change of this file alone.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from benchmarks.worker import Prepared
from kerasmeta._keras import tf
from kerasmeta.training.collect import TRAINING_STREAM
from kerasmeta.training.loop import Trainer
from kerasmeta.training.recipes import recipe

FAMILY, KIND = "episodic_two_step", "ep_lstm"


def make_trainer(overrides: list[str]) -> Trainer:
    """A run of the family's recipe with `--set` options."""
    return Trainer(recipe(FAMILY, KIND).with_overrides(overrides))


def rollout(overrides: list[str], share: str) -> Prepared:
    """Collects whole lifetimes into the replay buffer; the work is steps."""
    trainer = make_trainer(overrides)
    _share(trainer, share)
    collect = tf.function(trainer.collector.collect)
    index = 0

    def call() -> None:
        nonlocal index
        experience = collect(0, tf.constant(index), TRAINING_STREAM)
        experience.reward[0, 0].numpy()
        index += 1

    return Prepared(call, trainer.steps_per_iteration)


def update(overrides: list[str], share: str) -> Prepared:
    """The policy's TRPO step, from the same parameters each time."""
    trainer = make_trainer(overrides)
    batch = collect_batch(trainer, share)
    variables = trainer.learner.actor_variables
    start = [tf.identity(variable) for variable in variables]

    @tf.function
    def step() -> Any:
        search, _, _ = trainer.learner._update_policy(batch)
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        return search

    def call() -> Any:
        search = step()
        search.kl.numpy()
        return search

    result = call()
    facts = {name: float(getattr(result, name)) for name in ("surrogate", "kl")}
    return Prepared(call, 1.0, {**facts, "trials": float(result.trials)})


def train(overrides: list[str], share: str) -> Prepared:
    """An iteration of the training loop and its row of metrics; the work is steps."""
    trainer = make_trainer(overrides)
    _share(trainer, share)
    return Prepared(
        lambda: trainer.row(*trainer.iterate()), trainer.steps_per_iteration
    )


def collect_batch(trainer: Trainer, share: str | None = None) -> Any:
    """One batch of experience, ready for the update; shared with peers on demand."""
    collect = tf.function(trainer.collector.collect)
    experience = collect(0, tf.constant(0), TRAINING_STREAM)
    batch, _ = tf.function(trainer.learner._prepare)(experience)
    if share:
        leaves = {
            "features": trainer.agent.actor.features(batch.inputs),
            "memory": batch.inputs["memory"],
            "action": batch.action,
            "parameters": batch.old_parameters,
            "advantage": batch.advantage,
            "reward": experience.reward,
        }
        # Without the last, boundary step: [B, T, ...].
        _share(
            trainer,
            share,
            {f"batch/{name}": leaf.numpy()[:, :-1] for name, leaf in leaves.items()},
        )
    return batch


def _share(
    trainer: Trainer, path: str, arrays: dict[str, np.ndarray] | None = None
) -> None:
    """Writes settings and weights, and more, for the peers: nobody's differ."""
    settings = {
        "task": dataclasses.asdict(trainer.task),
        "trpo": trainer.config.trpo.model_dump(),
        "slots": trainer.agent.config.memory.capacity,
        "lifetimes": trainer.config.lifetimes,
    }
    weights = trainer.agent.named_weights()
    np.savez(
        path,
        settings=np.array(json.dumps(settings)),
        **{name: variable.numpy() for name, variable in weights.items()},
        **(arrays or {}),
    )
