"""The module that is saved: an agent's signatures, weights and `unroll`."""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.policy import state_spec
from kerasmeta.agents.sampling import uniforms
from kerasmeta.errors import UserError

from .contracts import Contract, Signature, TensorContract
from .naming import PREFIX, flatten_state, pack_state


class SavedAgent(tf.Module):
    """What is saved. A loaded SavedModel has the attributes without needing the class.

    Args:
        agent: Whose weights they are.
        unroll: A dict of observations `[B, T, ...]` and of a state `[B, ...]` to a dict
            of the results of every step `[B, T, ...]` and the state after the last.

    Attributes:
        variables, trainable_variables: The weights, as lists.
        unroll: Differentiable; memory content carries no gradient.
        __call__: The same, as reusable SavedModels have it.
        signatures: `initial_state`, `step` and `deterministic`, see `trace`; after
            loading only.
    """

    # Plain attributes: tf.Module has properties of these names, which are not saved.
    variables: Any = ()
    trainable_variables: Any = ()

    def __init__(self, agent: EpisodicAgent, unroll: Any) -> None:
        super().__init__(name="agent")
        self.variables = list(agent.named_weights().values())
        self.trainable_variables = [v for v in self.variables if v.trainable]
        self.unroll = unroll
        # An attribute, not a method: its signature depends on the agent.
        self.__call__ = unroll


class Traced(NamedTuple):
    """An agent's graphs."""

    module: SavedAgent
    signatures: dict[str, Any]  # concrete functions

    def contract(self) -> Contract:
        """The signatures and the state as plain data, read from the graphs."""
        signatures = {
            name: Signature(inputs=_inputs(graph), outputs=_outputs(graph))
            for name, graph in self.signatures.items()
        }
        return Contract.of(signatures, signatures["initial_state"].outputs)


def trace(agent: EpisodicAgent) -> Traced:
    """Traces what a server offers of an agent, and `unroll`.

    `initial_state`: int32 `[B, 2]` seeds to the state where those lifetimes begin.
    `step`: the observation and the state to the action, what it was drawn from, the
    value and the state after. `deterministic`: the same, but that the action is the
    most probable one; it draws nothing, so that other runtimes can run it.
    """
    state = tf.nest.map_structure(_batched, state_spec(agent))
    inputs = _input_specs(agent, flatten_state(state))
    decide = _decide(agent, state, inputs)
    step = _step(agent, decide, inputs)
    signatures = {
        "initial_state": _initial_state(agent, flatten_state(state)),
        "step": step,
        "deterministic": decide,
    }
    return Traced(SavedAgent(agent, _unroll(agent, step, inputs)), signatures)


def _initial_state(agent: EpisodicAgent, state: dict[str, Any]) -> Any:
    def initial_state(seed: Any) -> dict[str, Any]:
        return _shaped(flatten_state(agent.state_from_seeds(seed)), state)

    seeds = tf.TensorSpec([None, 2], tf.int32, name="seed")
    return tf.function(initial_state, autograph=False).get_concrete_function(seeds)


def _decide(agent: EpisodicAgent, state: Any, inputs: dict[str, Any]) -> Any:
    """The whole step but for the draw."""

    def deterministic(**tensors: Any) -> dict[str, Any]:
        observation = {key: tensors[key] for key in agent.observation_spec}
        output = agent.forward(observation, pack_state(tensors, state), greedy=True)
        after = _shaped(flatten_state(output.state), flatten_state(state))
        return {**_results(output), **after}

    traced = tf.function(deterministic, autograph=False)
    return traced.get_concrete_function(**inputs)


def _step(agent: EpisodicAgent, decide: Any, inputs: dict[str, Any]) -> Any:
    """`decide`, of which there is one copy in the file, and a draw."""
    distribution = agent.distribution

    def step(**tensors: Any) -> dict[str, Any]:
        outputs = decide(**tensors)
        noise = uniforms(
            tensors[f"{PREFIX}_seed"], tensors[f"{PREFIX}_step"], distribution.uniforms
        )
        action = distribution.sample(_parameters(outputs), noise)
        return {**outputs, "action": tf.identity(action, name="action")}

    return tf.function(step, autograph=False).get_concrete_function(**inputs)


