"""What a run begins with where it does not begin with random weights."""

from __future__ import annotations

from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.storage import load_weights, save_weights
from kerasmeta.agents.transfer import transfer
from kerasmeta.training.config import StartConfig
from kerasmeta.training.run_directory import RunDirectory, replacing


def begin(
    agent: EpisodicAgent,
    start: StartConfig,
    directory: RunDirectory,
    parent: EpisodicAgent | None,
) -> None:
    """Gives an agent its parent's weights, or those that its run began with.

    They are kept in the run directory, which so needs no parent to be resumed.

    Args:
        agent: Whose weights are set.
        start: What is taken from the parent.
        directory: The run's.
        parent: None where the run is resumed.

    Raises:
        UserError: The parent's weights do not fit, or those that were kept are damaged.
    """
    if parent is None:
        load_weights(agent, directory.start_path)
        return
    transfer(parent, agent, start.fresh)
    directory.make()
    with replacing(directory.start_path) as temporary:
        save_weights(agent, temporary)
