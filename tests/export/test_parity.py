"""An exported agent, run by TensorFlow alone, does what the live agent does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import export
from export.naming import flatten_state
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.sampling import lifetime_seeds

STEPS = 200
# Batch sizes by agent: one row, an odd number of them, a server's merged requests.
BATCHES = {
    "ep_lstm": (1, 7, 64),
    "lstm": (1, 7),
    "ep_lstm_continuous": (1, 7, 64),
    "lstm_continuous": (1, 7),
    "ep_lstm_softmax": (7,),
    "ep_lstm_image": (1, 7),
}
FINE_TUNED = ("ep_lstm", "lstm_continuous")  # a gradient's graph takes seconds
CLIENT = Path(__file__).with_name("run_saved_model.py")


def _inputs(agent: EpisodicAgent, batch: int) -> dict[str, np.ndarray]:
    """Random observations [T, B, ...]: contexts recur, some are shown, some stored."""
    rng = np.random.default_rng(batch)
    shape = (STEPS, batch)
    contexts = rng.choice([-1.0, 1.0], size=(8, 6))  # more than the memory's slots
    shown = rng.random(shape)[..., np.newaxis] < 0.7
    stimulus = agent.observation_spec["stimulus"]
    inputs = {
        "stimulus": rng.integers(0, 256, size=(*shape, *stimulus.shape))
        if stimulus.dtype == tf.uint8
        else rng.normal(size=(*shape, 4)),
        "context": contexts[rng.integers(8, size=shape)] * shown,
        "episode_start": rng.random(shape) < 0.1,
        "store": rng.random(shape) < 0.3,
        "previous_reward": rng.normal(size=shape),
        "previous_action": rng.normal(size=(*shape, 2))
        if agent.observation_spec["previous_action"].shape.rank
        else rng.integers(-1, 3, size=shape),
    }
    specs = agent.observation_spec
    typed = {k: v.astype(specs[k].dtype.as_numpy_dtype) for k, v in inputs.items()}
    return {**typed, "seed": lifetime_seeds(11, batch).numpy()}


def _live(agent: EpisodicAgent, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    state = agent.state_from_seeds(inputs["seed"])
    rows = []
    for t in range(STEPS):
        observation = {key: inputs[key][t] for key in agent.observation_spec}
        out = agent.step(observation, state)
        state = out.state
        named = {
            k: v for k, v in out._asdict().items() if k not in ("state", "recordings")
        }
        named = {k: v for k, v in named.items() if v is not None}
        rows.append({**named, **flatten_state(state)})
    return {name: np.stack([row[name].numpy() for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def runs(
    agents: dict[str, EpisodicAgent], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Every agent exported, and run by the client on inputs of every batch size."""
    root = tmp_path_factory.mktemp("exports")
    for name, agent in agents.items():
        export.export_agent(agent, root / name)
        if name in FINE_TUNED:
            (root / name / "fine-tune").touch()
        for batch in BATCHES[name]:
            np.savez(root / name / f"in-{batch}.npz", **_inputs(agent, batch))
    models = [str(root / name) for name in agents]
    command = [sys.executable, "-I", str(CLIENT), *models]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return root


@pytest.mark.parametrize(
    ("name", "batch"), [(name, n) for name, sizes in BATCHES.items() for n in sizes]
)
def test_exported_equals_live(
    name: str, batch: int, runs: Path, agents: dict[str, EpisodicAgent]
) -> None:
    inputs = dict(np.load(runs / name / f"in-{batch}.npz"))
    served = dict(np.load(runs / name / f"out-{batch}.npz"))
    live = _live(agents[name], inputs)
    assert set(served) == set(live)
    for key, expected in live.items():
        exact = expected.dtype.kind == "i"
        np.testing.assert_allclose(
            served[key], expected, rtol=0, atol=0 if exact else 1e-5, err_msg=key
        )


@pytest.mark.parametrize(
    ("name", "batch"), [(name, n) for name, sizes in BATCHES.items() for n in sizes]
)
def test_unrolled_equals_step_by_step(name: str, batch: int, runs: Path) -> None:
    """`unroll` `[B, T, ...]` gives what 200 calls of `step` `[B, ...]` give."""
    steps = dict(np.load(runs / name / f"out-{batch}.npz"))  # [T, B, ...]
    at_once = dict(np.load(runs / name / f"unroll-{batch}.npz"))
    assert set(at_once) == set(steps)
    for key, found in at_once.items():
        carried = key.startswith("state_")
        expected = steps[key][-1] if carried else np.moveaxis(steps[key], 0, 1)
        exact = found.dtype.kind == "i"
        np.testing.assert_allclose(
            found, expected, rtol=0, atol=0 if exact else 1e-5, err_msg=key
        )


@pytest.mark.parametrize("name", FINE_TUNED)
def test_fine_tuning_without_our_classes_lowers_a_loss(name: str, runs: Path) -> None:
    losses = np.load(runs / name / "losses.npz")["losses"]
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.parametrize("name", BATCHES)
def test_a_session_gives_the_same_first_step(name: str, runs: Path) -> None:
    """TensorFlow Serving feeds and fetches by the signature's tensor names."""
    last = sorted((runs / name).glob("out-*.npz"))[-1]
    expected, served = dict(np.load(last)), dict(np.load(runs / name / "session.npz"))
    assert set(served) == set(expected)
    for key, steps in expected.items():
        np.testing.assert_allclose(served[key], steps[0], atol=1e-6, err_msg=key)


def test_the_inputs_exercise_the_agent(
    runs: Path, agents: dict[str, EpisodicAgent]
) -> None:
    """Actions vary, are not all greedy, and a full memory was read and rewritten."""
    live = _live(agents["ep_lstm"], dict(np.load(runs / "ep_lstm" / "in-7.npz")))
    assert len(np.unique(live["action"])) == 3
    assert 0.1 < np.mean(live["action"] != live["greedy_action"]) < 0.9
    assert live["state_memory_written_at"][-1].min() > 5
    lesioned = _live(
        agents["ep_lstm"].lesioned("memory"),
        dict(np.load(runs / "ep_lstm" / "in-7.npz")),
    )
    assert np.abs(live["logits"] - lesioned["logits"]).max() > 0.05
