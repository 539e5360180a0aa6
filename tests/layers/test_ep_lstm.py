"""The epLSTM cell against a unit-by-unit loop, and against the LSTM of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import reference
from harness.layer_contract import check_cell

from kerasmeta import UserError
from kerasmeta._keras import keras, tf
from kerasmeta.layers import EpLSTMCell, LSTMState

F, H = 3, 4


def some_inputs(batch: int, time: int) -> tuple[np.ndarray, ...]:
    """Features and memories."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(batch, time, F)), rng.normal(size=(batch, time, H))


def built(**arguments: object) -> EpLSTMCell:
    """A float64 cell with biases that are not all equal."""
    cell = EpLSTMCell(H, seed=5, dtype="float64", **arguments)
    cell.build([tf.TensorShape([None, F]), tf.TensorShape([None, H])])
    rng = np.random.default_rng(2)
    cell.bias.assign_add(rng.normal(size=cell.bias.shape))
    return cell


def keras_lstm(cell: EpLSTMCell) -> keras.layers.LSTM:
    """Keras' LSTM with the weights of a cell: its order is i, f, g, o."""
    blocks = {"i": 0, "f": 1, "o": 2, "g": cell.gates - 1}
    columns = np.concatenate([np.arange(H) + H * blocks[name] for name in "ifgo"])
    lstm = keras.layers.LSTM(
        H, return_sequences=True, return_state=True, dtype="float64", implementation=1
    )
    lstm(np.zeros([1, 1, F]))
    lstm.set_weights([weight.numpy()[..., columns] for weight in cell.weights])
    return lstm


@pytest.mark.parametrize("reinstatement", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_keeps_the_cell_contract(reinstatement: bool, activation: str) -> None:
    def make(dtype: str) -> EpLSTMCell:
        return EpLSTMCell(H, activation, reinstatement, seed=3, dtype=dtype)

    width = (5 if reinstatement else 4) * H
    shapes = {"kernel": (F, width), "recurrent_kernel": (H, width), "bias": (width,)}
    check_cell(make, some_inputs, shapes)


@pytest.mark.parametrize("reinstatement", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_step_equals_a_loop_over_units(reinstatement: bool, activation: str) -> None:
    cell = built(reinstate_activation=activation, reinstatement=reinstatement)
    rng = np.random.default_rng(3)
    x, m, h, c = (2.0 * rng.normal(size=(2, size)) for size in (F, H, H, H))
    state, gates = cell.step(tf.constant(x), tf.constant(m), LSTMState(h, c))
    act = np.tanh if activation == "tanh" else lambda value: value
    for row in range(2):
        hidden, cell_state = reference.ep_lstm_step(
            x[row],
            m[row] if reinstatement else None,
            h[row],
            c[row],
            *(weight.numpy() for weight in cell.weights),
            activation=act,
        )
        np.testing.assert_allclose(state.hidden[row], hidden, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state.cell[row], cell_state, rtol=0, atol=1e-12)
    # The gates reported are those that made the state.
    remade = gates.input * gates.candidate + gates.forget * c
    if reinstatement:
        remade += gates.reinstatement * act(m)
    np.testing.assert_allclose(remade, state.cell, rtol=0, atol=1e-12)
    np.testing.assert_allclose(gates.output * tf.tanh(remade), state.hidden, atol=1e-12)


@pytest.mark.parametrize("closed_by", ["bias", "empty memory", "no gate"])
def test_is_kerass_lstm_where_nothing_is_reinstated(closed_by: str) -> None:
    cell = built(reinstatement=closed_by != "no gate")
    x, m = some_inputs(2, 6)
    if closed_by == "bias":
        bias = cell.bias.numpy()
        bias[3 * H : 4 * H] = -1e9
        cell.bias.assign(bias)
    if closed_by == "empty memory":
        m = np.zeros_like(m)
    rnn = keras.layers.RNN(
        cell, return_sequences=True, return_state=True, dtype="float64"
    )
    expected = keras_lstm(cell)(x)
    for ours, theirs in zip(rnn((x, m)), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)


def test_an_open_gate_reinstates_the_memory() -> None:
    """i and f closed, r and o open: c' = tanh(m), h' = tanh(tanh(m))."""
    cell = built()
    cell.kernel.assign(tf.zeros_like(cell.kernel))
    cell.recurrent_kernel.assign(tf.zeros_like(cell.recurrent_kernel))
    cell.bias.assign(np.repeat([-1e9, -1e9, 1e9, 1e9, 0.0], H))
    m = np.linspace(-2, 2, H)[None]
    ones = np.ones([1, H])
    state, _ = cell.step(np.ones([1, F]), m, LSTMState(ones, ones))
    np.testing.assert_allclose(state.cell, np.tanh(m), rtol=0, atol=1e-15)
    np.testing.assert_allclose(state.hidden, np.tanh(np.tanh(m)), rtol=0, atol=1e-15)


def test_gates_do_not_see_the_memory() -> None:
    cell = built()
    x, h, c = np.ones([1, F]), np.ones([1, H]), np.ones([1, H])
    _, one = cell.step(x, np.zeros([1, H]), LSTMState(h, c))
    _, other = cell.step(x, np.ones([1, H]), LSTMState(h, c))
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("settings", [{}, {"forget_bias": 2.5}], ids=["", "forget"])
@pytest.mark.parametrize("reinstatement", [True, False])
def test_initial_weights(reinstatement: bool, settings: dict[str, Any]) -> None:
    cell = EpLSTMCell(H, reinstatement=reinstatement, seed=7, **settings)
    cell.build([tf.TensorShape([None, F]), tf.TensorShape([None, H])])
    blocks = np.split(cell.recurrent_kernel.numpy(), cell.gates, axis=1)
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(H), atol=1e-5)
    kernels = np.split(cell.kernel.numpy(), cell.gates, axis=1)
    limit = np.sqrt(6 / (F + H))  # Glorot uniform of one gate's block
    for kernel in kernels:
        assert 0.5 * limit < np.abs(kernel).max() <= limit
    for drawn in (blocks, kernels):  # no two gates begin alike
        for n, block in enumerate(drawn):
            for other in drawn[:n]:
                assert np.abs(block - other).max() > 0.1
    expected_bias = np.zeros(cell.gates * H)
    expected_bias[H : 2 * H] = settings.get("forget_bias", 1.0)
    np.testing.assert_array_equal(cell.bias, expected_bias)


def test_the_seed_decides_the_initial_weights() -> None:
    def weights(seed: int | None) -> list[np.ndarray]:
        cell = EpLSTMCell(H, seed=seed)
        cell.build([tf.TensorShape([None, F]), tf.TensorShape([None, H])])
        return [weight.numpy() for weight in cell.weights[:2]]

    for one, same, other, drawn in zip(
        weights(1), weights(1), weights(2), weights(None), strict=True
    ):
        np.testing.assert_array_equal(one, same)
        assert (one != other).all()
        assert (one != drawn).all()


def test_arguments_are_checked() -> None:
    for argument, value in [
        ("units", 0),
        ("units", 2.5),
        ("reinstate_activation", "relu"),
    ]:
        with pytest.raises(UserError, match=argument):
            EpLSTMCell(**{"units": H, argument: value})
