"""Reference players of the water maze: systematic search, with and without a memory.

What a player can know of a platform is the set of cells where it may still be: all of
them at first, less every cell passed, and a single one once the platform was felt. The
players go to the nearest cell of that set, and to the next one on a tour of the grid
among equally near ones. So a search is the tour itself, which passes a new cell with
every step; what is found is gone to straight; and whoever remembers a search that did
not end goes on where there is something left to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.contexts import code_of, find_or_add
from kerasmeta.tasks.navigation import grid

if TYPE_CHECKING:
    from kerasmeta.tasks.navigation.water_maze import WaterMaze


def look(possible: Any, cell: Any, observation: dict[str, Any]) -> Any:
    """What an observation leaves of the cells where the platform may be, `[B, N]`.

    Args:
        possible: bool `[B, N]`, before the observation.
        cell: int32 `[B]`, where the player is.
        observation: Its last stimulus tells whether the platform is here.
    """
    is_here = tf.equal(tf.range(possible.shape[1]), cell[:, None])  # [B, N]
    found = observation["stimulus"][:, -1:] > 0
    return tf.where(found, is_here, possible & ~is_here)


def search(possible: Any, cell: Any, rows: int, columns: int) -> Any:
    """The action `[B]` towards the nearest possible cell, the next one on the tour."""
    num_cells = rows * columns
    order = num_cells * grid.distances(rows, columns) + grid.ahead(rows, columns)
    rank = tf.where(possible, tf.gather(order, cell), order.max() + 1)  # [B, N]
    target = tf.argmin(rank, axis=-1, output_type=tf.int32)
    return tf.gather(grid.directions(rows, columns).ravel(), cell * num_cells + target)


class SearchingPlayer(Player):
    """Searches along the tour in every episode, then goes straight to the platform.

    No search finds the platform sooner: it may be in each of the N - 1 other cells
    with the same chance, and a search passes one new cell a step at most, so the chance
    to have found it after k steps cannot exceed k / (N - 1), which the tour attains.
    By default that is 18 steps on average. An agent that is cleared at every episode
    and has no memory cannot do better in steps to the platform.

    It earns 4.32 an episode by default. Where the platform is decides how near it is
    afterwards, so a search in another order might earn more, but no more than 4.57: the
    value of the best order in which any cell may follow any other.
    """

    def __init__(self, task: WaterMaze) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> Any:
        return tf.ones([batch_size, self.task.num_cells], tf.bool)

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        rows, columns = self.task.rows, self.task.columns
        cell = grid.cell_at(observation["stimulus"], rows, columns)
        starts = observation["episode_start"][:, None]
        possible = look(state | starts, cell, observation)
        return search(possible, cell, rows, columns), possible


class RememberingState(NamedTuple):
    """Where the platform may be, by context; `C` is the number of contexts."""

    codes: Any  # [B, C] int64, -1 where empty
    possible: Any  # [B, C, N] bool


class RememberingPlayer(Player):
    """Searches once in each context, and keeps for ever what it found or ruled out.

    Where an episode is long enough to look everywhere, as by default, later episodes
    are the oracle's: 4 steps to the platform on average, 7.18 rewards an episode. In
    shorter ones it takes up the search where it left off; it knows a platform from
    having rested there, and not from a reward that came with an episode's last step.
    """

    def __init__(self, task: WaterMaze) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> RememberingState:
        slots = [batch_size, self.task.contexts]
        return RememberingState(
            codes=tf.fill(slots, tf.constant(-1, tf.int64)),
            possible=tf.ones([*slots, self.task.num_cells], tf.bool),
        )

    def act(
        self,
        state: RememberingState,
        observation: dict[str, Any],
        task_state: Any,
        seed: Any,
    ) -> tuple[Any, RememberingState]:
        rows, columns = self.task.rows, self.task.columns
        cell = grid.cell_at(observation["stimulus"], rows, columns)
        codes, slot = find_or_add(state.codes, code_of(observation["context"]))
        possible = tf.gather(state.possible, slot, batch_dims=1)  # [B, N]
        possible = look(possible, cell, observation)
        here = tf.equal(tf.range(codes.shape[1]), slot[:, None])[:, :, None]
        kept = tf.where(here, possible[:, None], state.possible)
        return search(possible, cell, rows, columns), RememberingState(codes, kept)


class OraclePlayer(Player):
    """Looks at where the platform is, and goes straight to it."""

    def __init__(self, task: WaterMaze) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        rows, columns = self.task.rows, self.task.columns
        cells = tf.range(self.task.num_cells)
        is_goal = tf.equal(cells, self.task.goal(task_state)[:, None])  # [B, N]
        return search(is_goal, task_state.cell, rows, columns), state
