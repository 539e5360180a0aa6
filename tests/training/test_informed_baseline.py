"""A learner's own critic, which is told what is hidden from the agent."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.networks.recurrent import as_numbers
from kerasmeta.training.config import RunConfig, TaskConfig
from kerasmeta.training.loop import Trainer, train
from kerasmeta.training.run_directory import RunDirectory

SMALL = ["agent.kind=lstm", "agent.units=8", "agent.critic_units=8", "lifetimes=32"]


def config(*changes: str, task: str = "bandit", **parameters: Any) -> RunConfig:
    base = RunConfig(task=TaskConfig(name=task, parameters=parameters))
    return base.with_overrides([*SMALL, *changes])


def informed(*changes: str, **arguments: Any) -> RunConfig:
    return config("trpo.baseline=informed", *changes, **arguments)


def test_hidden_variables_become_numbers() -> None:
    """Chances `[B, T, 2]`, a category `[B, T]`, and a quantity that there is not."""
    chances = tf.constant(np.random.default_rng(1).random([2, 3, 2]), tf.float32)
    np.testing.assert_array_equal(
        as_numbers(chances, tf.TensorSpec([2], tf.float32)), chances
    )
    side = tf.constant([[0, 1, 1], [1, 0, 0]])
    found = as_numbers(side, tf.TensorSpec([], tf.int32))
    np.testing.assert_array_equal(found, side[..., None])
    nothing = as_numbers(tf.constant([[np.nan, 2.0]]), tf.TensorSpec([], tf.float32))
    np.testing.assert_array_equal(nothing, [[[0.0], [2.0]]])


def test_the_agent_is_told_nothing() -> None:
    trainer = Trainer(informed(trials=10))
    baseline = trainer.learner.baseline.network
    assert baseline.told == ["hidden/chances"]
    assert trainer.agent.critic.told == []
    assert not any(key.startswith("hidden") for key in trainer.agent.observation_spec)
    theirs = {id(variable) for variable in trainer.agent.variables}
    assert not theirs & {id(variable) for variable in baseline.variables}
    more = baseline.cell.kernel.shape[0] - trainer.agent.critic.cell.kernel.shape[0]
    assert more == 2


@pytest.mark.slow
def test_who_knows_the_chances_explains_more_of_the_returns() -> None:
    """Of one trial's regret, all: it is the chosen arm's, which is luck to the critic.

    Regret is paid for the choice, so a value cannot know it; it can know its mean over
    the two arms, which is half the difference of the chances.
    """
    found = {}
    for baseline in ("critic", "informed"):
        run = config(
            f"trpo.baseline={baseline}",
            "trpo.critic_learning_rate=0.01",
            "trpo.critic_passes=20",
            "lifetimes=256",
            "trpo.delta=1e-9",  # the policy stays as it is
            pays="regret",
            trials=2,
        )
        trainer = Trainer(run)
        for _ in range(8):
            _, loss = trainer.iterate()
        found[baseline] = float(loss.extra.explained_variance)
    # Var of a mean over the arms, D / 2, to that of the regret, 0 or D by a coin, with
    # E D = 1/3 and E D**2 = 1/6: (1/24 - 1/36) / (1/12 - 1/36) = 1/4; and the two
    # trials have it in common, so of both 0.4.
    assert found["critic"] < 0.1
    assert 0.25 < found["informed"] < 0.55


@pytest.mark.slow
def test_a_run_is_resumed_with_its_baseline(tmp_path: Path) -> None:
    steps = 32 * 10
    whole = informed(f"steps={6 * steps}", "checkpoint_every=3", trials=10)

    def keep(row: dict[str, Any]) -> None:
        """What a kill after the first of two checkpoints would leave."""
        if row["iteration"] == 4:
            shutil.copytree(tmp_path / "whole", tmp_path / "half")

    alone = train(whole, RunDirectory(tmp_path / "whole"), report=keep)
    resumed = train(whole, RunDirectory(tmp_path / "half"), resume=True)
    assert resumed.rows[:3] == alone.rows[:3]  # with their times: not run again
    paths = [tmp_path / name / "weights.safetensors" for name in ("whole", "half")]
    one, other = (load_file(path) for path in paths)
    for name, weight in one.items():
        np.testing.assert_array_equal(weight, other[name], err_msg=name)


def test_where_nothing_is_told_it_is_refused() -> None:
    message = r"trpo.baseline 'informed': needs a family that tells what is hidden"
    with pytest.raises(UserError, match=message):
        Trainer(informed(task="CartPole-v1"))
