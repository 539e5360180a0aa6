"""Critics as a learner has them: their values, and how they are fitted to returns."""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import keras, tf
from kerasmeta.agents.config import TRPOConfig
from kerasmeta.agents.derivatives import as_seen, program, unrolled
from kerasmeta.agents.episode_rows import EpisodeRows
from kerasmeta.agents.experience import Batch, share
from kerasmeta.agents.trust_region import flatten
from kerasmeta.groups import SumOverWorkers, alone
from kerasmeta.networks import CriticNetwork


class CriticFit:
    """A critic that Adam fits to returns.

    Args:
        network: The critic.
        variables: What is fitted of it.
        config: `TRPOConfig`.
        jit_compile: Whether XLA compiles the passes through it.
        total_of: See `TRPOAgent`.
    """

    def __init__(
        self,
        network: CriticNetwork,
        variables: list[Any],
        config: TRPOConfig,
        jit_compile: bool,
        total_of: SumOverWorkers = alone,
    ) -> None:
        self.network = network
        self.variables = variables
        self.trpo = config
        self.total_of = total_of
        self.optimizer = keras.optimizers.Adam(
            config.critic_learning_rate, jit_compile=False
        )
        self.optimizer.build(variables)
        self.programs = {
            "values": program(self._values, jit_compile),
            "gradient": program(self._gradient, jit_compile),
        }

    def values(
        self, inputs: dict[str, Any], reset: Any, rows: EpisodeRows | None = None
    ) -> Any:
        """Values `[B, T]`.

        Args:
            inputs: The network's, `[B, T, ...]`.
            reset: bool `[B, T]`, its state is cleared before.
            rows: How lifetimes are cut into episodes that are unrolled side by side.
        """
        nothing = tf.zeros_like(reset, tf.float32)
        batch = Batch(inputs, reset, *[nothing] * 5)
        parts = self._groups(batch if rows is None else rows.cut_batch(batch))
        values = [self.programs["values"](part) for part in parts]
        joined = values[0] if len(values) == 1 else tf.concat(values, axis=0)
        return joined if rows is None else rows.join(joined)

    def fit(self, batch: Batch) -> Any:
        """Adam on the squared error; returns the last minibatch's loss.

        Where that leads to a NaN, critic and optimizer stay as they were.
        """
        minibatches, rows = self.trpo.critic_minibatches, batch.lifetimes
        fitted = [*self.variables, *self.optimizer.variables]
        old = [tf.identity(variable) for variable in fitted]
        size = (rows + minibatches - 1) // minibatches  # the last may overlap
        parts = [
            batch.rows(tf.minimum(n * size, rows - size), size)
            for n in range(minibatches)
        ]
        totals = self.total_of(tf.stack([tf.reduce_sum(part.valid) for part in parts]))
        groups = [self._groups(part) for part in parts]

        def one_pass(n: Any, loss: Any) -> tuple[Any, Any]:
            for place, minibatch in enumerate(groups):
                loss = self._step(minibatch, totals[place])
            return n + 1, loss

        loop = tf.while_loop(
            lambda n, _: n < self.trpo.critic_passes,
            one_pass,
            (tf.constant(0), tf.zeros([])),
        )
        finite = tf.reduce_all(tf.math.is_finite(flatten(self.variables)))
        put_back_unless(finite, fitted, old)
        return loop[1]

    def _step(self, groups: list[Batch], total: Any) -> Any:
        """One step of Adam's on a minibatch; its loss before."""
        shares = [self.programs["gradient"](group, total) for group in groups]
        flat = [(loss, *gradient) for loss, gradient in shares]
        loss, *gradient = self.total_of(
            [tf.add_n(parts) for parts in zip(*flat, strict=True)]
        )
        pairs = zip(gradient, self.variables, strict=True)
        self.optimizer.apply_gradients(pairs)
        return loss

    def _groups(self, batch: Batch) -> list[Batch]:
        return [as_seen(part, self.network) for part in batch.groups()]

    def _values(self, part: Batch) -> Any:
        return unrolled(self.network, part)

    def _gradient(self, part: Batch, total: Any) -> tuple[Any, list[Any]]:
        """What some lifetimes add to the mean squared error, and its gradients."""
        with tf.GradientTape() as tape:
            values = unrolled(self.network, part)
            loss = share((values - part.returns) ** 2, part.valid, total)
        return loss, tape.gradient(loss, self.variables)


def put_back_unless(good: Any, variables: list[Any], old: list[Any]) -> None:
    """Gives the variables their old values back where `good` (bool) is false."""
    for variable, start in zip(variables, old, strict=True):
        variable.assign(tf.where(good, variable, start))
