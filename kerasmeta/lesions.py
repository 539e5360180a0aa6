"""Lesions: what is switched off in a trained agent before it is evaluated.

The weights stay as they are. Silencing units follows AlKhamissi, ElNokrashy & Spranger
(2021), "The emergence of abstract and episodic neurons in episodic meta-RL",
arXiv:2104.02959, who silence the units whose reinstatement gate is open.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from kerasmeta.errors import UserError

FORMS = "memory, gate, units:3,7,12 or gate_open:0.9"


@dataclasses.dataclass(frozen=True)
class Lesion:
    """What is switched off. `Lesion()` is nothing, and false.

    Attributes:
        memory: Nothing is retrieved: every read gives m = 0, for actor and critic.
            Memory is still written.
        gate: The reinstatement gate is closed, r = 0, so that what is retrieved does
            not reach the actor. The critic, which reads m itself, still sees it.
        units: Units of the actor's LSTM that are silenced: their hidden state h and
            cell state c are 0 after every step, so that neither the policy nor any
            other unit receives anything from them, and memory stores and gives back
            zeros for them. The actor is as if they had never been there. The critic
            has units of its own, which stay.
        gate_open: A threshold between 0 and 1: the units whose mean reinstatement gate
            is at least this are to be silenced. Which they are has to be measured
            first: `kerasmeta.training.lesions.resolve` gives the `units` lesion.
    """

    memory: bool = False
    gate: bool = False
    units: tuple[int, ...] = ()
    gate_open: float | None = None

    @classmethod
    def parse(cls, text: str) -> Lesion:
        """Reads `memory`, `gate`, `units:3,7,12`, `gate_open:0.9`, or some, by `+`.

        Raises:
            UserError: The text is none of these.
        """
        lesion = cls()
        for part in text.split("+"):
            name, colon, value = part.strip().partition(":")
            if not colon and name in ("memory", "gate"):
                found: Any = True
            elif colon and name == "units":
                found = _units(value, text)
            elif colon and name == "gate_open":
                found = _threshold(value, text)
            else:
                raise UserError("lesion", text, "is not known", f"use {FORMS}")
            lesion = dataclasses.replace(lesion, **{name: found})
        return lesion

    @classmethod
    def of(cls, lesion: Lesion | str | None) -> Lesion:
        """A lesion as it is, from its text, or none at all."""
        return cls.parse(lesion) if isinstance(lesion, str) else lesion or cls()

    def __bool__(self) -> bool:
        return self != Lesion()

    def __str__(self) -> str:
        """The text that `parse` reads; `nothing` for no lesion."""
        parts = [name for name in ("memory", "gate") if getattr(self, name)]
        if self.units:
            parts.append("units:" + ",".join(map(str, self.units)))
        if self.gate_open is not None:
            parts.append(f"gate_open:{self.gate_open:g}")
        return "+".join(parts) or "nothing"

    def check(self, units: int, has_memory: bool) -> None:
        """Refuses what an agent does not have.

        Args:
            units: Of the actor's LSTM.
            has_memory: Whether the agent has episodic memory, and so a gate.

        Raises:
            UserError: A part of the lesion is of no use on that agent.
        """
        if (self.memory or self.gate or self.gate_open is not None) and not has_memory:
            raise UserError(
                "lesion", str(self), "this agent has no memory", "lesion an ep_lstm one"
            )
        for unit in self.units:
            if not 0 <= unit < units:
                raise UserError(
                    "lesion",
                    str(self),
                    f"unit {unit} is out of range",
                    f"this agent has units 0 to {units - 1}",
                )


def _units(value: str, text: str) -> tuple[int, ...]:
    numbers = [number.strip() for number in value.split(",")]
    for number in numbers:
        if not (number.isascii() and number.isdecimal()):
            raise UserError(
                "lesion",
                text,
                f"'{number}' is no unit's number",
                "name units like units:3,7,12, the first one is 0",
            )
    return tuple(sorted({int(number) for number in numbers}))


def _threshold(value: str, text: str) -> float:
    try:
        threshold = float(value)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold <= 1:
        raise UserError(
            "lesion",
            text,
            f"'{value}' is no mean gate activation",
            "give a number between 0 and 1 like gate_open:0.9",
        )
    return threshold