def _parameters(outputs: dict[str, Any]) -> Any:
    """The parameters of the action distribution `[B, P]`."""
    if "logits" in outputs:
        return outputs["logits"]
    return tf.concat([outputs["mean"], tf.math.log(outputs["scale"])], axis=-1)


def _unroll(agent: EpisodicAgent, step: Any, inputs: dict[str, Any]) -> Any:
    """`step` in a loop: observations `[B, T, ...]` and a state `[B, ...]`."""
    shown = [name for name in inputs if name in agent.observation_spec]
    carried = [name for name in inputs if name not in shown]
    given = {k: v for k, v in step.structured_outputs.items() if k not in carried}

    def unroll(tensors: dict[str, Any]) -> dict[str, Any]:
        observations = {name: _time_major(tensors[name]) for name in shown}
        steps = tf.shape(observations["previous_reward"])[0]
        arrays = {
            name: tf.TensorArray(spec.dtype, steps, element_shape=spec.shape)
            for name, spec in given.items()
        }

        def body(t: Any, state: dict[str, Any], arrays: dict[str, Any]) -> Any:
            now = {name: observations[name][t] for name in shown}
            outputs = step(**now, **state)
            written = {k: array.write(t, outputs[k]) for k, array in arrays.items()}
            return t + 1, {name: outputs[name] for name in carried}, written

        state = {name: tensors[name] for name in carried}
        _, state, arrays = tf.while_loop(
            lambda t, *_: t < steps, body, (tf.constant(0), state, arrays)
        )
        results = {name: _time_major(array.stack()) for name, array in arrays.items()}
        return {**results, **state}

    specs = {
        name: _over_time(spec) if name in shown else spec
        for name, spec in inputs.items()
    }
    return tf.function(unroll, input_signature=[specs], autograph=False)


def _time_major(tensor: Any) -> Any:
    """Swaps the first two axes: `[B, T, ...]` to `[T, B, ...]` and back."""
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])


def _batched(spec: Any) -> Any:
    return tf.TensorSpec([None, *spec.shape], spec.dtype)


def _over_time(spec: Any) -> Any:
    return tf.TensorSpec([None, None, *spec.shape[1:]], spec.dtype, name=spec.name)


def _input_specs(agent: EpisodicAgent, state: dict[str, Any]) -> dict[str, Any]:
    """The named inputs of `step`: every observation and every leaf of the state."""
    for key in agent.observation_spec:
        if key.startswith(f"{PREFIX}_") or not key.isidentifier():
            raise UserError(
                "observation",
                key,
                "cannot be the name of a served input",
                f"rename it: a Python name that does not start with {PREFIX}_",
            )
    observation = {key: _batched(spec) for key, spec in agent.observation_spec.items()}
    return {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name)
        for name, spec in {**observation, **state}.items()
    }


def _results(output: Any) -> dict[str, Any]:
    """What a step gives besides the state, by name."""
    fields = ("action", "greedy_action", "logits", "mean", "scale", "value")
    named = {field: getattr(output, field) for field in fields}
    return {
        name: tf.identity(tensor, name=name)
        for name, tensor in named.items()
        if tensor is not None
    }


def _shaped(tensors: dict[str, Any], specs: dict[str, Any]) -> dict[str, Any]:
    """The leaves of a state, each a node of its own with its full static shape."""
    return {
        name: tf.ensure_shape(tensor, specs[name].shape, name=name)
        for name, tensor in tensors.items()
    }


def _inputs(graph: Any) -> dict[str, TensorContract]:
    positional, named = graph.structured_input_signature
    specs = {**{spec.name: spec for spec in positional}, **named}
    return {name: _tensor_contract(spec) for name, spec in specs.items()}


def _outputs(graph: Any) -> dict[str, TensorContract]:
    outputs = graph.structured_outputs
    return {name: _tensor_contract(spec) for name, spec in outputs.items()}


def _tensor_contract(spec: Any) -> TensorContract:
    return TensorContract(dtype=spec.dtype.name, shape=tuple(spec.shape.as_list()))
