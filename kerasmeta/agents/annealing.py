"""How delta and entropy bonus fall over a run."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.agents.config import TRPOConfig


def share_left(config: TRPOConfig, done: Any, updates: int | None) -> Any:
    """The share of `config.delta` and `config.entropy_bonus` that an update has.

    Args:
        config: With `anneal_to`, the share at the run's end.
        done: int64 scalar, the updates before this one.
        updates: How many the run has; None: it has no end, and the share is 1.

    Returns:
        float32 scalar within [anneal_to, 1]; anneal_to where a run goes on after its
        end.
    """
    if updates is None or config.anneal_to == 1.0:
        return 1.0
    part = tf.minimum(tf.cast(done, tf.float32) / updates, 1.0)
    return 1.0 - (1.0 - config.anneal_to) * part
