"""The hand-written scan against automatic differentiation and finite differences."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from kerasmeta._keras import tf
from kerasmeta.layers import LSTMState, ep_lstm_scan, ep_lstm_step, simple_scan

T, B, H = 6, 3, 4
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
VARIANTS = list(itertools.product(["tanh", "identity", None], ["float64", "float32"]))


class Inputs(NamedTuple):
    """What a scan is differentiated by, and what it is not."""

    projected: Any
    kernel: Any
    hidden: Any
    cell: Any
    memory: Any
    reset: Any


def some_inputs(activation: str | None, dtype: str, units: int = H) -> Inputs:
    """Resets fall on the first, a middle and the last step; one row has none."""
    rng = np.random.default_rng(4)

    def draw(*shape: int) -> Any:
        return tf.constant(rng.normal(scale=0.7, size=shape), dtype)

    width = (4 if activation is None else 5) * units
    reset = np.zeros([T, B], bool)
    reset[[0, 3, T - 1], 0] = True
    reset[2, 1] = True
    return Inputs(
        draw(T, B, width),
        draw(units, width),
        draw(B, units),
        draw(B, units),
        None if activation is None else draw(T, B, units),
        tf.constant(reset),
    )


def run(scan: Callable[..., Any], inputs: Inputs, activation: str | None) -> Any:
    projected, kernel, hidden, cell, memory, reset = inputs
    return scan(
        projected, memory, reset, LSTMState(hidden, cell), kernel, activation or "tanh"
    )


def wave(shape: Any, phase: float, dtype: Any) -> Any:
    """Numbers that are all different."""
    count = int(np.prod(shape))
    return tf.constant(np.sin(np.arange(count) + phase).reshape(shape), dtype)


def derivatives(scan: Callable[..., Any], inputs: Inputs, activation: Any) -> Any:
    """Value, gradient J^T u and directional derivative J v of a scan."""
    variables, dtype = list(inputs[:4]), inputs.hidden.dtype
    shape = [*inputs.projected.shape[:2], inputs.hidden.shape[-1]]
    cotangent = [wave(shape, 0.1, dtype), wave(shape, 0.2, dtype)]
    with tf.GradientTape() as outer:
        outer.watch(cotangent)
        with tf.GradientTape() as tape:
            tape.watch(variables)
            value = run(scan, inputs, activation)
        adjoint = tape.gradient(value, variables, output_gradients=cotangent)
    vector = [wave(variable.shape, 0.3, dtype) for variable in variables]
    tangent = outer.gradient(adjoint, cotangent, output_gradients=vector)
    return value, adjoint, tangent


def check_close(found: Any, expected: Any, tolerance: float) -> None:
    found, expected = tf.nest.flatten(found), tf.nest.flatten(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.abs(other).max() > 0.01, "nothing is tested"
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


MODES = {
    "eager": lambda function: function,
    "graph": lambda function: tf.function(function, autograph=False),
    "xla": lambda function: tf.function(function, jit_compile=True, autograph=False),
}


@functools.cache
def automatic(activation: str | None, dtype: str) -> Any:
    """The oracle's, which are the same for every mode."""
    return derivatives(simple_scan, some_inputs(activation, dtype), activation)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("activation", "dtype"), VARIANTS)
def test_equals_automatic_differentiation(
    mode: str, activation: str | None, dtype: str
) -> None:
    """Value, gradient to every input, directional derivative; resets included."""
    inputs = some_inputs(activation, dtype)

    def call(*inputs: Any) -> Any:
        return derivatives(ep_lstm_scan, Inputs(*inputs), activation)

    found = MODES[mode](call)(*inputs)
    check_close(found, automatic(activation, dtype), TOLERANCE[dtype])


def test_simple_scan_is_the_cell_step_by_step() -> None:
    inputs = some_inputs("tanh", "float64")
    hiddens, cells = run(simple_scan, inputs, "tanh")
    for row in range(B):
        state = LSTMState(inputs.hidden[row][None], inputs.cell[row][None])
        for t in range(T):
            if inputs.reset[t, row]:
                state = LSTMState(np.zeros([1, H]), np.zeros([1, H]))
            projected, memory = inputs.projected[t, row], inputs.memory[t, row]
            state, _ = ep_lstm_step(projected[None], memory[None], state, inputs.kernel)
            np.testing.assert_allclose(hiddens[t, row], state.hidden[0], atol=1e-14)
            np.testing.assert_allclose(cells[t, row], state.cell[0], atol=1e-14)


@pytest.mark.parametrize("activation", ["tanh", "identity", None])
def test_gradient_equals_finite_differences(activation: str | None) -> None:
    """Central differences of a scalar of all outputs, component by component."""
    inputs = some_inputs(activation, "float64", units=2)
    weights = [wave([T, B, 2], phase, tf.float64) for phase in (0.1, 0.2)]

    @tf.function(autograph=False)
    def scalar(*inputs: Any) -> Any:
        outputs = run(ep_lstm_scan, Inputs(*inputs), activation)
        parts = [tf.reduce_sum(x * w) for x, w in zip(outputs, weights, strict=True)]
        return tf.add_n(parts)

    variables = list(inputs[:4])
    with tf.GradientTape() as tape:
        tape.watch(variables)
        total = scalar(*inputs)
    gradients = tape.gradient(total, variables)
    step = 1e-6
    for position, gradient in enumerate(gradients):
        flat = variables[position].numpy().ravel()
        for component in range(0, flat.size, 7):
            moved = []
            for sign in (1, -1):
                shifted = flat.copy()
                shifted[component] += sign * step
                shifted = shifted.reshape(variables[position].shape)
                changed = [*inputs]
                changed[position] = tf.constant(shifted)
                moved.append(float(scalar(*changed)))
            slope = (moved[0] - moved[1]) / (2 * step)
            found = gradient.numpy().ravel()[component]
            assert found == pytest.approx(slope, abs=1e-7, rel=1e-7)


