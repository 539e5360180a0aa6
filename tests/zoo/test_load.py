"""Publishing and loading a real agent."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness.watching import within_a_gibibyte

import zoo
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent, storage
from kerasmeta.errors import UserError
from kerasmeta.networks import AgentConfig

BATCH = 3
NAME = "two_step/ep_lstm"


def _make_agent(kind: str = "ep_lstm", weights: int = 5) -> EpisodicAgent:
    spec = {
        "stimulus": tf.TensorSpec([4], tf.float32),
        "context": tf.TensorSpec([5], tf.float32),
        "episode_start": tf.TensorSpec([], tf.bool),
        "store": tf.TensorSpec([], tf.bool),
        "previous_reward": tf.TensorSpec([], tf.float32),
        "previous_action": tf.TensorSpec([2], tf.float32),
    }
    action = tf.TensorSpec([2], tf.float32)
    config = AgentConfig.model_validate({"kind": kind, "units": 4, "critic_units": 3})
    agent = EpisodicAgent(spec, action, config)
    rng = np.random.default_rng(weights)
    for variable in agent.variables:
        variable.assign(rng.normal(0.0, 0.7, variable.shape))
    return agent


@pytest.fixture(scope="module")
def agent() -> EpisodicAgent:
    return _make_agent()


@pytest.fixture(scope="module")
def other() -> EpisodicAgent:
    """What training from seed 4 gave; `agent` is of seed 3."""
    return _make_agent(weights=6)


@pytest.fixture(scope="module")
def original(
    agent: EpisodicAgent,
    other: EpisodicAgent,
    whole: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> zoo.Published:
    path = tmp_path_factory.mktemp("original")
    return zoo.publish(agent, NAME, path, **whole, others={4: other})


@pytest.fixture
def published(original: zoo.Published, tmp_path: Path) -> zoo.Published:
    """A copy, for a test to spoil."""
    root = tmp_path / "registry"
    shutil.copytree(original.path.parents[2], root)
    return original._replace(path=root / NAME / "1")


def _registry(published: zoo.Published) -> zoo.Registry:
    return zoo.Registry(published.path.parents[2])


def _run(agent: EpisodicAgent, steps: int = 5) -> np.ndarray:
    """The means and values of a few steps on fixed observations."""
    rng = np.random.default_rng(1)
    state = agent.initial_state(BATCH, seed=2)
    rows = []
    for _ in range(steps):
        observation = {
            key: rng.normal(size=(BATCH, *spec.shape))
            if spec.dtype.is_floating
            else rng.random(BATCH) < 0.5
            for key, spec in sorted(agent.observation_spec.items())
        }
        out = agent.step(observation, state)
        state = out.state
        rows.append(np.concatenate([out.action, out.mean, out.value[:, None]], axis=1))
    return np.stack(rows)


def test_a_loaded_agent_is_the_published_one(
    agent: EpisodicAgent, published: zoo.Published
) -> None:
    loaded = zoo.load(NAME, published.path.parents[2])
    assert loaded is not agent
    assert loaded.config == agent.config
    np.testing.assert_array_equal(_run(loaded), _run(agent))
    assert loaded.card.manifest == published.manifest


def test_every_seed_can_be_loaded(
    agent: EpisodicAgent, other: EpisodicAgent, published: zoo.Published
) -> None:
    chosen, second = (zoo.load(NAME, _registry(published), seed=n) for n in (3, 4))
    np.testing.assert_array_equal(_run(chosen), _run(agent))
    np.testing.assert_array_equal(_run(second), _run(other))
    assert not np.array_equal(_run(chosen), _run(second))
    assert (chosen.card.seed, second.card.seed) == (3, 4)
    assert chosen.card.seeds == second.card.seeds == (3, 4)
    assert chosen.card.metrics["stay"].mean == 0.9
    assert second.card.metrics["stay"].mean == 0.7
    with pytest.raises(UserError, match=r"seed 5: has no weights .* it has: 3, 4"):
        zoo.load(NAME, _registry(published), seed=5)


def test_a_version_of_before_the_seeds_were_kept(
    agent: EpisodicAgent, published: zoo.Published
) -> None:
    shutil.rmtree(published.path / "seeds")
    _rehash(published)
    loaded = zoo.load(NAME, _registry(published))
    np.testing.assert_array_equal(_run(loaded), _run(agent))
    assert loaded.card.seeds == (3,)
    assert zoo.load(NAME, _registry(published), seed=3).card.seed == 3
    with pytest.raises(UserError, match=r"seed 4: has no weights .* it has: 3$"):
        zoo.load(NAME, _registry(published), seed=4)


def test_everyone_may_read_what_is_published(published: zoo.Published) -> None:
    for path in published.path.rglob("*"):
        assert path.stat().st_mode & 0o444 == 0o444, path


def test_the_directory_is_one_tensorflow_serving_reads(
    published: zoo.Published, agent: EpisodicAgent
) -> None:
    assert sorted(
        str(path.relative_to(published.path)) for path in published.path.rglob("*.*")
    ) == [
        "README.md",
        "assets.extra",
        "config.json",
        "manifest.json",
        "saved_model.pb",
        "seeds/4/weights.safetensors",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
        "weights.safetensors",
    ]
    assert published.path.name == "1"
    model = tf.saved_model.load(str(published.path))
    contract = published.manifest.contract
    assert set(contract.signatures) < set(model.signatures)
    _registry(published).verify(NAME)


def test_loading_needs_no_network_and_runs_no_code_of_the_artifact(
    published: zoo.Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*arguments: Any, **options: Any) -> None:
        raise AssertionError("forbidden")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(tf.saved_model, "load", forbidden)
    monkeypatch.setattr(tf.keras.models, "load_model", forbidden)
    monkeypatch.setattr("pickle.loads", forbidden)
    monkeypatch.setattr("pickle.load", forbidden)
    assert zoo.load(NAME, published.path.parents[2]).config.units == 4


def test_the_default_registry_is_used(
    published: zoo.Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERASMETA_REGISTRY", str(published.path.parents[2]))
    assert zoo.load(f"{NAME}@1").config.units == 4


def test_a_flipped_byte_anywhere_stops_loading(published: zoo.Published) -> None:
    files = [path for path in published.path.rglob("*") if path.is_file()]
    assert len(files) == 9
    for path in files:
        good = path.read_bytes()
        for place in (0, len(good) // 2, len(good) - 1):
            bad = bytearray(good)
            bad[place] ^= 0x40
            path.write_bytes(bad)
            with pytest.raises(UserError, match=path.name):
                zoo.load(NAME, published.path.parents[2])
        path.write_bytes(good)
    zoo.load(NAME, published.path.parents[2])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{}"),
        ("config.json", b"[]"),
        ("config.json", b"{"),
        ("config.json", b"\xff"),
        ("config.json", b"[" * 100_000),
        ("config.json", b'{"observation": {}, "action": {}, "agent": {}}'),
        ("weights.safetensors", b"\x08\0\0\0\0\0\0\0{}      "),
        ("weights.safetensors", b"\xff" * 40),
        ("weights.safetensors", b""),
    ],
)
def test_a_well_hashed_artifact_of_nonsense_is_one_line(
    published: zoo.Published, name: str, content: bytes
) -> None:
    """The publisher's mistake, or malice: hashes fit, the content does not."""
    _replace(published, name, content)
    with pytest.raises(UserError) as caught:
        zoo.load(NAME, published.path.parents[2])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("greedy", ["units", "encoder", "stimulus", "actions"])
