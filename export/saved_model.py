"""An agent as a SavedModel: no state on the server, and no Python needed to run it.

Everything is batch-first and nothing is a scalar, so that TensorFlow Serving may merge
the requests of several clients; a lifetime's draws depend on its own seed alone.
"""

from __future__ import annotations

from pathlib import Path

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.errors import UserError

from .contracts import Contract
from .directories import appearing
from .naming import flatten_state
from .saved_agent import trace
from .slimming import slim
from .warmup import write_warmup


def export_agent(agent: EpisodicAgent, directory: str | Path, version: int = 1) -> Path:
    """Writes an agent as a SavedModel in TensorFlow Serving's layout.

    Args:
        agent: The agent; a lesioned one is exported with its lesion.
        directory: The model's base path, which holds one directory per version.
        version: The number of this version.

    Returns:
        `<directory>/<version>`, complete.

    Raises:
        UserError: The version exists already, or the directory cannot be written.
    """
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UserError(
            "version", version, "is not a positive integer", "give 1, 2, ..."
        )
    target = Path(directory).expanduser().absolute() / str(version)
    with appearing(target, "directory") as temporary:
        write_saved_model(agent, temporary)
    return target


def write_saved_model(agent: EpisodicAgent, directory: Path) -> Contract:
    """Writes an agent's SavedModel, with its warm-up, into an existing directory."""
    module, signatures = traced = trace(agent)
    contract = traced.contract()
    state = flatten_state(agent.initial_state(batch_size=1))
    arrays = {name: leaf.numpy() for name, leaf in state.items()}
    try:
        tf.saved_model.save(module, str(directory), signatures=signatures)
        write_warmup(directory, contract, arrays)
    except tf.errors.OpError as error:
        raise OSError(error.message) from error
    slim(directory)
    (directory / "assets").rmdir()  # always made, never filled
    return contract


def contract(agent: EpisodicAgent) -> Contract:
    """What an export of this agent takes and gives."""
    return trace(agent).contract()
