"""What a SavedModel's file says: its signatures, its operations, its contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tensorflow.core.protobuf import saved_model_pb2

import export
from export.naming import flatten_state, pack_state
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.policy import state_spec
from kerasmeta.errors import UserError
from kerasmeta.networks import AgentConfig

# A server cannot run Python, shares no random state between clients, starts no tables,
# compiles nothing at the first request, and has TensorFlow's own operations only.
FORBIDDEN = (
    "PyFunc",
    "EagerPyFunc",
    "Random",
    "Multinomial",
    "HashTable",
    "XlaLaunch",
    "TensorList",
    "Assign",
)
NAMES = ("ep_lstm", "lstm", "ep_lstm_continuous", "lstm_continuous")


@pytest.fixture(scope="module")
def saved(
    agents: dict[str, EpisodicAgent], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The parsed `saved_model.pb` of each agent, by name."""
    root = tmp_path_factory.mktemp("saved")
    parsed = {}
    for name in NAMES:
        path = export.export_agent(agents[name], root / name)
        data = (path / "saved_model.pb").read_bytes()
        home = str(Path(export.__file__).parents[1])
        for ours in ("kerasmeta", "tf_agents", "tensorflow_probability", home):
            assert ours.encode() not in data
        assert not (path / "assets").exists()
        parsed[name] = saved_model_pb2.SavedModel.FromString(data).meta_graphs[0]
    return parsed


def _signature(graph: Any, name: str) -> export.Signature:
    def tensors(side: Any) -> dict[str, export.TensorContract]:
        return {
            key: export.TensorContract(
                dtype=tf.as_dtype(info.dtype).name,
                shape=tuple(
                    None if d.size == -1 else d.size for d in info.tensor_shape.dim
                ),
            )
            for key, info in side.items()
        }

    signature = graph.signature_def[name]
    return export.Signature(
        inputs=tensors(signature.inputs), outputs=tensors(signature.outputs)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_is_what_the_file_says(
    name: str, saved: dict[str, Any], agents: dict[str, EpisodicAgent]
) -> None:
    contract = export.contract(agents[name])
    for signature, expected in contract.signatures.items():
        assert _signature(saved[name], signature) == expected
    step = _signature(saved[name], "step")
    assert _signature(saved[name], "serving_default") == step
    # Every observation is an input, also those this agent does not look at.
    observation = set(agents[name].observation_spec)
    assert set(step.inputs) == observation | set(contract.state)
    assert contract.state.items() <= step.inputs.items()
    assert contract.state.items() <= step.outputs.items()
    assert contract.state == contract.signatures["initial_state"].outputs
    scores = {"mean", "scale"} if "continuous" in name else {"logits"}
    results = {"action", "greedy_action", "value"} | scores
    assert set(step.outputs) == results | set(contract.state)
    assert _signature(saved[name], "deterministic") == step


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_is_batch_first(name: str, saved: dict[str, Any]) -> None:
    for signature in ("initial_state", "step", "serving_default", "deterministic"):
        found = _signature(saved[name], signature)
        assert found.inputs
        for key, tensor in {**found.inputs, **found.outputs}.items():
            assert tensor.shape[:1] == (None,), key
            assert None not in tensor.shape[1:], key


@pytest.mark.parametrize("name", NAMES)
def test_only_harmless_operations(name: str, saved: dict[str, Any]) -> None:
    graph = saved[name].graph_def
    functions = list(graph.library.function)
    nodes = [*graph.node, *(node for f in functions for node in f.node_def)]
    reached = _reached(saved[name])
    served = [n for f in functions if f.signature.name in reached for n in f.node_def]
    assert len(served) > 50
    for node in served:
        assert not any(word in node.op for word in FORBIDDEN), node.op
    assert not any("PyFunc" in node.op for node in nodes)
    for function in functions:
        assert not function.attr["_XlaMustCompile"].b


def _reached(graph: Any) -> set[str]:
    """The functions the signatures call, directly or not."""
    library = {f.signature.name: f for f in graph.graph_def.library.function}
    saving = ("__inference__traced_save", "__inference__traced_restore")
    todo = [
        attribute.func.name
        for node in graph.graph_def.node
        for attribute in node.attr.values()
        if attribute.func.name and not attribute.func.name.startswith(saving)
    ]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        for node in library[name].node_def:
            for attribute in node.attr.values():
                todo += [attribute.func.name] if attribute.func.name else []
    return found


def test_names_of_the_state_are_stable(agents: dict[str, EpisodicAgent]) -> None:
    """Clients hold these names; a change of them is a new schema."""
    assert list(export.contract(agents["ep_lstm"]).state) == [
        "state_actor_hidden",
        "state_actor_cell",
        "state_critic_hidden",
        "state_critic_cell",
        "state_memory_keys",
        "state_memory_scales",
        "state_memory_values",
        "state_memory_written_at",
        "state_memory_used_at",
        "state_memory_clock",
        "state_seed",
        "state_step",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_packing_undoes_flattening(name: str, agents: dict[str, EpisodicAgent]) -> None:
    spec = state_spec(agents[name])
    flat = flatten_state(spec)
    assert pack_state({**flat, "stimulus": None}, spec) == spec


def test_the_contract_tells_states_apart(agents: dict[str, EpisodicAgent]) -> None:
    contracts = [export.contract(agent) for agent in agents.values()]
    assert contracts[0] == export.contract(agents["ep_lstm"])
    assert len({c.sha256 for c in contracts}) == 5  # softmax reads change no tensor
    changed = contracts[0].model_dump()
    changed["state"]["state_step"]["dtype"] = "int64"
    with pytest.raises(ValueError, match="state_sha256"):
        export.Contract.model_validate(changed)


def test_refuses_what_is_there(
    agents: dict[str, EpisodicAgent], tmp_path: Path
) -> None:
    first = export.export_agent(agents["lstm"], tmp_path)
    assert first == tmp_path / "1"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="exists already"):
        export.export_agent(agents["lstm"], tmp_path)
    with pytest.raises(UserError, match="version"):
        export.export_agent(agents["lstm"], tmp_path, version=0)
    assert sorted(tmp_path.rglob("*")) == before
    assert export.export_agent(agents["lstm"], tmp_path, version=2).name == "2"


def test_refuses_where_nothing_can_be_written(
    agents: dict[str, EpisodicAgent], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(UserError, match="cannot be written"):
        export.export_agent(agents["lstm"], tmp_path / "file" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_of_tensorflow_leaves_nothing(
    agents: dict[str, EpisodicAgent],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(module: Any, path: str, signatures: Any) -> None:
        Path(path, "saved_model.pb").write_bytes(b"half")
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(UserError, match="No space left"):
        export.export_agent(agents["lstm"], tmp_path / "new" / "model")
    assert list(tmp_path.iterdir()) == []


def test_refuses_an_observation_named_like_a_state() -> None:
    spec = {
        "stimulus": tf.TensorSpec([1], tf.float32),
        "context": tf.TensorSpec([1], tf.float32),
        "episode_start": tf.TensorSpec([], tf.bool),
        "store": tf.TensorSpec([], tf.bool),
        "previous_reward": tf.TensorSpec([], tf.float32),
        "previous_action": tf.TensorSpec([1], tf.float32),
        "state_step": tf.TensorSpec([1], tf.float32),
    }
    action = tf.TensorSpec([1], tf.float32)
    agent = EpisodicAgent(spec, action, AgentConfig(kind="lstm", units=2))
    with pytest.raises(UserError, match="rename it"):
        export.contract(agent)
