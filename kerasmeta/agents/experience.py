"""Experience as an update needs it, which of it is used, and its moments."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.groups import SumOverWorkers, alone, groups_of


class Batch(NamedTuple):
    """Experience as the losses need it. Leaves are `[B, T, ...]`."""

    inputs: dict[str, Any]  # observation, and the logged m for agents with memory
    reset: Any  # bool, the LSTM state is cleared before this step
    action: Any
    old_parameters: Any  # [B, T, P], of the policy that acted
    advantage: Any  # normalised; 0 where not valid
    returns: Any  # what the critic is fitted to
    valid: Any  # 1, or 0 where the action had no effect

    @property
    def lifetimes(self) -> Any:
        """B, as a number where it is known and as a tensor where it is not."""
        static = self.valid.shape[0]
        return tf.shape(self.valid)[0] if static is None else static

    def rows(self, start: Any, count: Any) -> Batch:
        """`count` lifetimes from `start` on."""

        def cut(leaf: Any) -> Any:
            rest = leaf.shape.rank - 1
            return tf.slice(leaf, [start] + [0] * rest, [count] + [-1] * rest)

        return tf.nest.map_structure(cut, self)

    def groups(self) -> list[Batch]:
        """The lifetimes in the groups that are worked on side by side."""
        rows = self.lifetimes
        count = groups_of(rows) if isinstance(rows, int) else 1
        if count == 1:
            return [self]
        size = rows // count
        return [self.rows(n * size, size) for n in range(count)]


def valid_steps(experience: Any) -> Any:
    """1 where an action had an effect, else 0: float32 `[B, T]`.

    0 for the steps between two lifetimes (their action is ignored), and for the last
    step of a row whose lifetime goes on: what follows it is not known. The critic's
    value of such a step is still what the step before is bootstrapped from, unless the
    environment's discount there is 0.
    """
    cut = tf.logical_not(experience.is_last()[:, -1:])  # [B, 1]
    elsewhere = tf.zeros_like(experience.is_last()[:, :-1])
    left_out = experience.is_boundary() | tf.concat([elsewhere, cut], axis=1)
    return tf.cast(tf.logical_not(left_out), tf.float32)


def tasks_of(experience: Any) -> Any:
    """Which of a benchmark's N tasks is lived, one-hot: float32 `[B, T, N]`."""
    if "task" not in experience.policy_info:
        raise UserError(
            "trpo.advantages_by_task",
            True,
            "needs a family of several tasks",
            "leave it out, or train metaworld_ml10 or metaworld_ml45",
        )
    return experience.policy_info["task"]


def part_of(rows: Any, fraction: float) -> Any:
    """How many rows are a fraction of them, rounded up. `rows`: number or tensor."""
    if isinstance(rows, int):
        return math.ceil(rows * fraction)
    return tf.cast(tf.math.ceil(tf.cast(rows, tf.float32) * fraction), tf.int32)


def share(x: Any, mask: Any, total: Any) -> Any:
    """What these places add to a mean of `x` over `total` places where `mask` is 1."""
    return tf.reduce_sum(x * mask) / total


def moments(
    xs: list[Any], mask: Any, total_of: SumOverWorkers = alone
) -> tuple[list[Any], list[Any]]:
    """Means and variances of each of `xs` over the places where `mask` is 1.

    Args:
        xs: Tensors of the shape of `mask`.
        mask: 1 or 0.
        total_of: Makes what these places add to sums the sums.
    """
    count, sums = total_of((tf.reduce_sum(mask), [tf.reduce_sum(x * mask) for x in xs]))
    means = [one / count for one in sums]
    pairs = zip(xs, means, strict=True)
    squares = total_of([tf.reduce_sum((x - mean) ** 2 * mask) for x, mean in pairs])
    return means, [one / count for one in squares]


def standardized(
    x: Any, mask: Any, groups: Any, total_of: SumOverWorkers = alone
) -> Any:
    """`x` with mean 0 and variance 1 in each group by itself; 0 where `mask` is 0.

    Args:
        x: float32 `[B, T]`.
        mask: 1 or 0, `[B, T]`.
        groups: float32 `[B, T, N]`, 1 for the one of N groups that a place is of.
        total_of: Makes what these places add to sums the sums.
    """
    places = groups * mask[..., None]
    count, sums = total_of(
        (
            tf.reduce_sum(places, axis=[0, 1]),
            tf.reduce_sum(places * x[..., None], axis=[0, 1]),
        )
    )
    centred = x - tf.linalg.matvec(groups, tf.math.divide_no_nan(sums, count))
    squares = total_of(tf.reduce_sum(places * centred[..., None] ** 2, axis=[0, 1]))
    deviation = tf.sqrt(tf.math.divide_no_nan(squares, count))
    return centred / (tf.linalg.matvec(groups, deviation) + 1e-8) * mask
