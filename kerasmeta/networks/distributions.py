"""Action distributions as functions of one parameter tensor `[..., P]`.

`Categorical`: the parameters are logits. `DiagonalGaussian`: mean and log standard
deviation, concatenated. Everything TRPO needs has a closed form, so no distribution
objects travel through graphs or exports.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.errors import UserError

_LOG_2_PI = math.log(2.0 * math.pi)
WIDEST = 1e3  # a range of actions larger than this is none


class Categorical(NamedTuple):
    """One of `A` actions. Parameters: logits `[..., A]`; actions: int32 `[...]`."""

    num_actions: int

    @property
    def parameter_size(self) -> int:
        return self.num_actions

    @property
    def uniforms(self) -> int:
        """How many uniform numbers a sample takes."""
        return 1

    def log_prob(self, parameters: Any, action: Any) -> Any:
        """log p(a), `[...]`."""
        chosen = tf.one_hot(action, self.num_actions, dtype=parameters.dtype)
        return tf.reduce_sum(tf.nn.log_softmax(parameters) * chosen, axis=-1)

    def entropy(self, parameters: Any) -> Any:
        """-Σ p log p, in nats, `[...]`."""
        log_p = tf.nn.log_softmax(parameters)
        return -tf.reduce_sum(tf.exp(log_p) * log_p, axis=-1)

    def kl(self, old: Any, new: Any) -> Any:
        """KL(old ‖ new), in nats, `[...]`."""
        log_old, log_new = tf.nn.log_softmax(old), tf.nn.log_softmax(new)
        return tf.reduce_sum(tf.exp(log_old) * (log_old - log_new), axis=-1)

    def fisher_metric(self, parameters: Any, tangent: Any) -> Any:
        """M v, with M = diag(p) - p pᵀ the Hessian of KL at equal logits."""
        p = tf.nn.softmax(parameters)
        return p * (tangent - tf.reduce_sum(p * tangent, axis=-1, keepdims=True))

    def mode(self, parameters: Any) -> Any:
        """The most probable action, int32 `[...]`."""
        return tf.argmax(parameters, axis=-1, output_type=tf.int32)

    def sample(self, parameters: Any, uniform: Any) -> Any:
        """Inverse-CDF sample from uniforms `[..., 1]`, int32 `[...]`."""
        cumulative = tf.cumsum(tf.nn.softmax(parameters), axis=-1)
        # The last bin takes what rounding leaves over.
        below = tf.cast(uniform >= cumulative[..., :-1], tf.int32)
        return tf.reduce_sum(below, axis=-1)


class DiagonalGaussian(NamedTuple):
    """`A` independent real actions. Parameters: (mean, log σ) `[..., 2A]`."""

    size: int

    @property
    def parameter_size(self) -> int:
        return 2 * self.size

    @property
    def uniforms(self) -> int:
        """How many uniform numbers a sample takes."""
        return 2 * self.size

    def split(self, parameters: Any) -> tuple[Any, Any]:
        """(mean, log σ), each `[..., A]`."""
        return parameters[..., : self.size], parameters[..., self.size :]

    def log_prob(self, parameters: Any, action: Any) -> Any:
        """log density, `[...]`."""
        mean, log_scale = self.split(parameters)
        z = (action - mean) * tf.exp(-log_scale)
        return -tf.reduce_sum(0.5 * (z * z + _LOG_2_PI) + log_scale, axis=-1)

    def entropy(self, parameters: Any) -> Any:
        """Differential entropy, in nats, `[...]`."""
        _, log_scale = self.split(parameters)
        return tf.reduce_sum(log_scale + 0.5 * (_LOG_2_PI + 1.0), axis=-1)

    def kl(self, old: Any, new: Any) -> Any:
        """KL(old ‖ new), in nats, `[...]`."""
        (mean_0, log_0), (mean_1, log_1) = self.split(old), self.split(new)
        shift = (
            tf.exp(2.0 * (log_0 - log_1)) + ((mean_0 - mean_1) * tf.exp(-log_1)) ** 2
        )
        return tf.reduce_sum(log_1 - log_0 + 0.5 * (shift - 1.0), axis=-1)

    def fisher_metric(self, parameters: Any, tangent: Any) -> Any:
        """M v, with M = diag(σ⁻², 2) the Hessian of KL at equal parameters."""
        _, log_scale = self.split(parameters)
        t_mean, t_log_scale = self.split(tangent)
        return tf.concat([t_mean * tf.exp(-2.0 * log_scale), 2.0 * t_log_scale], -1)

    def mode(self, parameters: Any) -> Any:
        """The mean, `[..., A]`."""
        return self.split(parameters)[0]

    def sample(self, parameters: Any, uniform: Any) -> Any:
        """Box-Muller sample from uniforms `[..., 2A]` in [0, 1), `[..., A]`."""
        mean, log_scale = self.split(parameters)
        radius, angle = self.split(uniform)
        radius = tf.sqrt(-2.0 * tf.math.log(1.0 - radius))
        return mean + tf.exp(log_scale) * radius * tf.cos(2.0 * math.pi * angle)


def within_bounds(mean: Any, action_spec: Any) -> Any:
    """Means `[..., A]` brought within the actions' bounds by a tanh of slope 1 at 0.

    Where a range is wider than `WIDEST`, a mean stays as it is.
    """
    shape = action_spec.shape
    low = np.broadcast_to(action_spec.minimum, shape).astype(np.float64)
    high = np.broadcast_to(action_spec.maximum, shape).astype(np.float64)
    narrow = high - low <= WIDEST
    middle = np.where(narrow, (high + low) / 2, 0.0).astype(np.float32)
    reach = np.where(narrow, (high - low) / 2, 1.0).astype(np.float32)
    return tf.where(narrow, middle + reach * tf.tanh(mean / reach), mean)


def distribution_for(action_spec: Any) -> Categorical | DiagonalGaussian:
    """The distribution over actions of a TF-Agents `BoundedTensorSpec`.

    Raises:
        UserError: The actions are neither 0 ... A - 1 nor a vector of real numbers.
    """
    rank, discrete = action_spec.shape.rank, action_spec.dtype.is_integer
    lowest = getattr(action_spec, "minimum", None)
    if discrete and rank == 0 and lowest == 0:
        return Categorical(int(action_spec.maximum) + 1)
    if not discrete and rank == 1:
        return DiagonalGaussian(int(action_spec.shape[0]))
    raise UserError(
        "action_spec",
        f"{action_spec.dtype.name} {tuple(action_spec.shape)} from {lowest}",
        "has no distribution here",
        "use one integer from 0, or a vector of real numbers",
    )
