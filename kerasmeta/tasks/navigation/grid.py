"""The geometry of a grid with walls: moves, distances, and a round tour.

Cells are numbered row by row from the north-west corner. The actions are 0 north,
1 east, 2 south and 3 west; a move into a wall leads nowhere.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from kerasmeta._keras import tf

NUM_ACTIONS = 4
NORTH, EAST, SOUTH, WEST = range(NUM_ACTIONS)
_ROW_CHANGE = (-1, 0, 1, 0)
_COLUMN_CHANGE = (0, 1, 0, -1)


def move(cell: Any, action: Any, rows: int, columns: int) -> Any:
    """The cell `[B]` that an action leads to. cell, action: int32 `[B]`."""
    row = cell // columns + tf.gather(_ROW_CHANGE, action)
    column = cell % columns + tf.gather(_COLUMN_CHANGE, action)
    row = tf.clip_by_value(row, 0, rows - 1)
    column = tf.clip_by_value(column, 0, columns - 1)
    return row * columns + column


def place(cell: Any, rows: int, columns: int) -> Any:
    """A cell as one-hot row and one-hot column, float32 `[B, rows + columns]`."""
    row = tf.one_hot(cell // columns, rows)
    column = tf.one_hot(cell % columns, columns)
    return tf.concat([row, column], axis=-1)


def cell_at(shown: Any, rows: int, columns: int) -> Any:
    """Reads what `place` wrote: the cell, int32 `[B]`."""
    row = tf.argmax(shown[:, :rows], axis=-1, output_type=tf.int32)
    column = tf.argmax(shown[:, rows : rows + columns], axis=-1, output_type=tf.int32)
    return row * columns + column


@functools.cache
def distances(rows: int, columns: int) -> np.ndarray:
    """Steps from each cell to each other one, int32 `[N, N]`."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    vertical = np.abs(row[:, None] - row)
    return (vertical + np.abs(column[:, None] - column)).astype(np.int32)


@functools.cache
def directions(rows: int, columns: int) -> np.ndarray:
    """The first action of a shortest way from cell to cell, int32 `[N, N]`.

    Along the column before along the row; north where the two cells are one.
    """
    row, column = np.divmod(np.arange(rows * columns), columns)
    down = row - row[:, None]  # [from, to]
    right = column - column[:, None]
    along_row = np.where(right > 0, EAST, WEST)
    along_column = np.where(down > 0, SOUTH, NORTH)
    sideways = (down == 0) & (right != 0)
    return np.where(sideways, along_row, along_column).astype(np.int32)


@functools.cache
def tour(rows: int, columns: int) -> np.ndarray:
    """A way through all cells and back to the first one, int32 `[N]`.

    Down the first column, then back up in rows that wind over the other columns; where
    the number of rows is odd, the same with rows and columns exchanged. There is no
    such way where both are odd: every step changes the colour of a chessboard.
    """
    if rows % 2:
        row, column = np.divmod(tour(columns, rows), rows)
        return (column * columns + row).astype(np.int32)
    cells = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    winding = [
        cells[row, 1:] if (rows - 1 - row) % 2 == 0 else cells[row, :0:-1]
        for row in reversed(range(rows))
    ]
    return np.concatenate([cells[:, 0], *winding])


@functools.cache
def ahead(rows: int, columns: int) -> np.ndarray:
    """Steps along the tour from each cell to each other one, int32 `[N, N]`."""
    number = np.argsort(tour(rows, columns))  # of each cell in the tour
    return ((number - number[:, None]) % len(number)).astype(np.int32)
