"""The actor and the critic: TF-Agents networks around one epLSTM cell each.

Both have two ways of running that agree step for step: `step` (one time step, `[B]`,
used while acting) and `unroll` (whole lifetimes, `[B, T]`, by the hand-written scan,
used in training). TF-Agents' `call` picks one by the rank of its input.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tf_agents.networks import network

from kerasmeta._keras import keras, tf
from kerasmeta.layers import (
    EpLSTMCell,
    Gates,
    LSTMState,
    Recording,
    ep_lstm_scan,
    record_scan,
    replay_scan,
)
from kerasmeta.lifetimes import HIDDEN
from kerasmeta.networks.config import AgentConfig
from kerasmeta.networks.convolution import ImageEncoder
from kerasmeta.networks.distributions import (
    DiagonalGaussian,
    distribution_for,
    within_bounds,
)
from kerasmeta.networks.encoder import ObservationEncoder
from kerasmeta.networks.normalization import ObservationNormalizer, ValueScale


class NetworkStep(NamedTuple):
    """One time step of a network."""

    output: Any  # [B, P] distribution parameters, or [B] a value
    state: LSTMState
    gates: Gates


class RecurrentNetwork(network.Network):
    """Encoder, epLSTM cell and a linear head.

    Inputs are the environment's observation dict and, for agents with memory, the
    retrieved cell state under the key `memory` `[..., H]`.
    """

    def __init__(
        self, input_tensor_spec: Any, cell: EpLSTMCell, encoder: Any, name: str
    ) -> None:
        state_spec = LSTMState(*[tf.TensorSpec([cell.units], tf.float32)] * 2)
        super().__init__(input_tensor_spec, state_spec=state_spec, name=name)
        self.cell = cell
        self.encoder = encoder
        self.output_layer: Any = None

    def features(self, inputs: dict[str, Any]) -> Any:
        """What the LSTM sees, `[..., F]`."""
        return self.encoder(inputs)

    def head(self, hidden: Any) -> Any:
        """The network's output from hidden states `[..., H]`."""
        raise NotImplementedError

    def named_weights(self) -> dict[str, Any]:
        """The variables under names that do not depend on Keras: `cell/kernel`, ..."""
        named = {
            f"encoder/{name}": variable
            for name, variable in self.encoder.named_weights().items()
        }
        for name in ("kernel", "recurrent_kernel", "bias"):
            named[f"cell/{name}"] = getattr(self.cell, name)
        named["head/kernel"], named["head/bias"] = self.output_layer.weights
        return named

    def zero_state(self, batch_size: Any) -> LSTMState:
        """The state at the beginning of a lifetime."""
        zeros = tf.zeros([batch_size, self.cell.units], tf.float32)
        return LSTMState(zeros, zeros)

    def _memory(self, inputs: dict[str, Any]) -> Any:
        return inputs["memory"] if self.cell.reinstatement else None

    def step(self, inputs: dict[str, Any], state: LSTMState) -> NetworkStep:
        """One time step: inputs `[B, ...]`."""
        state, gates = self.cell.step(
            self.features(inputs), self._memory(inputs), state
        )
        return NetworkStep(self.head(state.hidden), state, gates)

    def unroll(
        self,
        inputs: dict[str, Any],
        reset: Any,
        state: LSTMState,
        recording: Any = None,
    ) -> tuple[Any, LSTMState]:
        """Whole lifetimes: inputs `[B, T, ...]`; `reset` `[B, T]` clears before.

        With the `recording` of these very inputs and weights the states are taken from
        it; the derivatives are the same.
        """
        arguments = self._scan_arguments(inputs, reset, state)
        if recording is None:
            hidden, cell = ep_lstm_scan(*arguments)
        else:
            projected, _, _, _, kernel, _ = arguments
            leaves = tf.nest.flatten(recording)
            hidden, cell = replay_scan(projected, kernel, *state, *leaves)
        output = time_major(self.head(hidden))  # [B, T, ...]
        return output, LSTMState(hidden[-1], cell[-1])

    def record(self, inputs: dict[str, Any], reset: Any, state: LSTMState) -> Recording:
        """The activations of `unroll`, for derivatives taken again and again."""
        return record_scan(*self._scan_arguments(inputs, reset, state))

    def _scan_arguments(
        self, inputs: dict[str, Any], reset: Any, state: LSTMState
    ) -> tuple[Any, ...]:
        memory = self._memory(inputs)
        return (
            self.cell.project_all(time_major(self.features(inputs))),
            None if memory is None else time_major(memory),
            tf.transpose(reset),
            state,
            self.cell.recurrent_kernel,
            self.cell.reinstate_activation,
        )

    def call(
        self,
        inputs: dict[str, Any],
        step_type: Any = None,
        network_state: Any = (),
        training: bool = False,
    ) -> tuple[Any, LSTMState]:
        """TF-Agents' interface: clears the state where `step_type` is FIRST."""
        start = inputs["episode_start"]
        state = network_state or self.zero_state(tf.shape(start)[0])
        first = tf.zeros_like(start) if step_type is None else tf.equal(step_type, 0)
        if start.shape.rank == 2:
            return self.unroll(inputs, first, LSTMState(*state))
        result = self.step(inputs, clear_lstm(LSTMState(*state), first))
        return result.output, result.state


