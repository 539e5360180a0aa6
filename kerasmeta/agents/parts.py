"""Parts of an agent by name: what fine-tuning freezes, and what it begins afresh.

A part is a weight, or all weights below a name: `actor`, `actor/cell`,
`actor/cell/kernel`, `critic/value_scale`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kerasmeta.errors import UserError

if TYPE_CHECKING:
    from kerasmeta.agents.episodic_agent import EpisodicAgent

# The Gaussian's log standard deviations are a part of what the head gives.
_HEAD, _LOG_SCALE = "actor/head", "actor/log_scale"


def weights_of(agent: EpisodicAgent, parts: Iterable[str], option: str) -> list[str]:
    """The names of the weights of some parts, in the order of `named_weights`.

    Args:
        agent: Whose weights.
        parts: Names of weights, or what names of weights begin with.
        option: What the user calls the argument they came in.

    Raises:
        UserError: There is no such part.
    """
    names = list(agent.named_weights())
    known = known_parts(names)
    chosen = set()
    for part in parts:
        if part not in known:
            close = difflib.get_close_matches(part, known, n=1)
            guess = f"did you mean '{close[0]}'? " if close else ""
            listed = ", ".join(name for name in known if name.count("/") < 2)
            raise UserError(
                option, part, "is no part of this agent", f"{guess}use {listed}"
            )
        chosen |= {name for name in names if is_below(name, part)}
    return [name for name in names if name in chosen]


def known_parts(names: Iterable[str]) -> list[str]:
    """Every part that weights of these names have."""
    parts = set()
    for name in names:
        words = name.split("/")
        parts |= {"/".join(words[:n]) for n in range(1, len(words) + 1)}
    return sorted(parts)


def is_below(name: str, part: str) -> bool:
    """Whether a weight belongs to a part."""
    if name == _LOG_SCALE and part == _HEAD:
        return True
    return name == part or name.startswith(f"{part}/")


def trained_variables(agent: EpisodicAgent, frozen: Iterable[str]) -> list[list[Any]]:
    """What an update changes: the actor's variables and the critic's.

    What encoders keep fixed by themselves is not among them.

    Args:
        agent: Whose weights.
        frozen: The parts that stay as they are.

    Raises:
        UserError: There is no such part, or nothing is left of actor or critic.
    """
    named = agent.named_weights()
    kept = {id(named[name]) for name in weights_of(agent, frozen, "freeze")}
    left = []
    for network, label in zip(agent.networks, ("actor", "critic"), strict=True):
        variables = [v for v in free_variables(network) if id(v) not in kept]
        if not variables:
            raise UserError(
                "freeze",
                ", ".join(frozen),
                f"leaves nothing of the {label} to train",
                "freeze a part of it, such as "
                f"{label}/cell, or evaluate the agent as it is",
            )
        left.append(variables)
    return left


def free_variables(network: Any) -> list[Any]:
    """What can be trained of a network: all but what its encoder keeps fixed."""
    fixed = {id(variable) for variable in network.encoder.fixed_variables}
    return [v for v in network.trainable_variables if id(v) not in fixed]
