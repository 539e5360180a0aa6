"""What a shipped agent answers to a fixed sequence, committed once and for all.

An agent that is loaded years from now must give the same numbers. The file of an agent,
`tests/golden/<family>/<agent>/<version>.safetensors`, holds the observations as well as
the answers, so that it depends on no random number generator.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

import zoo
from zoo.registry import Registry

BATCH, STEPS, CONTEXTS, SEED = 2, 20, 4, 20180726
DIRECTORY = Path(__file__).parents[1] / "golden"
EMBEDDED = Path(zoo.__file__).parent / "agents"
ANSWERS = ("action", "greedy_action", "logits", "mean", "scale", "value")


def shipped() -> tuple[str, ...]:
    """Every version of every agent of the registry in the package, as ids.

    None where nothing has been published yet; a test of its own complains of that.
    """
    registry = Registry(EMBEDDED)
    if not (EMBEDDED / "index.json").exists():
        return ()
    return tuple(
        f"{manifest.id}@{version}"
        for manifest in registry.list()
        for version in registry.versions(manifest.id)
    )


def path_of(id: str) -> Path:
    """The golden file of `family/agent@version`."""
    name, _, version = id.partition("@")
    return DIRECTORY / name / f"{version}.safetensors"


def sequence(agent: Any) -> dict[str, np.ndarray]:
    """Observations `[B, T, ...]` of the agent's own spec.

    The first half of the steps shows contexts and stores them, the second half shows
    them again, so that an agent with memory reads. Stimuli are one-hot.
    """
    rng = np.random.default_rng(SEED)
    shape, spec = (BATCH, STEPS), agent.observation_spec
    contexts = rng.choice([-1.0, 1.0], [CONTEXTS, *spec["context"].shape])
    half = np.arange(STEPS) < STEPS // 2
    found = {
        "stimulus": _one_hot(rng, (*shape, *spec["stimulus"].shape)),
        "context": contexts[rng.integers(0, CONTEXTS, shape)],
        "episode_start": np.broadcast_to(np.arange(STEPS) == 0, shape),
        "store": np.broadcast_to(half, shape),
        "previous_action": _actions(rng, shape, spec["previous_action"]),
        "previous_reward": rng.integers(0, 2, shape),
    }
    return {
        key: np.ascontiguousarray(found[key], spec[key].dtype.as_numpy_dtype)
        for key in spec
    }


def _one_hot(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape[2:]))
    return np.eye(size)[rng.integers(0, size, shape[:2])].reshape(shape)


def _actions(rng: np.random.Generator, shape: tuple[int, ...], spec: Any) -> np.ndarray:
    if spec.dtype.is_integer:
        return rng.integers(0, int(spec.maximum) + 1, shape)
    return rng.uniform(-1.0, 1.0, (*shape, *spec.shape))


def answers(agent: Any, observations: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the agent gives at each step, `[B, T, ...]` by name."""
    state = agent.initial_state(BATCH, seed=0)
    steps = []
    for t in range(STEPS):
        output = agent.step({k: v[:, t] for k, v in observations.items()}, state)
        state = output.state
        given = {name: getattr(output, name) for name in ANSWERS}
        steps.append({k: v.numpy() for k, v in given.items() if v is not None})
    return {name: np.stack([step[name] for step in steps], axis=1) for name in steps[0]}


def write(id: str, registry: Registry) -> Path:
    """Writes the golden file of an agent that has none."""
    agent, path = zoo.load(id, registry=registry), path_of(id)
    observations = sequence(agent)
    given = answers(agent, observations)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        raise FileExistsError(path)
    tensors = {f"observation/{k}": v for k, v in observations.items()}
    save_file({**tensors, **{f"answer/{k}": v for k, v in given.items()}}, path)
    return path


def read(id: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(observations, answers) of a golden file."""
    tensors = load_file(path_of(id))
    return _below("observation/", tensors), _below("answer/", tensors)


def _below(prefix: str, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
