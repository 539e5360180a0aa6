"""What a row reports: figures, their goals, and the nearest limit of the machine."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmarks.timing import Ratio


@dataclasses.dataclass(frozen=True)
class Goal:
    """What a figure should reach: `Goal(">=", 1.2)`."""

    relation: str  # ">=" or "<="
    bound: float

    def met(self, value: float) -> bool:
        """False for NaN as well."""
        if self.relation == ">=":
            return value >= self.bound
        return value <= self.bound

    def __str__(self) -> str:
        sign = {">=": "≥", "<=": "≤"}[self.relation]
        return f"{sign} {self.bound:g}"


@dataclasses.dataclass(frozen=True)
class Limit:
    """The least time the machine could take, by its measured ceilings."""

    kind: str  # "FLOPs" or "bytes", whichever takes longer
    seconds: float
    share: float  # of the limit's speed that was reached, 0 to 1


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        row: The row it belongs to.
        what: What was measured, with its sizes.
        value: Ours.
        unit: Of `value`.
        peer: Who is compared with, if anyone.
        peer_value: Theirs, in the same unit.
        ratio: How many times faster than the peer.
        goal: Of the ratio where there is one, else of the value.
        limit: How near the machine's limit our figure is.
        note: Anything a reader must know.
    """

    row: str
    what: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: Ratio | None = None
    goal: Goal | None = None
    limit: Limit | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.goal.met(self.ratio.median if self.ratio else self.value)

    def as_dict(self) -> dict[str, Any]:
        """As JSON data; NaN becomes None."""
        data = dataclasses.asdict(self)
        data["ratio"] = self.ratio._asdict() if self.ratio else None
        data["goal"] = str(self.goal) if self.goal else None
        data["met"] = self.met
        return {key: None if value != value else value for key, value in data.items()}
