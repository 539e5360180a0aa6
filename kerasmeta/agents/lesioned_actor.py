"""A step of the actor's network without what a lesion takes away."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.layers import LSTMState
from kerasmeta.lesions import Lesion
from kerasmeta.networks import ActorNetwork, AgentConfig
from kerasmeta.networks.recurrent import NetworkStep


def checked(lesion: Lesion | str | None, config: AgentConfig) -> Lesion:
    """The lesion, if an agent with this configuration can have it.

    Raises:
        UserError: There is no such lesion, or this agent lacks what it switches off.
    """
    lesion = Lesion.of(lesion)
    lesion.check(config.units, config.has_memory)
    if lesion.gate_open is not None:
        raise UserError(
            "lesion",
            str(lesion),
            "the units are not known before their gates were recorded",
            "lesion what kerasmeta.training.lesions.resolve gives",
        )
    return lesion


def kept_units(lesion: Lesion | None, units: int) -> Any:
    """1 for units that are kept, 0 for silenced ones, `[H]`; None: all are kept."""
    if lesion is None or not lesion.units:
        return None
    silenced = set(lesion.units)
    return tf.constant([float(unit not in silenced) for unit in range(units)])


def lesioned_step(
    actor: ActorNetwork,
    inputs: dict[str, Any],
    state: LSTMState,
    lesion: Lesion | None,
    kept: Any,
) -> NetworkStep:
    """`actor.step` with the gate closed, units silenced, or both.

    Args:
        actor: The actor's network.
        inputs: Its inputs, `[B, ...]`; the retrieved cell state is under `memory`.
        state: The `LSTMState` before the step.
        lesion: Whose `gate` says whether the gate is closed.
        kept: `[H]`, 0 for silenced units; None silences none.
    """
    gate_closed = lesion is not None and lesion.gate
    if gate_closed:  # r * tanh(0) = 0
        inputs = {**inputs, "memory": tf.zeros_like(inputs["memory"])}
    if kept is None:
        step = actor.step(inputs, state)
    else:
        step = actor.step(inputs, _silence(state, kept))
        after = _silence(step.state, kept)
        step = NetworkStep(actor.head(after.hidden), after, step.gates)
    if not gate_closed:
        return step
    closed = tf.zeros_like(step.gates.reinstatement)
    return step._replace(gates=step.gates._replace(reinstatement=closed))


def _silence(state: LSTMState, kept: Any) -> LSTMState:
    """Holds the hidden and cell states of units at 0 where `kept` `[H]` is 0."""
    return LSTMState(state.hidden * kept, state.cell * kept)
