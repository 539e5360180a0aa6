"""Lets a reference player play Gymnasium environments."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.gymnasium.batch import GymnasiumBatch, environment_seeds
from kerasmeta.tasks.gymnasium.task import GymnasiumTask

# Environments that run side by side, each an object of Python with its own memory.
SIDE_BY_SIDE = 64
# Lifetimes end here where the environment has no time limit.
LONGEST = 10_000


def play(task: GymnasiumTask, player: Player, lifetimes: int, seed: int) -> Lifetimes:
    """`kerasmeta.tasks.play.play` for a Gymnasium environment."""
    size = min(lifetimes, SIDE_BY_SIDE)
    batch = GymnasiumBatch(task, size)
    parts = [
        _play(batch, player, seed, index) for index in range(-(-lifetimes // size))
    ]
    batch.close()
    return joined(parts, lifetimes)


def joined(parts: list[Any], count: int) -> Any:
    """The first `count` lifetimes of several batches; shorter ones are filled up by 0.

    Args:
        parts: Nests of arrays `[B, T, ...]`; T may differ between them.
        count: At most what there is.
    """
    return tf.nest.map_structure(lambda *leaves: _joined(leaves)[:count], *parts)


def _joined(leaves: tuple[np.ndarray, ...]) -> np.ndarray:
    longest = max(leaf.shape[1] for leaf in leaves)
    rest = leaves[0].ndim - 2
    return np.concatenate(
        [
            np.pad(leaf, [(0, 0), (0, longest - leaf.shape[1])] + [(0, 0)] * rest)
            for leaf in leaves
        ]
    )


def _play(batch: GymnasiumBatch, player: Player, seed: int, index: int) -> Lifetimes:
    """One lifetime of every row."""
    key = seeds.key_from(seeds.as_seed((seed, index)))
    act = tf.function(player.act, autograph=False)
    state = player.initial_state(batch.batch_size)
    time_step = batch.reset(environment_seeds(seed, index, batch.batch_size))
    alive, steps = np.ones(batch.batch_size, bool), []
    for t in range(batch.task.time_limit or LONGEST):
        action, state = act(
            state, time_step.observation, (), seeds.at_step(key, tf.constant(t))
        )
        following = batch.step(action.numpy())
        steps.append(
            Lifetimes(
                time_step.observation,
                action.numpy(),
                following.reward * alive,
                alive.copy(),
            )
        )
        time_step, alive = following, alive & ~following.is_last()
        if not alive.any():
            break
    return tf.nest.map_structure(lambda *leaves: np.stack(leaves, axis=1), *steps)
