"""The compiled programs of an update against the plain ones and the whole batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.updates import FEW, collected, values_of

from kerasmeta._keras import tf
from kerasmeta.agents import TRPOAgent
from kerasmeta.agents.experience import Batch
from kerasmeta.groups import groups_of
from kerasmeta.training.collect import TRAINING_STREAM
from kerasmeta.training.loop import Trainer
from kerasmeta.training.recipes import recipe

LIFETIMES = 32  # two groups


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """A run of a small agent, collected from once."""
    small = ["task.uncued_trials=4", "task.cued_trials=4", "agent.units=8"]
    update = ["trpo.fisher_fraction=1.0", *(f"trpo.{k}={v}" for k, v in FEW.items())]
    config = recipe("episodic_two_step", "ep_lstm").with_overrides(
        [*small, f"lifetimes={LIFETIMES}", *update]
    )
    made = Trainer(config)
    agents.shake(made.agent.variables)
    return made


@pytest.fixture(scope="module")
def experience(trainer: Trainer) -> Any:
    return collected(trainer)


@pytest.mark.parametrize(
    ("rows", "groups"),
    [(1, 1), (31, 1), (32, 2), (48, 2), (64, 2), (512, 2), (1000, 4), (127, 1)],
)
def test_groups(rows: int, groups: int) -> None:
    assert groups_of(rows) == groups


def plain(trainer: Trainer) -> TRPOAgent:
    """A trainer of the same networks whose programs are not compiled."""
    learner = trainer.learner
    return TRPOAgent(
        learner.time_step_spec,
        learner.action_spec,
        learner.agent,
        learner.trpo,
        tf.Variable(0, dtype=tf.int64),
    )


def test_compiled_groups_give_the_update_of_the_whole_batch(
    trainer: Trainer, experience: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = [*trainer.learner.actor_variables, *trainer.learner.critic_variables]
    start = [tf.identity(variable) for variable in variables]
    trainer.learner.train(experience)
    compiled = values_of(variables)
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    monkeypatch.setattr(Batch, "groups", lambda batch: [batch])
    plain(trainer).train(experience)
    whole = values_of(variables)
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    for one, other, before in zip(compiled, whole, start, strict=True):
        assert (one != before.numpy()).any()
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_fisher_product_on_recorded_activations(
    trainer: Trainer, experience: Any
) -> None:
    """F v by unrolling the actor anew, and by the recording of another program."""
    learner = plain(trainer)
    batch, _ = learner._prepare(experience)
    total = tf.reduce_sum(batch.valid)
    size = sum(variable.shape.num_elements() for variable in learner.actor_variables)
    vector = tf.random.stateless_normal([size], [1, 2])
    anew = learner.derivatives.fisher(vector, batch, None, total)
    found = trainer.learner.fisher_product(batch)(vector)
    found -= learner.trpo.damping * vector
    scale = np.abs(anew).max()
    np.testing.assert_allclose(found / scale, anew / scale, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_collection_and_update_compile_as_one_program(trainer: Trainer) -> None:
    """XLA refuses a program with any operation it does not know."""
    variables = trainer.learner.actor_variables
    before = values_of(variables)

    @tf.function(jit_compile=True, autograph=False)
    def iterate(index: Any) -> Any:
        collected = trainer.collector.collect(3, index, TRAINING_STREAM)
        return trainer.learner.train(collected).extra.kl

    kl = float(iterate(tf.constant(1)))
    assert 0.0 < kl <= trainer.config.trpo.delta
    assert (values_of(variables)[0] != before[0]).any()
