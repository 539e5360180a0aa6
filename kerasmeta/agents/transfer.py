"""From one agent to another: what fine-tuning starts from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from safetensors.numpy import save

from kerasmeta.agents.episodic_agent import EpisodicAgent
from kerasmeta.agents.parts import weights_of
from kerasmeta.errors import UserError
from kerasmeta.networks.recurrent import RecurrentNetwork


def transfer(
    parent: EpisodicAgent, child: EpisodicAgent, fresh: Iterable[str] = ()
) -> None:
    """Gives an agent the weights of another: actor, critic and normalisation.

    Where only the number of actions differs, the weights that read the previous action
    are matched row by row: stimulus, reward and memory keep theirs, actions begin
    afresh. The heads of such an agent must be among the `fresh` parts.

    Args:
        parent: Where the weights come from.
        child: Whose weights are changed. Nothing is where this raises.
        fresh: Parts of the child that stay as they are.

    Raises:
        UserError: There is no such part, or a weight that is not fresh does not fit.
    """
    given = {name: v.numpy() for name, v in parent.named_weights().items()}
    variables = child.named_weights()
    kept = set(weights_of(child, fresh, "fresh"))
    taken = {name: v for name, v in variables.items() if name not in kept}
    readers = _action_readers(parent, child)
    arrays = {}
    for name, variable in taken.items():
        array = given.get(name)
        if array is not None and name in readers:
            array = spliced(array, variable.numpy(), *readers[name])
        _check_shape(name, array, tuple(variable.shape))
        arrays[name] = array
    for name, array in arrays.items():
        taken[name].assign(array)


def spliced(
    old: np.ndarray, new: np.ndarray, before: int, old_rows: int, new_rows: int
) -> np.ndarray:
    """`new` `[F', G]` with all rows of `old` `[F, G]` but those that read actions.

    Args:
        old: The parent's kernel.
        new: The child's.
        before: How many rows come before those of the actions.
        old_rows: How many rows read actions in `old`.
        new_rows: How many do in `new`.
    """
    actions = new[before : before + new_rows]
    return np.concatenate([old[:before], actions, old[before + old_rows :]])


def weights_sha256(agent: EpisodicAgent) -> str:
    """SHA-256 of the file that `save_weights` writes."""
    arrays = {name: v.numpy() for name, v in agent.named_weights().items()}
    return hashlib.sha256(save(arrays)).hexdigest()


def _check_shape(name: str, array: Any, shape: tuple[int, ...]) -> None:
    if array is not None and array.shape == shape:
        return
    part = "/".join(name.split("/")[:2]).replace("actor/log_scale", "actor/head")
    found = "the parent has none"
    if array is not None:
        found = f"the parent's is {array.shape}"
    raise UserError(
        "fine-tuning",
        name,
        f"is {shape}, and {found}",
        f"begin that part afresh (--fresh {part}), or choose a task whose "
        "observations and actions are those of the parent's",
    )


def _action_readers(
    parent: EpisodicAgent, child: EpisodicAgent
) -> dict[str, tuple[int, int, int]]:
    """By weight: rows before the actions', theirs in the parent and in the child.

    Empty where both have the same actions.
    """
    found: dict[str, tuple[int, int, int]] = {}
    if _actions(parent) == _actions(child):
        return found
    for label, network in zip(("actor", "critic"), child.networks, strict=True):
        first = "encoder/0" if network.encoder.dense else "cell"
        rows = (_stimulus(child, network), _actions(parent), _actions(child))
        found[f"{label}/{first}/kernel"] = rows
    return found


def _stimulus(agent: EpisodicAgent, network: RecurrentNetwork) -> int:
    """How many features the stimulus has."""
    if network.encoder.image is not None:
        return agent.config.image_features
    return int(agent.observation_spec["stimulus"].shape[0])


def _actions(agent: EpisodicAgent) -> int:
    """How many features the previous action has."""
    spec = agent.action_spec
    return int(spec.maximum) + 1 if spec.dtype.is_integer else int(spec.shape[0])
