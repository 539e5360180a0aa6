"""The numerics of trust region policy optimisation, as functions of callables.

Schulman et al. (2015). Trust Region Policy Optimization. ICML; Schulman et al. (2016).
High-dimensional continuous control using generalized advantage estimation. ICLR. None
of these functions knows what a network is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kerasmeta._keras import tf


def flatten(tensors: list[Any]) -> Any:
    """A list of tensors as one vector `[P]`."""
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)


def unflatten(vector: Any, like: list[Any]) -> list[Any]:
    """The inverse of `flatten`, with the shapes of `like`."""
    sizes = [tensor.shape.num_elements() for tensor in like]
    parts = tf.split(vector, sizes)
    return [tf.reshape(part, t.shape) for part, t in zip(parts, like, strict=True)]


def conjugate_gradient(
    product: Callable[[Any], Any], b: Any, iterations: int, tolerance: float = 1e-10
) -> Any:
    """Solves A x = b for a symmetric positive definite A given as `product(v) = A v`.

    Args:
        product: Maps `[P]` to `[P]`.
        b: `[P]`.
        iterations: The most products to take.
        tolerance: Stops early where |r|² falls below it times |b|².

    Returns:
        x, `[P]`.
    """
    threshold = tolerance * tf.reduce_sum(b * b)

    def running(n: Any, x: Any, r: Any, p: Any, rr: Any) -> Any:
        return (n < iterations) & (rr > threshold)

    def body(n: Any, x: Any, r: Any, p: Any, rr: Any) -> tuple[Any, ...]:
        a_p = product(p)
        alpha = tf.math.divide_no_nan(rr, tf.reduce_sum(p * a_p))
        x, r = x + alpha * p, r - alpha * a_p
        new_rr = tf.reduce_sum(r * r)
        p = r + tf.math.divide_no_nan(new_rr, rr) * p
        return n + 1, x, r, p, new_rr

    start = (tf.constant(0), tf.zeros_like(b), b, b, tf.reduce_sum(b * b))
    return tf.while_loop(running, body, start, maximum_iterations=iterations)[1]


def gauss_newton_product(
    outputs: Any,
    parameters: list[Any],
    tape: Any,
    adjoint: list[Any],
    outer: Any,
    cotangent: Any,
    metric: Callable[[Any], Any],
) -> Callable[[Any], Any]:
    """v -> Jᵀ M J v, with J the Jacobian of `outputs` to `parameters`.

    J v is had by differentiating Jᵀ u with respect to u ("double vjp"): exact, and
    possible through any differentiable program.

    Args:
        outputs: `[...]`, recorded by `tape` from `parameters`.
        parameters: The variables.
        tape: A persistent `tf.GradientTape`.
        adjoint: Jᵀ u, taken from `tape` under the persistent tape `outer`, which
            watches `cotangent`.
        outer: See `adjoint`.
        cotangent: u, of the shape of `outputs`; its value does not matter.
        metric: t -> M t, at the outputs.
    """

    def product(vector: Any) -> Any:
        tangent = unflatten(vector, parameters)
        moved = outer.gradient(adjoint, cotangent, output_gradients=tangent)  # J v
        pulled = tape.gradient(outputs, parameters, output_gradients=metric(moved))
        return flatten(pulled)

    return product


class LineSearch(NamedTuple):
    """How a line search ended."""

    accepted: Any  # bool
    step_size: Any  # the fraction of the full step taken, 0 where none was accepted
    surrogate: Any  # the surrogate's improvement there
    kl: Any  # the mean KL there
    trials: Any  # int32, how many steps were tried


def line_search(
    evaluate: Callable[[Any], tuple[Any, Any]],
    backtrack: float,
    max_trials: int,
    max_kl: float,
) -> LineSearch:
    """Shrinks a step until the surrogate improves and the KL holds.

    Args:
        evaluate: Maps a fraction of the full step to (surrogate improvement, KL) there.
        backtrack: The factor between trials, in (0, 1).
        max_trials: After so many failures the step is given up.
        max_kl: The largest KL accepted, in nats.

    A NaN fails every comparison and so is never accepted.
    """

    def running(n: Any, accepted: Any, *_: Any) -> Any:
        return (n < max_trials) & tf.logical_not(accepted)

    def body(n: Any, _accepted: Any, size: Any, *_: Any) -> tuple[Any, ...]:
        size = tf.where(n > 0, size * backtrack, size)
        surrogate, kl = evaluate(size)
        good = (surrogate > 0.0) & (kl <= max_kl)
        return n + 1, good, size, surrogate, kl

    zero = tf.zeros([])
    trials, accepted, size, surrogate, kl = tf.while_loop(
        running,
        body,
        (tf.constant(0), tf.constant(False), tf.ones([]), zero, zero),
        maximum_iterations=max_trials,
    )
    size, surrogate, kl = (
        tf.where(accepted, x, tf.zeros_like(x)) for x in (size, surrogate, kl)
    )
    return LineSearch(accepted, size, surrogate, kl, trials)
