"""One of several workers: TensorFlow's all-reduce, and a worker that was lost."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kerasmeta._keras import tf
from kerasmeta.agents.trust_region import flatten, unflatten
from kerasmeta.errors import UserError
from kerasmeta.training.workers.cluster import Cluster, wait_for_others
from kerasmeta.training.workers.one import OneWorker

# What an all-reduce raises when a worker is gone, depending on how and when it went.
_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)


class LostWorkerError(RuntimeError):
    """Another worker has ended, or cannot be reached any more."""


class ManyWorkers(OneWorker):
    """One worker of several, in step with the others.

    Args:
        strategy: A `tf.distribute.MultiWorkerMirroredStrategy`. Of it only the
            all-reduce is used: variables are every worker's own, and stay equal because
            all workers compute the same from the same sums.
        index: This worker's number; 0 is the chief.
        count: How many there are.
    """

    def __init__(self, strategy: Any, index: int, count: int) -> None:
        self.strategy = strategy
        self.index = index
        self.count = count

    def total_of(self, shares: Any) -> Any:
        leaves = [tf.convert_to_tensor(leaf) for leaf in tf.nest.flatten(shares)]
        total = self._all_reduce(flatten(leaves))
        sizes = tf.stack([tf.size(leaf) for leaf in leaves])  # some known only now
        parts = tf.split(total, sizes, num=len(leaves))
        sums = [
            tf.ensure_shape(tf.reshape(part, tf.shape(leaf)), leaf.shape)
            for part, leaf in zip(parts, leaves, strict=True)
        ]
        return tf.nest.pack_sequence_as(shares, sums)

    def _all_reduce(self, vector: Any) -> Any:
        """The sum over workers of a vector `[n]`, one collective operation."""

        def add(mine: Any) -> Any:
            # In a loop's body a tensor has no device yet; its copy has the worker's.
            here, plus = tf.identity(mine), tf.distribute.ReduceOp.SUM
            return tf.distribute.get_replica_context().all_reduce(plus, here)

        return self.strategy.run(add, args=(vector,))

    def follow_chief(self, config: Any, variables: list[Any]) -> None:
        digest = hashlib.sha256(config.model_dump_json().encode()).digest()
        mine = tf.constant(list(digest), tf.int64)
        if (self._chiefs(mine) != mine).numpy().any():
            raise UserError(
                f"worker {self.index}",
                config.model_dump_json(exclude_defaults=True),
                "was started with other options than worker 0",
                "start all workers with the same command",
            )
        by_type = sorted(variables, key=lambda variable: variable.dtype.name)
        for _, same in itertools.groupby(by_type, lambda variable: variable.dtype.name):
            alike = list(same)
            values = unflatten(self._chiefs(flatten(alike)), alike)
            for variable, value in zip(alike, values, strict=True):
                variable.assign(value)

    def _chiefs(self, vector: Any) -> Any:
        """The chief's vector `[n]`: the sum where all others add 0."""
        return self._all_reduce(vector if self.is_chief else tf.zeros_like(vector))

    @contextmanager
    def watch(self) -> Iterator[None]:
        try:
            yield
        except _LOST as error:
            reason = str(error.message).strip().splitlines()[0]
            raise LostWorkerError(f"a worker was lost ({reason})") from None


def join(cluster: Cluster) -> OneWorker:
    """Joins the other workers, and waits until all are there.

    It must come before anything else that TensorFlow computes in this process.

    Raises:
        UserError: This worker's port is taken, or another one does not answer.
    """
    if cluster.size == 1:
        return OneWorker()
    # Each worker adds its shares once: with more devices it would for each of them.
    tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[:1], "GPU")
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=tf.distribute.experimental.CommunicationImplementation.RING
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(
            cluster.resolver(), options
        )
    except (tf.errors.OpError, RuntimeError) as error:
        reason = str(getattr(error, "message", error)).strip().splitlines()[0]
        raise UserError(
            "--workers",
            cluster.mine,
            f"cannot be served from ({reason})",
            "choose a free port of this machine",
        ) from None
    wait_for_others(cluster)
    return ManyWorkers(strategy, cluster.index, cluster.size)
