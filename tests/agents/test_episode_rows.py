"""Episodes side by side: the same steps, and the same update."""

from __future__ import annotations

import numpy as np
import pytest
from harness import agents
from harness.updates import collected, values_of

from kerasmeta._keras import tf
from kerasmeta.agents import TRPOAgent
from kerasmeta.agents.episode_rows import episode_rows
from kerasmeta.agents.experience import Batch
from kerasmeta.training.loop import Trainer
from kerasmeta.training.recipes import recipe

E, L = 3, 4
# Where episodes begin, in 12 steps and the boundary; and how many steps they have.
LIFETIMES = {(0, 4, 8): (4, 4, 4), (0, 2, 5): (2, 3, 4), (0, 1): (1, 4)}


@pytest.fixture(scope="module")
def reset() -> np.ndarray:
    starts = np.zeros([len(LIFETIMES), E * L + 1], bool)
    for row, begun in enumerate(LIFETIMES):
        starts[row, list(begun)] = True
    return starts


def test_each_row_is_an_episode(reset: np.ndarray) -> None:
    """Against loops; steps beyond an episode's L are left out."""
    rows = episode_rows(tf.constant(reset), E)
    assert rows.length == L
    step = np.arange(reset.size).reshape(reset.shape)
    cut = rows.cut(tf.constant(step)).numpy().reshape(len(LIFETIMES), E, L)
    filled = rows.filled.numpy().reshape(cut.shape)
    for row, (begun, lengths) in enumerate(LIFETIMES.items()):
        for episode, (start, length) in enumerate(zip(begun, lengths, strict=True)):
            last = len(reset[row]) if start == begun[-1] else start + length
            there = step[row, start : min(last, start + L)]
            np.testing.assert_array_equal(cut[row, episode, : len(there)], there)
            expected = np.arange(L) < len(there)
            np.testing.assert_array_equal(filled[row, episode], expected)
        assert not filled[row, len(begun) :].any()


def test_joined_rows_are_the_lifetimes_again(
    reset: np.ndarray, rng: np.random.Generator
) -> None:
    rows = episode_rows(tf.constant(reset), E)
    values = rng.normal(size=reset.shape).astype(np.float32)
    joined = rows.join(rows.cut(tf.constant(values))).numpy()
    since = np.zeros(reset.shape, int)  # steps since the episode began
    for t in range(1, reset.shape[1]):
        since[:, t] = np.where(reset[:, t], 0, since[:, t - 1] + 1)
    np.testing.assert_array_equal(joined, np.where(since < L, values, 0.0))
    assert (since >= L).sum() == 1 + 4 + 8


def test_rows_keep_images_and_only_valid_steps(reset: np.ndarray) -> None:
    rows = episode_rows(tf.constant(reset), E)
    valid = tf.constant(np.arange(reset.shape[1]) < 6, tf.float32)
    valid = tf.broadcast_to(valid, reset.shape)
    images = tf.zeros([*reset.shape, 2, 2, 3], tf.uint8)
    nothing = tf.zeros(reset.shape)
    batch = Batch({"stimulus": images}, tf.constant(reset), *[nothing] * 4, valid)
    cut = rows.cut_batch(batch)
    assert cut.inputs["stimulus"].shape == [len(LIFETIMES) * E, L, 2, 2, 3]
    np.testing.assert_array_equal(
        tf.reduce_sum(cut.valid, axis=1), [4, 2, 0, 2, 3, 1, 1, 4, 0]
    )


TASKS = {
    "barcode_bandit": ["task.contexts=2", "task.presentations=2", "task.pulls=4"],
    "water_maze": ["task.contexts=2", "task.presentations=2", "task.episode_steps=5"],
    "episodic_visual_harlow": [
        *["task.pairs=2", "task.trials=2", "task.max_steps=8"],
        "agent.image_encoder=trained",
    ],
}
# Few products: conjugate gradients amplify rounding where so few steps are seen.
UPDATE = [
    *["trpo.fisher_fraction=0.5", "trpo.cg_iterations=2"],
    *["trpo.critic_passes=1", "trpo.critic_minibatches=1"],
]
CASES = [
    *[("barcode_bandit", "ep_lstm"), ("water_maze", "ep_lstm"), ("water_maze", "lstm")],
    pytest.param("episodic_visual_harlow", "ep_lstm", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("family", "kind"), CASES)
def test_the_update_is_that_of_whole_lifetimes(family: str, kind: str) -> None:
    """The oracle: rows are lifetimes, which is what agents without resets have."""
    small = [*TASKS[family], "agent.units=8", "lifetimes=4", *UPDATE]
    trainer = Trainer(recipe(family, kind).with_overrides(small))
    agents.shake(trainer.agent.variables)
    experience = collected(trainer)
    assert experience.is_boundary().numpy()[:, -1].all()
    old = values_of(trainer.agent.variables)
    rows, updated = [], []
    for episodes in (trainer.task.episodes, 1):
        for variable, value in zip(trainer.agent.variables, old, strict=True):
            variable.assign(value)
        learner = plain(trainer, episodes)
        rows.append(learner._prepare(experience)[0].lifetimes)
        assert learner._train(experience).extra.step_accepted
        updated.append(values_of(trainer.agent.variables))
    assert rows == [16, 4]
    for one, other, before in zip(*updated, old, strict=True):
        assert (one != before).any()
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5)


def plain(trainer: Trainer, episodes: int) -> TRPOAgent:
    """A trainer of the same agent whose programs are not compiled."""
    learner = trainer.learner
    return TRPOAgent(
        learner.time_step_spec,
        learner.action_spec,
        learner.agent,
        learner.trpo,
        tf.Variable(0, dtype=tf.int64),
        episodes=episodes,
    )