def test_an_agent_of_more_memory_than_its_weights_is_refused_first(
    published: zoo.Published, greedy: str
) -> None:
    config = json.loads((published.path / "config.json").read_text())
    if greedy == "units":
        config["agent"]["units"] = 40_000
    elif greedy == "encoder":
        config["agent"]["encoder"] = [2_000_000_000]
    elif greedy == "stimulus":
        config["observation"]["stimulus"]["shape"] = [4_000_000_000]
    else:
        config["action"]["shape"] = [4_000_000]
        config["observation"]["previous_action"]["shape"] = [4_000_000]
    _replace(published, "config.json", json.dumps(config).encode())
    message = r"bytes': are more than its weights have|more than 4,194,304 numbers"
    with within_a_gibibyte(), pytest.raises(UserError, match=message):
        zoo.load(NAME, published.path.parents[2])


def test_weights_of_another_agent_are_refused(
    published: zoo.Published, tmp_path: Path
) -> None:
    storage.save_weights(_make_agent("lstm"), tmp_path / "other")
    _replace(published, "weights.safetensors", (tmp_path / "other").read_bytes())
    with pytest.raises(UserError, match="weights"):
        zoo.load(NAME, published.path.parents[2])


def test_an_artifact_without_weights_is_refused(published: zoo.Published) -> None:
    (published.path / "weights.safetensors").unlink()
    _rehash(published)
    with pytest.raises(UserError, match=r"does not list weights\.safetensors"):
        zoo.load(NAME, published.path.parents[2])