class ActorNetwork(RecurrentNetwork):
    """Observation and retrieved memory to the parameters of the action distribution."""

    def __init__(
        self, observation_spec: Any, action_spec: Any, config: AgentConfig
    ) -> None:
        cell = EpLSTMCell(
            config.units,
            config.reinstate_activation,
            reinstatement=config.has_memory,
            seed=1000 * config.seed + 1,
            forget_bias=config.forget_bias,
            name="actor_cell",
        )
        encoder = ObservationEncoder(
            action_spec,
            config.encoder,
            1000 * config.seed + 2,
            image_encoder(observation_spec, config, 1000 * config.seed + 100),
            normalizer(observation_spec, config),
            name="actor_encoder",
        )
        super().__init__(with_memory(observation_spec, config), cell, encoder, "Actor")
        self.distribution = distribution_for(action_spec)
        gaussian = isinstance(self.distribution, DiagonalGaussian)
        size = self.distribution.parameter_size
        outputs = size // 2 if gaussian else size  # log σ is a variable of its own
        self.output_layer = keras.layers.Dense(
            outputs,
            kernel_initializer=keras.initializers.Orthogonal(
                0.01, seed=1000 * config.seed + 3
            ),
            name="actor_head",
        )
        self.log_scale = None
        self.bounds = action_spec if config.bounded_mean else None
        if gaussian:
            self.log_scale = tf.Variable(
                tf.fill([outputs], math.log(0.6)), name="actor_log_scale"
            )

    def named_weights(self) -> dict[str, Any]:
        named = super().named_weights()
        if self.log_scale is not None:
            named["log_scale"] = self.log_scale
        return named

    def head(self, hidden: Any) -> Any:
        """Distribution parameters `[..., P]`."""
        output = self.output_layer(hidden)
        if self.log_scale is None:
            return output
        if self.bounds is not None:
            output = within_bounds(output, self.bounds)
        log_scale = tf.broadcast_to(self.log_scale, tf.shape(output))
        return tf.concat([output, log_scale], axis=-1)


