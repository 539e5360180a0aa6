"""Lets a reference player play a task, in one compiled loop."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Player, Task
from kerasmeta.tasks.gymnasium.play import joined
from kerasmeta.tasks.gymnasium.play import play as play_gymnasium
from kerasmeta.tasks.gymnasium.task import GymnasiumTask
from kerasmeta.tasks.observation import first_observation, next_observation
from kerasmeta.tasks.revealed import revealed, with_hidden
from kerasmeta.tasks.validation import check_count


def play(
    task: Task,
    player: str | Player,
    lifetimes: int,
    seed: int = 0,
    side_by_side: int | None = None,
) -> Lifetimes:
    """Plays whole lifetimes and records them.

    Args:
        task: The task.
        player: The name of one of `task.players()`, or a player.
        lifetimes: `B`, how many lifetimes.
        seed: The same seed gives the same lifetimes, bit for bit, where as many of them
            run side by side.
        side_by_side: How many lifetimes run at once; None: all.

    Returns:
        `Lifetimes` of `T = task.lifetime_steps` steps.

    Raises:
        UserError: The player is not known, or a number of lifetimes is not positive.
    """
    check_count("lifetimes", lifetimes)
    size = lifetimes if side_by_side is None else min(lifetimes, side_by_side)
    check_count("side_by_side", size)
    if isinstance(player, str):
        player = _player_named(task, player)
    if isinstance(task, GymnasiumTask):
        return play_gymnasium(task, player, lifetimes, seed)
    task = revealed(task)
    run = tf.function(
        lambda start: _run(task, player, size, start),
        input_signature=[tf.TensorSpec([2], tf.int32)],
        autograph=False,
    ).get_concrete_function()
    starts = _starts(seed, -(-lifetimes // size))
    return joined([_recorded(run(start)) for start in starts], lifetimes)


def _starts(seed: int, count: int) -> list[Any]:
    """A seed for each batch; the first one is `seed` itself."""
    first = seeds.as_seed(seed)
    key = seeds.key_from(first)
    return [first, *(seeds.at_step(key, index) for index in range(1, count))]


def _recorded(parts: tuple[Any, ...]) -> Lifetimes:
    """What `_run` gives, as arrays."""
    return with_hidden(Lifetimes(*tf.nest.map_structure(lambda x: x.numpy(), parts)))


def _player_named(task: Task, name: str) -> Player:
    players = task.players()
    if name not in players:
        raise UserError(
            "player",
            name,
            f"task {task.name} has no such player",
            f"use one of {', '.join(players)}",
        )
    return players[name]


def _run(task: Task, player: Player, batch_size: int, seed: Any) -> tuple[Any, ...]:
    """The loop: (observation, action, reward, valid), each `[B, T, ...]`."""
    task_seed, player_seed = seeds.split(seed)
    task_key, player_key = seeds.key_from(task_seed), seeds.key_from(player_seed)
    task_state, observation = task.reset(batch_size, seeds.at_step(task_key, 0))
    observation = first_observation(task, observation, batch_size)

    def body(step: Any, carry: Any, records: Any) -> Any:
        task_state, player_state, observation, alive = carry
        action, player_state = player.act(
            player_state, observation, task_state, seeds.at_step(player_key, step)
        )
        outcome = task.step(task_state, action, seeds.at_step(task_key, step + 1))
        reward = tf.where(alive, outcome.reward, 0.0)
        record = tf.nest.flatten((observation, action, reward, alive))
        records = [
            array.write(step, value)
            for array, value in zip(records, record, strict=True)
        ]
        observation = next_observation(outcome.observation, action, outcome.reward)
        alive = alive & ~outcome.done
        carry = (outcome.state, player_state, observation, alive)
        return step + 1, carry, records

    alive = tf.ones([batch_size], tf.bool)
    carry = (task_state, player.initial_state(batch_size), observation, alive)
    like = (observation, observation["previous_action"], tf.zeros([batch_size]), alive)
    records = [
        tf.TensorArray(value.dtype, task.lifetime_steps, element_shape=value.shape)
        for value in tf.nest.flatten(like)
    ]
    _, _, records = tf.while_loop(
        lambda step, *_: step < task.lifetime_steps,
        body,
        (tf.constant(0), carry, records),
    )
    stacked = [_batch_first(array.stack()) for array in records]
    return tf.nest.pack_sequence_as(like, stacked)


def _batch_first(x: Any) -> Any:
    """`[T, B, ...]` to `[B, T, ...]`."""
    return tf.transpose(x, [1, 0, *range(2, len(x.shape))])
