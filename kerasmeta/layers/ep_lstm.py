"""The epLSTM cell: an LSTM with a gate that reinstates a remembered cell state.

i, f, o, r = σ(W x + U h + b),  g = tanh(W_g x + U_g h + b_g)
c' = i ∘ g + f ∘ c + r ∘ tanh(m),  h' = o ∘ tanh(c')

Sources: Ritter et al. (2018). Been there, done that: Meta-learning with episodic
recall. ICML; the tanh on m is AlKhamissi's (2021, "The emergence of abstract and
episodic neurons in episodic meta-RL"). The gates see x and h, not m: with m = 0 or
r = 0 the cell is a plain LSTM exactly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import keras, tf
from kerasmeta.errors import UserError

ACTIVATIONS = ("tanh", "identity")


class LSTMState(NamedTuple):
    """The working memory. Both `[B, H]`."""

    hidden: Any
    cell: Any


class Gates(NamedTuple):
    """The gate activations of one step. Each `[B, H]`; `reinstatement` may be None."""

    input: Any
    forget: Any
    output: Any
    reinstatement: Any
    candidate: Any


def reinstated(memory: Any, activation: str) -> Any:
    """What the reinstatement gate multiplies: tanh(m), or m itself."""
    return tf.tanh(memory) if activation == "tanh" else memory


def apart(carried: Any) -> Any:
    """The same numbers `[B, H]`, which a compiled loop will not overwrite in place.

    XLA lets an elementwise step write its output over the state it carries, and LLVM
    does not vectorise a loop whose output is its input: the cell would take three times
    as long. An operand that is also read out of order is never shared.
    """
    return carried + 0.0 * tf.reverse(carried, axis=[1])


def gates_from(preactivation: Any, reinstatement: bool) -> Gates:
    """Splits `[B, 5H]` (i, f, o, r, g) or, without reinstatement, `[B, 4H]`."""
    *blocks, candidate = tf.split(preactivation, 5 if reinstatement else 4, axis=-1)
    i, f, o, *r = (tf.sigmoid(block) for block in blocks)
    return Gates(i, f, o, r[0] if r else None, tf.tanh(candidate))


def ep_lstm_step(
    projected: Any,
    memory: Any,
    state: LSTMState,
    recurrent_kernel: Any,
    activation: str = "tanh",
) -> tuple[LSTMState, Gates]:
    """One step of the cell.

    Args:
        projected: W x + b, `[B, 5H]` (gate order i, f, o, r, g), or `[B, 4H]`
            (i, f, o, g) where `memory` is None.
        memory: m, the retrieved cell state, `[B, H]`, or None for a plain LSTM.
        state: The previous `LSTMState`.
        recurrent_kernel: U, `[H, 5H]` or `[H, 4H]`.
        activation: On m: "tanh" (default) or "identity".

    Returns:
        The next `LSTMState` and the `Gates`.
    """
    preactivation = projected + tf.matmul(state.hidden, recurrent_kernel)
    gates = gates_from(preactivation, memory is not None)
    cell = gates.input * gates.candidate + gates.forget * state.cell
    if memory is not None:
        cell += gates.reinstatement * reinstated(memory, activation)
    hidden = gates.output * tf.tanh(cell)
    return LSTMState(hidden, cell), gates


class PerGate(keras.initializers.Initializer):
    """Initialises each gate's block of a kernel `[rows, gates * H]` on its own."""

    def __init__(self, initializer: Any, gates: int) -> None:
        self.initializer = keras.initializers.get(initializer)
        self.gates = gates

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        rows, columns = shape
        block = (rows, columns // self.gates)
        config = self.initializer.get_config()
        seed = config.get("seed")
        blocks = []
        for gate in range(self.gates):
            if seed is not None:  # one seed for all would make the gates equal
                config["seed"] = seed + gate
            blocks.append(self.initializer.from_config(config)(block, dtype=dtype))
        return tf.concat(blocks, axis=1)

    def get_config(self) -> dict[str, Any]:
        serialized = keras.initializers.serialize(self.initializer)
        return {"initializer": serialized, "gates": self.gates}


@keras.utils.register_keras_serializable(package="kerasmeta")
class EpLSTMCell(keras.layers.Layer):
    """An epLSTM cell for `tf.keras.layers.RNN` and the scans of this package.

    Weights: `kernel` `[F, 5H]`, `recurrent_kernel` `[H, 5H]`, `bias` `[5H]`; gate order
    i, f, o, r, g. Recurrent kernels are orthogonal per gate, input kernels Glorot
    uniform per gate, biases 0 but for the forget gate's.

    Args:
        units: H.
        reinstate_activation: On the retrieved memory: "tanh" or "identity".
        reinstatement: False leaves the fifth gate out: an ordinary LSTM cell with the
            same interface, which ignores m.
        seed: Of the initial weights; None draws one.
        forget_bias: The forget gate's first bias. Where much is seen between what is to
            be remembered and its use, more than 1 (Jozefowicz et al. 2015): a gate of
            1 keeps 0.28 of a number for four steps, one of 2.5 0.73.

    Call arguments:
        inputs: `(x [B, F], m [B, H])`, the features and the retrieved cell state.
        states: `[h, c]`, each `[B, H]`.

    Returns:
        `h' [B, H]` and `[h', c']`.

    Example:
        >>> layer = tf.keras.layers.RNN(EpLSTMCell(48))
        >>> hidden = layer((features, memories))  # [B, T, F], [B, T, 48] -> [B, 48]
    """

    def __init__(
        self,
        units: int,
        reinstate_activation: str = "tanh",
        reinstatement: bool = True,
        seed: int | None = None,
        forget_bias: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise UserError(
                "units", units, "is not a positive integer", "give 1 or more"
            )
        if reinstate_activation not in ACTIVATIONS:
            raise UserError(
                "reinstate_activation",
                reinstate_activation,
                "is not known",
                f"use one of {', '.join(ACTIVATIONS)}",
            )
        self.units = units
        self.reinstate_activation = reinstate_activation
        self.reinstatement = reinstatement
        self.seed = seed
        self.forget_bias = forget_bias

    @property
    def gates(self) -> int:
        """The number of gate blocks in the kernels, the candidate included."""
        return 5 if self.reinstatement else 4

    @property
    def state_size(self) -> list[int]:
        return [self.units, self.units]

    @property
    def output_size(self) -> int:
        return self.units

    def build(self, input_shape: Any) -> None:
        features = input_shape[0][-1]
        width = self.gates * self.units
        seeds = [None, None] if self.seed is None else [self.seed, self.seed + 100]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, width),
            initializer=PerGate(keras.initializers.GlorotUniform(seeds[0]), self.gates),
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=PerGate(
                keras.initializers.Orthogonal(seed=seeds[1]), self.gates
            ),
        )
        self.bias = self.add_weight(
            name="bias", shape=(width,), initializer=self._initial_bias
        )
        self.built = True

    def _initial_bias(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        forget = tf.one_hot(1, self.gates, dtype=dtype)  # [gates], order i, f, ...
        return self.forget_bias * tf.repeat(forget, self.units)

    def _build_once(self, features: Any) -> None:
        if not self.built:
            with tf.init_scope():
                self.build([features.shape])

    def project(self, features: Any) -> Any:
        """W x + b for features `[..., F]`: `[..., gates * H]`."""
        self._build_once(features)
        return tf.tensordot(features, self.kernel, axes=1) + self.bias

    def project_all(self, features: Any) -> Any:
        """`project` for whole sequences, with the bias as one more row of W.

        The gradient of the bias is then a part of W's: summed over thousands of steps
        by itself it takes as long as the matrix product.
        """
        self._build_once(features)
        ones = tf.ones_like(features[..., :1])
        weights = tf.concat([self.kernel, self.bias[tf.newaxis]], axis=0)
        return tf.tensordot(tf.concat([features, ones], axis=-1), weights, axes=1)

    def step(
        self, features: Any, memory: Any, state: LSTMState
    ) -> tuple[LSTMState, Gates]:
        """One step, gates laid open. `features` `[B, F]`, `memory` `[B, H]`."""
        memory = memory if self.reinstatement else None
        return ep_lstm_step(
            self.project(features),
            memory,
            state,
            self.recurrent_kernel,
            self.reinstate_activation,
        )

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        features, memory = inputs
        state, _ = self.step(features, memory, LSTMState(*states))
        return state.hidden, list(state)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "reinstate_activation": self.reinstate_activation,
            "reinstatement": self.reinstatement,
            "seed": self.seed,
            "forget_bias": self.forget_bias,
        }
