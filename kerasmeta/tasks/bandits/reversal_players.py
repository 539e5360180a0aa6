"""Reference players of the reversal task: by experience, by inference, an oracle."""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks.bandits.bandit_players import best_arm
from kerasmeta.tasks.base import Player

NOT_SHOWN = -1.0  # below every value


def targets(observation: dict[str, Any]) -> Any:
    """Which targets are shown, bool `[B, 2]`; none at fixation."""
    return observation["stimulus"][:, 1:] > 0


class Values(NamedTuple):
    """What a player knows."""

    values: Any  # [B, 2] float32, what each target is expected to pay
    shown: Any  # [B, 2] bool, the targets of the step before


class LearningPlayer(Player):
    """Looks at the target that it expects most of.

    It expects of a target what it paid last, and 1/2 before. A player who infers knows
    that one target pays and the other does not, so that an outcome of one target tells
    the value of both. That is optimal: nothing but the last outcome tells which target
    is good, whichever target it came from. One who does not learns of a target only by
    looking at it.

    Args:
        infers: See above.
    """

    def __init__(self, infers: bool) -> None:
        self.infers = infers

    def initial_state(self, batch_size: int) -> Values:
        return Values(
            values=tf.fill([batch_size, 2], 0.5), shown=tf.zeros([batch_size, 2], bool)
        )

    def act(
        self, state: Values, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Values]:
        looked_at = tf.one_hot(observation["previous_action"], 2) > 0  # [B, 2]
        met = looked_at & state.shown
        reward = observation["previous_reward"][:, None]
        values = tf.where(met, reward, state.values)
        if self.infers:
            values = tf.where(met[:, ::-1], 1.0 - reward, values)
        shown = targets(observation)
        action = best_arm(tf.where(shown, values, NOT_SHOWN), seed)
        return action, Values(values, shown)


class OraclePlayer(Player):
    """Looks at the hidden good target, and at whatever target is shown alone."""

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        values = tf.one_hot(task_state.good, 2)
        shown = tf.where(targets(observation), values, NOT_SHOWN)
        return best_arm(shown, seed), state