def test_tangent_and_adjoint_are_transposes() -> None:
    """<u, J v> = <J^T u, v>, which no test with autodiff's own errors can fake."""
    inputs = some_inputs("tanh", "float64")
    _, adjoint, tangent = derivatives(ep_lstm_scan, inputs, "tanh")
    cotangent = [wave([T, B, H], phase, tf.float64) for phase in (0.1, 0.2)]
    vector = [wave(variable.shape, 0.3, tf.float64) for variable in inputs[:4]]

    def dot(left: Any, right: Any) -> float:
        return sum(
            float(tf.reduce_sum(a * b)) for a, b in zip(left, right, strict=True)
        )

    assert dot(cotangent, tangent) == pytest.approx(dot(adjoint, vector), rel=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_second_derivatives_not_offered_are_nan(mode: str) -> None:
    inputs = some_inputs("tanh", "float32")

    def call(*inputs: Any) -> Any:
        variables = list(inputs[:4])
        with tf.GradientTape() as outer:
            outer.watch(variables)
            with tf.GradientTape() as tape:
                tape.watch(variables)
                hiddens, _ = run(ep_lstm_scan, Inputs(*inputs), "tanh")
                total = tf.reduce_sum(hiddens**2)
            adjoint = tape.gradient(total, variables)
        return outer.gradient(adjoint, variables)

    for second in MODES[mode](call)(*inputs):
        assert np.isnan(second).all()


def test_memory_carries_no_gradient() -> None:
    inputs = some_inputs("tanh", "float32")
    with tf.GradientTape() as tape:
        tape.watch(inputs.memory)
        value = run(ep_lstm_scan, inputs, "tanh")
    assert tape.gradient(value, inputs.memory) is None


def test_a_reset_forgets_everything_before_it() -> None:
    """What precedes a reset changes neither what follows nor its gradient."""
    inputs = some_inputs("tanh", "float64")
    reset = np.zeros([T, B], bool)
    reset[3] = True
    inputs = inputs._replace(reset=tf.constant(reset))
    with tf.GradientTape() as tape:
        tape.watch([inputs.projected, inputs.hidden, inputs.cell])
        hiddens, cells = run(ep_lstm_scan, inputs, "tanh")
        after = tf.reduce_sum(hiddens[3:]) + tf.reduce_sum(cells[3:])
    fresh = inputs._replace(
        projected=inputs.projected[3:],
        memory=inputs.memory[3:],
        reset=tf.zeros([T - 3, B], bool),
        hidden=tf.zeros_like(inputs.hidden),
        cell=tf.zeros_like(inputs.cell),
    )
    for whole, part in zip(
        (hiddens, cells), run(ep_lstm_scan, fresh, "tanh"), strict=True
    ):
        np.testing.assert_allclose(whole[3:], part, rtol=0, atol=1e-14)
    d_projected, d_hidden, d_cell = tape.gradient(
        after, [inputs.projected, inputs.hidden, inputs.cell]
    )
    assert not d_projected[:3].numpy().any()
    assert d_projected[4:].numpy().all()
    assert not d_hidden.numpy().any()
    assert not d_cell.numpy().any()


@pytest.mark.parametrize("known", [(), ("projected",), ("state",), ("memory",)])
def test_any_number_of_steps_with_one_trace(known: tuple[str, ...]) -> None:
    """T is not known to the graph, and B for some tensors only, or for none."""
    inputs = some_inputs("tanh", "float32")
    size = {name: B if name in known else None for name in ("projected", "memory")}
    rows = B if "state" in known else None

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, size["projected"], 5 * H]),
            tf.TensorSpec([None, size["memory"], H]),
            tf.TensorSpec([None, None], tf.bool),
            tf.TensorSpec([rows, H]),
        ],
        autograph=False,
    )
    def gradients(projected: Any, memory: Any, reset: Any, start: Any) -> Any:
        state = LSTMState(start, start)
        with tf.GradientTape() as tape:
            tape.watch([projected, start])
            hiddens, _ = ep_lstm_scan(projected, memory, reset, state, inputs.kernel)
            total = tf.reduce_sum(hiddens**2)
        return hiddens, *tape.gradient(total, [projected, start])

    for steps in (T, 2, 1):
        parts = (inputs.projected, inputs.memory, inputs.reset)
        cut = [part[:steps] for part in parts]
        found = gradients(*cut, inputs.hidden)
        expected = gradients.python_function(*cut, inputs.hidden)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
    assert gradients.experimental_get_tracing_count() == 1