class CriticNetwork(RecurrentNetwork):
    """Observation and retrieved memory to the state value.

    A plain LSTM of its own: the retrieved cell state is the actor's, in the actor's
    coordinates, so the critic reads it as a feature instead of reinstating it. Hidden
    variables are features too, for a critic that is told them.
    """

    def __init__(
        self, observation_spec: Any, action_spec: Any, config: AgentConfig
    ) -> None:
        cell = EpLSTMCell(
            config.critic_units,
            reinstatement=False,
            seed=1000 * config.seed + 11,
            forget_bias=config.forget_bias,
            name="critic_cell",
        )
        encoder = ObservationEncoder(
            action_spec,
            config.critic_encoder,
            1000 * config.seed + 12,
            image_encoder(observation_spec, config, 1000 * config.seed + 200),
            normalizer(observation_spec, config),
            name="critic_encoder",
        )
        super().__init__(with_memory(observation_spec, config), cell, encoder, "Critic")
        self.reads_memory = config.has_memory
        self.told = sorted(key for key in observation_spec if key.startswith(HIDDEN))
        self.output_layer = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.Orthogonal(
                1.0, seed=1000 * config.seed + 13
            ),
            name="critic_head",
        )
        self.value_scale = ValueScale(name="value_scale") if config.normalize else None

    def named_weights(self) -> dict[str, Any]:
        named = super().named_weights()
        if self.value_scale is not None:
            for name, variable in self.value_scale.named_weights().items():
                named[f"value_scale/{name}"] = variable
        return named

    def features(self, inputs: dict[str, Any]) -> Any:
        features = [self.encoder(inputs)]
        if self.reads_memory:
            features.append(tf.tanh(inputs["memory"]))
        features += [
            as_numbers(inputs[key], self.input_tensor_spec[key]) for key in self.told
        ]
        return features[0] if len(features) == 1 else tf.concat(features, axis=-1)

    def head(self, hidden: Any) -> Any:
        """Values `[...]`."""
        value = self.output_layer(hidden)[..., 0]
        return value if self.value_scale is None else self.value_scale(value)


def ready(network: RecurrentNetwork) -> None:
    """Makes the weights (TF-Agents' `create_variables` draws random inputs)."""
    network(
        tf.nest.map_structure(
            lambda spec: tf.zeros([1, *spec.shape], spec.dtype),
            network.input_tensor_spec,
        )
    )


def as_numbers(variable: Any, spec: Any) -> Any:
    """A hidden variable `[..., *spec.shape]` as floats `[..., N]`, 0 for NaN."""
    size = spec.shape.num_elements()
    batch = tf.shape(variable)[: variable.shape.rank - spec.shape.rank]
    numbers = tf.cast(tf.reshape(variable, tf.concat([batch, [size]], 0)), tf.float32)
    return tf.where(tf.math.is_nan(numbers), 0.0, numbers)


def image_encoder(
    observation_spec: dict[str, Any], config: AgentConfig, seed: int
) -> ImageEncoder | None:
    """The convolutions, where the stimulus is an image `[height, width, channels]`."""
    if observation_spec["stimulus"].shape.rank != 3:
        return None
    fixed = config.image_encoder == "components"
    size = config.image_features
    return ImageEncoder(config.convolutions, size, seed, fixed, name="image")


def normalizer(
    observation_spec: dict[str, Any], config: AgentConfig
) -> ObservationNormalizer | None:
    """The observation's normaliser, for agents that have one."""
    if not config.normalize:
        return None
    return ObservationNormalizer(observation_spec, name="normalizer")


def with_memory(
    observation_spec: dict[str, Any], config: AgentConfig
) -> dict[str, Any]:
    """The networks' input spec: the observation, and m for agents with memory."""
    if not config.has_memory:
        return dict(observation_spec)
    return {**observation_spec, "memory": tf.TensorSpec([config.units], tf.float32)}


def clear_lstm(state: LSTMState, where: Any) -> LSTMState:
    """Zeros the rows where `where` (bool `[B]`) is true."""
    kept = tf.cast(tf.logical_not(where), state.hidden.dtype)[:, tf.newaxis]
    return LSTMState(state.hidden * kept, state.cell * kept)


def time_major(tensor: Any) -> Any:
    """Swaps the first two axes: `[B, T, ...]` to `[T, B, ...]` and back."""
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])
