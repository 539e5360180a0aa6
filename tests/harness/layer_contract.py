"""What every recurrent cell of the library promises, checked in one call.

Serialisation round trip, weights, eager = graph = XLA, one trace for any batch and
length, rows that do not influence each other, float32 and float64, and use inside
`tf.keras.layers.RNN`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmeta._keras import keras, tf

BATCH, TIME = 3, 5


def check_cell(
    make_cell: Callable[..., Any],
    make_inputs: Callable[[int, int], tuple[np.ndarray, ...]],
    weight_shapes: dict[str, tuple[int, ...]],
) -> None:
    """Runs every check.

    Args:
        make_cell: Builds the cell; takes `dtype`.
        make_inputs: (batch, time) to the cell's inputs `[B, T, ...]`, float64.
        weight_shapes: The weights expected, by name.
    """
    inputs = make_inputs(BATCH, TIME)
    rnn = keras.layers.RNN(
        make_cell(dtype="float64"), return_sequences=True, dtype="float64"
    )
    output = rnn(inputs)
    _check_weights(rnn.cell, weight_shapes)
    assert output.shape == (BATCH, TIME, rnn.cell.output_size)
    assert output.dtype == tf.float64
    assert float(tf.reduce_max(tf.abs(output))) > 1e-3, "the inputs test nothing"
    _check_config(rnn, inputs, output)
    _check_graph(rnn, inputs, output)
    _check_rows(rnn, inputs, output)
    _check_float32(rnn, make_cell(dtype="float32"), inputs, output)


def _check_weights(cell: Any, weight_shapes: dict[str, tuple[int, ...]]) -> None:
    found = {
        weight.name.split("/")[-1].split(":")[0]: tuple(weight.shape)
        for weight in cell.weights
    }
    assert found == weight_shapes
    assert len(cell.trainable_weights) == len(weight_shapes)


def _check_config(rnn: Any, inputs: Any, output: Any) -> None:
    cell_config = json.loads(json.dumps(keras.layers.serialize(rnn.cell)))
    again = keras.layers.deserialize(cell_config)
    assert type(again) is type(rnn.cell)
    assert again.get_config() == rnn.cell.get_config()
    assert cell_config["registered_name"].startswith("kerasmeta>")
    rnn_config = json.loads(json.dumps(keras.layers.serialize(rnn)))
    copy = keras.layers.deserialize(rnn_config)
    copy(inputs)
    copy.set_weights(rnn.get_weights())
    np.testing.assert_array_equal(copy(inputs), output)


def _check_graph(rnn: Any, inputs: Any, output: Any) -> None:
    signature = [
        tf.TensorSpec([None, None, part.shape[-1]], part.dtype) for part in inputs
    ]
    traced = tf.function(
        lambda *parts: rnn(parts), input_signature=signature
    ).get_concrete_function()
    tensors = [tf.constant(part) for part in inputs]
    np.testing.assert_allclose(traced(*tensors), output, rtol=0, atol=1e-12)
    shorter = [part[:1, :2] for part in tensors]  # one trace, another batch and length
    np.testing.assert_allclose(traced(*shorter), output[:1, :2], rtol=0, atol=1e-12)
    compiled = tf.function(lambda *parts: rnn(parts), jit_compile=True, autograph=False)
    np.testing.assert_allclose(compiled(*tensors), output, rtol=0, atol=1e-12)


def _check_rows(rnn: Any, inputs: Any, output: Any) -> None:
    for row in range(BATCH):
        alone = rnn(tuple(part[row : row + 1] for part in inputs))
        np.testing.assert_allclose(alone[0], output[row], rtol=0, atol=1e-12)


def _check_float32(rnn: Any, cell: Any, inputs: Any, output: Any) -> None:
    single = keras.layers.RNN(cell, return_sequences=True)
    inputs = tuple(part.astype(np.float32) for part in inputs)
    single(inputs)
    single.set_weights(rnn.get_weights())
    result = single(inputs)
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, output, rtol=0, atol=1e-5)
