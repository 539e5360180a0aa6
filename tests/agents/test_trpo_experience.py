"""What TRPO makes of experience: valid steps, advantages, returns, Fisher products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents, reference
from harness.updates import new_trainer, unrolled, valid_by_hand

from kerasmeta._keras import tf
from kerasmeta.agents import TRPOAgent
from kerasmeta.agents import experience as experience_of
from kerasmeta.errors import UserError

B, T = 4, 8


def advantages_by_hand(
    trainer: TRPOAgent, experience: Any, valid: np.ndarray
) -> np.ndarray:
    """Not normalised, `[B, T]`."""
    _, values = unrolled(trainer, experience)
    rows = zip(
        experience.reward.numpy(),
        experience.discount.numpy(),
        values.numpy().astype(np.float64),
        valid,
        strict=True,
    )
    config = trainer.trpo
    return np.array(
        [
            reference.generalized_advantages(*row, config.gamma, config.td_lambda)
            for row in rows
        ]
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("FMMMMMMML", "11111111"),  # a whole lifetime
        ("FMMMMMMLF", "11111110"),  # and the step between it and the next
        ("FMLFMLFML", "11011011"),  # three lifetimes
        ("FMMMMMMMM", "11111110"),  # cut off: what follows the last step is not known
        ("FMMLFMMMM", "11101110"),
        ("FLFLFLFLF", "10101010"),
        ("MMMLMMMML", "11101111"),
    ],
)
def test_valid_steps(row: str, expected: str, rng: np.random.Generator) -> None:
    """The truth table."""
    experience = agents.experience(new_trainer().agent, rng, (row,))
    found = experience_of.valid_steps(experience)[0]
    assert "".join(str(int(valid)) for valid in found) == expected


@pytest.mark.parametrize("clear", [False, True])
def test_working_memory_is_cleared_where_acting_clears_it(
    clear: bool, rng: np.random.Generator
) -> None:
    trainer = new_trainer(agent={"clear_lstm_at_episode": clear})
    experience = agents.experience(trainer.agent, rng)
    batch, _ = trainer._prepare(experience)
    first = np.array([[letter == "F" for letter in row[:-1]] for row in agents.WHOLE])
    start = experience.observation["episode_start"].numpy()
    assert (start & ~first).any()
    np.testing.assert_array_equal(batch.reset, first | (start & clear))


@pytest.mark.parametrize(("gamma", "td_lambda"), [(0.9, 0.95), (1.0, 1.0), (0.9, 0.0)])
def test_advantages_equal_the_double_sum(
    gamma: float, td_lambda: float, rng: np.random.Generator
) -> None:
    trainer = new_trainer(gamma=gamma, td_lambda=td_lambda)
    experience = agents.experience(trainer.agent, rng)
    valid = valid_by_hand()
    expected = advantages_by_hand(trainer, experience, valid)
    _, values = unrolled(trainer, experience)
    batch, explained = trainer._prepare(experience)
    returns = (expected + values.numpy())[valid]
    np.testing.assert_allclose(batch.returns.numpy()[valid], returns, rtol=0, atol=1e-5)
    normal = (expected - expected[valid].mean()) / expected[valid].std() * valid
    np.testing.assert_allclose(batch.advantage, normal, rtol=0, atol=1e-5)
    residual = returns - values.numpy()[valid]
    share = 1 - residual.var() / returns.var()
    assert float(explained) == pytest.approx(share, abs=1e-5)


def in_tasks(experience: Any, task: np.ndarray, count: int) -> Any:
    """Experience that says which of `count` tasks each step `[B, T]` is of."""
    one_hot = np.eye(count, dtype=np.float32)[task]
    return experience._replace(
        policy_info={**experience.policy_info, "task": tf.constant(one_hot)}
    )


def test_advantages_by_task(rng: np.random.Generator) -> None:
    """Three tasks, one of which pays 100 times more and one that nobody lives."""
    trainer = new_trainer(advantages_by_task=True)
    task = np.array([[0], [2], [2], [0]]).repeat(T, axis=1)
    experience = in_tasks(agents.experience(trainer.agent, rng), task, count=3)
    paid = experience.reward * np.where(task == 2, 100.0, 1.0).astype(np.float32)
    experience = experience._replace(reward=paid)
    valid = valid_by_hand()
    expected = advantages_by_hand(trainer, experience, valid)
    batch, _ = trainer._prepare(experience)
    for one in (0, 2):
        lived = valid & (task == one)
        raw = expected[lived]
        found = batch.advantage.numpy()[lived]
        np.testing.assert_allclose(
            found, (raw - raw.mean()) / raw.std(), rtol=0, atol=1e-5
        )
    assert not batch.advantage.numpy()[~valid].any()


def test_advantages_by_task_need_tasks(rng: np.random.Generator) -> None:
    trainer = new_trainer(advantages_by_task=True)
    with pytest.raises(UserError, match="needs a family of several tasks"):
        trainer.train(agents.experience(trainer.agent, rng))


def test_return_minus_value_where_lambda_is_one(rng: np.random.Generator) -> None:
    """λ = 1 and γ = 1: what is still to come in this lifetime."""
    trainer = new_trainer(gamma=1.0, td_lambda=1.0)
    experience = agents.experience(trainer.agent, rng)
    reward = experience.reward.numpy()
    returns = trainer._prepare(experience)[0].returns.numpy()
    whole_row = reward[0, ::-1].cumsum()[::-1]
    np.testing.assert_allclose(returns[0], whole_row, rtol=0, atol=1e-5)
    assert returns[1, 0] == pytest.approx(reward[1, :3].sum(), abs=1e-5)
    assert returns[1, 4] == pytest.approx(reward[1, 4:].sum(), abs=1e-5)


def test_a_truncated_lifetime_is_bootstrapped(rng: np.random.Generator) -> None:
    """Discount 1 before LAST (a time limit), and a row cut off in the middle."""
    rows = ("FMMMMMMLF", "FMMLFMMML", "FMMMMMMMM")
    trainer = new_trainer()
    discount = np.ones([3, T], np.float32)
    experience = agents.experience(trainer.agent, rng, rows, discount=discount)
    valid = valid_by_hand(rows)
    valid[2, -1] = False
    expected = advantages_by_hand(trainer, experience, valid)
    _, values = unrolled(trainer, experience)
    batch, _ = trainer._prepare(experience)
    found = (batch.returns - values).numpy()
    np.testing.assert_allclose(found[valid], expected[valid], rtol=0, atol=1e-5)
    for row in (0, 2):  # one step before the end: r + γ V(last) - V
        delta = experience.reward[row, 6] + 0.9 * values[row, 7] - values[row, 6]
        assert found[row, 6] == pytest.approx(float(delta), abs=1e-5)


def test_moments(rng: np.random.Generator) -> None:
    xs = rng.normal(size=(2, 3, 5)) + 4.0
    mask = (rng.random([3, 5]) < 0.5).astype(float)
    means, variances = experience_of.moments(list(xs), mask)
    kept = [x[mask == 1] for x in xs]
    np.testing.assert_allclose(means, [x.mean() for x in kept])
    np.testing.assert_allclose(variances, [x.var() for x in kept])


@pytest.mark.parametrize("value_error", ["none", "constant", "half"])
def test_explained_variance(value_error: str, rng: np.random.Generator) -> None:
    """1 - Var[returns - values] / Var[returns]: a constant error explains all."""
    trainer = new_trainer(gamma=1.0, td_lambda=1.0)
    trainer.baseline.values = lambda inputs, reset, rows: values[value_error]
    experience = agents.experience(trainer.agent, rng, ("FMMMMMMML",) * 3)
    returns = np.cumsum(experience.reward.numpy()[:, ::-1], axis=1)[:, ::-1]
    values = {"none": returns, "constant": returns + 2.0, "half": returns / 2.0}
    _, explained = trainer._prepare(experience)
    expected = 0.75 if value_error == "half" else 1.0
    assert float(explained) == pytest.approx(expected, abs=1e-5)


def some_vector(trainer: TRPOAgent, rng: np.random.Generator) -> Any:
    size = sum(variable.shape.num_elements() for variable in trainer.actor_variables)
    return tf.constant(rng.normal(size=size), tf.float32)


def test_fisher_fraction_takes_the_first_lifetimes(rng: np.random.Generator) -> None:
    trainer = new_trainer(damping=0.0)
    half = new_trainer(damping=0.0, fisher_fraction=0.5)
    batch, _ = trainer._prepare(agents.experience(trainer.agent, rng))
    vector = some_vector(trainer, rng)
    found = half.fisher_product(batch)(vector)
    expected = trainer.fisher_product(batch.rows(0, 2))(vector)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert np.abs(trainer.fisher_product(batch)(vector) - expected).max() > 1e-3


def test_damping_is_added_to_the_diagonal(rng: np.random.Generator) -> None:
    trainer, damped = new_trainer(damping=0.0), new_trainer(damping=0.25)
    batch, _ = trainer._prepare(agents.experience(trainer.agent, rng))
    vector = some_vector(trainer, rng)
    plain = trainer.fisher_product(batch)(vector)
    found = damped.fisher_product(batch)(vector) - plain
    np.testing.assert_allclose(found, 0.25 * vector, rtol=0, atol=1e-5)
