"""Rows of a batch in groups that are worked on side by side. Nothing heavy here."""

from __future__ import annotations

SMALLEST, LARGEST = 16, 64


def groups_of(rows: int) -> int:
    """Into how many equal groups a batch falls: 2 or more of 16 to 64 rows, else 1.

    Two or more keep two cores busy; the memories of 64 lifetimes stay in a core's
    cache. It depends on the batch alone, so that machines agree on what is computed.
    """
    fitting = [
        groups
        for groups in range(2, rows // SMALLEST + 1)
        if rows % groups == 0 and rows // groups <= LARGEST
    ]
    return min(fitting, default=1)
