"""TRPO's numerics against linear algebra written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kerasmeta._keras import tf
from kerasmeta.agents.trust_region import (
    LineSearch,
    conjugate_gradient,
    flatten,
    gauss_newton_product,
    line_search,
    unflatten,
)
from kerasmeta.layers import EpLSTMCell, LSTMState, ep_lstm_scan, simple_scan
from kerasmeta.networks import Categorical, DiagonalGaussian

GRAPH = pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])


def positive_definite(eigenvalues: list[float], rng: np.random.Generator) -> np.ndarray:
    size = len(eigenvalues)
    basis, _ = np.linalg.qr(rng.normal(size=(size, size)))
    return basis @ np.diag(eigenvalues) @ basis.T


def counted(matrix: np.ndarray) -> tuple[Callable[[Any], Any], list[Any]]:
    """v -> A v, and a list that grows by one with every product (eagerly)."""
    calls: list[Any] = []

    def product(vector: Any) -> Any:
        calls.append(vector)
        return tf.linalg.matvec(tf.constant(matrix, vector.dtype), vector)

    return product, calls


def test_flatten_and_unflatten_are_inverse(rng: np.random.Generator) -> None:
    tensors = [tf.constant(rng.normal(size=shape)) for shape in ((2, 3), (), (4,))]
    vector = flatten(tensors)
    expected = np.concatenate([tensor.numpy().ravel() for tensor in tensors])
    np.testing.assert_array_equal(vector, expected)
    for one, other in zip(unflatten(vector, tensors), tensors, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.shape == other.shape


@GRAPH
def test_conjugate_gradient_solves_a_known_system(
    graph: bool, rng: np.random.Generator
) -> None:
    matrix = positive_definite([0.1, 0.5, 1.0, 2.0, 3.0, 10.0], rng)
    b = rng.normal(size=6)

    def solve(b: Any) -> Any:
        return conjugate_gradient(counted(matrix)[0], b, iterations=6, tolerance=0.0)

    found = (tf.function(solve, autograph=False) if graph else solve)(tf.constant(b))
    np.testing.assert_allclose(found, np.linalg.solve(matrix, b), rtol=1e-8)


@pytest.mark.parametrize(
    ("eigenvalues", "products"),
    [([2.0] * 6, 1), ([1.0, 1.0, 4.0, 4.0, 4.0, 4.0], 2), ([1, 2, 3, 4, 5, 6], 5)],
)
def test_conjugate_gradient_stops_when_done(
    eigenvalues: list[float], products: int, rng: np.random.Generator
) -> None:
    """One product for each distinct eigenvalue, and no more than allowed."""
    matrix, b = positive_definite(eigenvalues, rng), rng.normal(size=6)
    product, calls = counted(matrix)
    found = conjugate_gradient(product, tf.constant(b), iterations=5)
    assert len(calls) == products
    if products < 5:
        np.testing.assert_allclose(found, np.linalg.solve(matrix, b), rtol=1e-5)


def test_conjugate_gradient_descends(rng: np.random.Generator) -> None:
    """The error in the norm of A falls with every product."""
    matrix = positive_definite([0.01, 0.1, 1.0, 2.0, 5.0, 20.0], rng)
    b = rng.normal(size=6)
    solution = np.linalg.solve(matrix, b)

    def error(iterations: int) -> float:
        found = conjugate_gradient(counted(matrix)[0], tf.constant(b), iterations)
        wrong = found.numpy() - solution
        return float(wrong @ matrix @ wrong)

    errors = [error(iterations) for iterations in range(1, 7)]
    assert (np.diff(errors) < 0).all()


@GRAPH
def test_conjugate_gradient_of_nothing_is_nothing(graph: bool) -> None:
    product, calls = counted(np.eye(3))

    def solve(b: Any) -> Any:
        return conjugate_gradient(product, b, iterations=5)

    found = (tf.function(solve, autograph=False) if graph else solve)(tf.zeros([3]))
    np.testing.assert_array_equal(found, 0.0)
    assert graph or not calls


class RecurrentPolicy:
    """An epLSTM and a linear head in float64, small enough for explicit Jacobians."""

    T, B, F, H = 5, 2, 2, 3

    def __init__(self, distribution: Any) -> None:
        rng = np.random.default_rng(6)
        size = distribution.parameter_size
        self.distribution = distribution
        self.cell = EpLSTMCell(self.H, seed=1, dtype="float64")
        self.x = tf.constant(rng.normal(size=(self.T, self.B, self.F)))
        self.memory = tf.constant(rng.normal(size=(self.T, self.B, self.H)))
        self.reset = tf.constant(rng.random([self.T, self.B]) < 0.3)
        self.weight = tf.constant(rng.random([self.T, self.B, 1]))
        self.cell.build([self.x.shape])
        self.head = tf.Variable(rng.normal(size=(self.H, size)))
        self.variables = [*self.cell.trainable_variables, self.head]
        self.size = sum(int(np.prod(v.shape)) for v in self.variables)

    def outputs(self, scan: Callable[..., Any]) -> Any:
        zeros = tf.zeros([self.B, self.H], tf.float64)
        hidden, _ = scan(
            self.cell.project(self.x),
            self.memory,
            self.reset,
            LSTMState(zeros, zeros),
            self.cell.recurrent_kernel,
        )
        return tf.tensordot(hidden, self.head, axes=1)  # [T, B, P]

    def metric(self, outputs: Any, tangent: Any) -> Any:
        return self.weight * self.distribution.fisher_metric(outputs, tangent)

    def explicit(self) -> np.ndarray:
        """J^T M J, from the Jacobian of the cell stepped one by one."""
        with tf.GradientTape() as tape:
            outputs = tf.reshape(self.outputs(simple_scan), [-1])
        blocks = tape.jacobian(outputs, self.variables)
        count = outputs.shape[0]
        jacobian = np.concatenate([tf.reshape(b, [count, -1]) for b in blocks], axis=1)
        shape = [self.T, self.B, -1]
        columns = [
            tf.reshape(
                self.metric(tf.reshape(outputs, shape), tf.reshape(unit, shape)), [-1]
            )
            for unit in tf.eye(count, dtype=tf.float64)
        ]
        return jacobian.T @ np.stack(columns, axis=1) @ jacobian

    def product(self) -> Callable[[Any], Any]:
        """v -> J^T M J v, through the hand-written scan."""
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape(persistent=True) as tape:
                outputs = self.outputs(ep_lstm_scan)
            cotangent = tf.zeros_like(outputs)
            outer.watch(cotangent)
            adjoint = tape.gradient(outputs, self.variables, output_gradients=cotangent)
        return gauss_newton_product(
            outputs,
            self.variables,
            tape,
            adjoint,
            outer,
            cotangent,
            lambda tangent: self.metric(tf.stop_gradient(outputs), tangent),
        )


@pytest.fixture(scope="module", params=[Categorical(3), DiagonalGaussian(2)])
def policy(request: pytest.FixtureRequest) -> tuple[RecurrentPolicy, np.ndarray]:
    """A policy and its explicit matrix, whose Jacobian is dear."""
    made = RecurrentPolicy(request.param)
    return made, made.explicit()


@GRAPH
def test_gauss_newton_product_equals_the_explicit_matrix(
    policy: tuple[RecurrentPolicy, np.ndarray], graph: bool
) -> None:
    recurrent, expected = policy

    def products(vectors: Any) -> Any:
        return tf.map_fn(recurrent.product(), vectors)  # in a loop, as under CG

    run = tf.function(products, autograph=False) if graph else products
    vectors = np.random.default_rng(7).normal(size=(6, recurrent.size))
    found = run(tf.constant(vectors)).numpy()
    error = np.linalg.norm(found - vectors @ expected, axis=1)
    assert (error <= 1e-8 * np.linalg.norm(vectors @ expected, axis=1)).all()
    gram = vectors @ found.T
    np.testing.assert_allclose(gram, gram.T, rtol=1e-10)  # symmetric
    assert np.linalg.eigvalsh(gram).min() > 0  # positive on six random directions


def search(
    surrogate: Callable[[Any], Any], kl: Callable[[Any], Any], **settings: Any
) -> LineSearch:
    settings = {"backtrack": 0.5, "max_trials": 4, "max_kl": 0.1, **settings}
    found = tf.function(
        lambda: line_search(lambda size: (surrogate(size), kl(size)), **settings),
        autograph=False,
    )()
    return LineSearch(*[part.numpy().item() for part in found])


def test_line_search_takes_the_full_step_where_it_is_good() -> None:
    found = search(lambda size: 2.0 * size, lambda size: 0.1 * size)
    assert found == pytest.approx((True, 1.0, 2.0, 0.1, 1))  # KL = max_kl holds


def test_line_search_shrinks_until_surrogate_and_kl_hold() -> None:
    """KL = 0.6 s^2 <= 0.1 from s = 1/4 on; the surrogate s - 2 s^2 > 0 below 1/2."""
    found = search(lambda size: size - 2 * size**2, lambda size: 0.6 * size**2)
    assert found == pytest.approx((True, 0.25, 0.125, 0.0375, 3))
    only_surrogate = search(lambda size: size - 2 * size**2, tf.zeros_like)
    assert only_surrogate.step_size == 0.25
    only_kl = search(tf.ones_like, lambda size: 0.3 * size**2)
    assert only_kl.step_size == 0.5


NAN = float("nan")


@pytest.mark.parametrize(
    ("surrogate", "kl"),
    [(-1.0, 0.0), (0.0, 0.0), (1.0, 0.2), (NAN, 0.0), (1.0, NAN), (NAN, NAN)],
)
def test_line_search_gives_up(surrogate: float, kl: float) -> None:
    found = search(lambda size: tf.constant(surrogate), lambda size: tf.constant(kl))
    assert found == (False, 0.0, 0.0, 0.0, 4)


def test_line_search_recovers_from_nan() -> None:
    """A first step that overflows is shortened like any other bad step."""
    found = search(lambda size: tf.where(size > 0.3, NAN, size), tf.zeros_like)
    assert found == pytest.approx((True, 0.25, 0.25, 0.0, 3))
