"""An agent as a SavedModel: no state on the server, and no Python needed to run it.

Everything is batch-first and nothing is a scalar, so that TensorFlow Serving may merge
the requests of several clients; a lifetime's draws depend on its own seed alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.policy import state_spec
from kerasmeta.errors import UserError

from .contracts import Contract, Signature, TensorContract
from .directories import appearing
from .naming import PREFIX, flatten_state, pack_state


def export_agent(agent: EpisodicAgent, directory: str | Path, version: int = 1) -> Path:
    """Writes an agent as a SavedModel in TensorFlow Serving's layout.

    Args:
        agent: The agent; a lesioned one is exported with its lesion.
        directory: The model's base path, which holds one directory per version.
        version: The number of this version.

    Returns:
        `<directory>/<version>`, complete.

    Raises:
        UserError: The version exists already, or the directory cannot be written.
    """
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UserError(
            "version", version, "is not a positive integer", "give 1, 2, ..."
        )
    target = Path(directory).expanduser().absolute() / str(version)
    with appearing(target, "directory") as temporary:
        write_saved_model(agent, temporary)
    return target


def write_saved_model(agent: EpisodicAgent, directory: Path) -> Contract:
    """Writes an agent's SavedModel into an existing, empty directory."""
    module = SavedAgent(agent)
    try:
        tf.saved_model.save(module, str(directory), signatures=module.signatures())
    except tf.errors.OpError as error:
        raise OSError(error.message) from error
    (directory / "assets").rmdir()  # always made, never filled
    return module.contract()


def contract(agent: EpisodicAgent) -> Contract:
    """What an export of this agent takes and gives."""
    return SavedAgent(agent).contract()


class SavedAgent(tf.Module):
    """What is saved. A loaded SavedModel has the attributes without needing the class.

    Attributes:
        variables, trainable_variables: The weights, as lists.
        step: See `__call__`, with the tensors as keyword arguments.
        initial_state: int32 `[B, 2]` seeds to the state where those lifetimes begin.
        __call__: A dict of the observation and the state to a dict of the action, what
            it was drawn from, the value and the state after the step.
    """

    # Plain attributes: tf.Module has properties of these names, which are not saved.
    variables: Any = ()
    trainable_variables: Any = ()

    def __init__(self, agent: EpisodicAgent) -> None:
        super().__init__(name="agent")
        self.variables = list(agent.named_weights().values())
        self.trainable_variables = [v for v in self.variables if v.trainable]
        state = tf.nest.map_structure(_batched, state_spec(agent))
        inputs = _input_specs(agent, flatten_state(state))
        seeds = tf.TensorSpec([None, 2], tf.int32, name="seed")

        def initial_state(seed: Any) -> dict[str, Any]:
            begun = flatten_state(agent.state_from_seeds(seed))
            return _shaped(begun, flatten_state(state))

        def step(**tensors: Any) -> dict[str, Any]:
            observation = {key: tensors[key] for key in agent.observation_spec}
            output = agent.forward(observation, pack_state(tensors, state))
            after = _shaped(flatten_state(output.state), flatten_state(state))
            return {**_results(output), **after}

        traced = tf.function(step, autograph=False).get_concrete_function(**inputs)
        self.step = traced
        self.initial_state = tf.function(
            initial_state, input_signature=[seeds], autograph=False
        )
        # An attribute, not a method: its signature depends on the agent.
        self.__call__ = tf.function(
            lambda tensors: traced(**tensors), input_signature=[inputs], autograph=False
        )

    def signatures(self) -> dict[str, Any]:
        """The concrete functions a server offers."""
        return {
            "initial_state": self.initial_state.get_concrete_function(),
            "step": self.step,
            "serving_default": self.step,
        }

    def contract(self) -> Contract:
        """The signatures and the state as plain data, read from the traced graphs."""
        signatures = {
            name: Signature(inputs=_inputs(graph), outputs=_outputs(graph))
            for name, graph in self.signatures().items()
            if name != "serving_default"
        }
        state = signatures["initial_state"].outputs
        return Contract.of(signatures, state)


def _batched(spec: Any) -> Any:
    return tf.TensorSpec([None, *spec.shape], spec.dtype)


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
