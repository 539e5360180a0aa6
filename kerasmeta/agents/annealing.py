"""How delta and entropy bonus fall over a run."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.agents.config import TRPOConfig


def share_left(config: TRPOConfig, done: Any, updates: int | None) -> Any:
    """The share of `config.delta` that an update has.

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
    return 1.0 - (1.0 - config.anneal_to) * _part_done(done, updates)


def bonus_left(config: TRPOConfig, done: Any, updates: int | None) -> Any:
    """The entropy bonus that an update has; see `share_left`.

    Returns:
        float32 scalar between `entropy_bonus` and `entropy_bonus_to`; without the
        latter, the share left of the former.
    """
    first, last = config.entropy_bonus, config.entropy_bonus_to
    if last is None:
        return share_left(config, done, updates) * first
    if updates is None:
        return first
    return first + (last - first) * _part_done(done, updates)


def has_bonus(config: TRPOConfig) -> bool:
    """Whether any update of a run has an entropy bonus."""
    return config.entropy_bonus != 0.0 or bool(config.entropy_bonus_to)


def _part_done(done: Any, updates: int) -> Any:
    """The part of a run that lies behind it, in [0, 1]."""
    return tf.minimum(tf.cast(done, tf.float32) / updates, 1.0)
