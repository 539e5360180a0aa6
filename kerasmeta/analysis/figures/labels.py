"""Direct labels: lines are named beside their ends, without a legend."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from kerasmeta.analysis.figures.style import GREY, SMALL

_DISTANCE = 0.055  # between two labels, as a part of the axis


def label_right(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Names the lines beside their ends, moved apart where they would overlap.

    Args:
        axes: With the limits it will be shown with.
        labels: Height of the line's end, text and colour, one a line.
    """
    low, high = axes.get_ylim()
    wanted = [(y - low) / (high - low) for y, _, _ in labels]
    for position, (_, text, colour) in zip(spread(wanted), labels, strict=True):
        axes.annotate(
            text,
            (1, position),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            size=SMALL + 1,
            weight="bold" if colour != GREY else "normal",
            annotation_clip=False,
        )


def spread(wanted: Sequence[float], distance: float = _DISTANCE) -> list[float]:
    """Positions near the wanted ones, in their order, none too close to another.

    Neighbours that are too close form a group, spaced evenly about its mean; groups
    that come too close merge.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups: list[tuple[float, list[int]]] = []  # (centre, members in order)
    for i in order:
        centre, members = wanted[i], [i]
        while groups:
            half = distance * (len(groups[-1][1]) + len(members)) / 2
            if centre - groups[-1][0] >= half:
                break
            members = groups.pop()[1] + members
            centre = sum(wanted[j] for j in members) / len(members)
        groups.append((centre, members))
    positions = [0.0] * len(wanted)
    for centre, members in groups:
        for rank, i in enumerate(members):
            offset = rank - (len(members) - 1) / 2
            positions[i] = centre + distance * offset
    return positions