def _replace(published: zoo.Published, name: str, content: bytes) -> None:
    (published.path / name).write_bytes(content)
    _rehash(published)


def _rehash(published: zoo.Published) -> None:
    """Makes the manifest and the index fit the files."""
    from zoo.files import entries

    path = published.path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = [entry.model_dump() for entry in entries(published.path)]
    path.write_text(json.dumps(manifest))
    (published.path.parents[2] / "index.json").unlink()
    _registry(published).rebuild_index()


def test_refuses_to_publish_a_lesioned_agent(
    agent: EpisodicAgent, data: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="is lesioned"):
        zoo.publish(agent.lesioned("memory"), NAME, tmp_path / "r", **data)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({}, "others 4: has no agent; give the agents of the seeds"),
        ({3: (), 4: ()}, "others 3: was not evaluated"),
        ({4: (), 9: ()}, "others 9: was not evaluated"),
        ({4: ("lstm",)}, "others 4: differs from the chosen agent"),
    ],
)
def test_refuses_other_agents_than_those_of_the_seeds(
    agent: EpisodicAgent,
    data: dict[str, Any],
    tmp_path: Path,
    others: dict[int, tuple[str, ...]],
    message: str,
) -> None:
    made = {seed: _make_agent(*arguments) for seed, arguments in others.items()}
    with pytest.raises(UserError, match=message):
        zoo.publish(agent, NAME, tmp_path / "r", **data, others=made)
    assert not (tmp_path / "r").exists()


def test_refuses_to_publish_weights_that_are_not_finite(
    data: dict[str, Any], tmp_path: Path
) -> None:
    agent = _make_agent()
    agent.variables[0].assign(tf.fill(agent.variables[0].shape, np.nan))
    with pytest.raises(UserError, match="is not finite"):
        zoo.publish(agent, NAME, tmp_path / "r", **data)
    assert not (tmp_path / "r").exists()


def test_refuses_bad_metrics_before_writing_anything(
    agent: EpisodicAgent, data: dict[str, Any], tmp_path: Path
) -> None:
    data["evaluation"]["metrics"] = {"stay": {"mean": np.nan, "ci95": [0, 1]}}
    with pytest.raises(UserError, match=r"evaluation\.metrics\.stay\.mean nan"):
        zoo.publish(agent, NAME, tmp_path / "r", **data)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("version", [0, -1, 1.5, "2", True])
def test_refuses_a_version_that_is_none(
    agent: EpisodicAgent, data: dict[str, Any], tmp_path: Path, version: Any
) -> None:
    with pytest.raises(UserError, match="is not a version"):
        zoo.publish(agent, NAME, tmp_path / "r", **data, version=version)
