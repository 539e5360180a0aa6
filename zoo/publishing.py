"""`zoo.publish`: a trained agent becomes a version in a registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasmeta.errors import UserError

from . import files, programs, signing
from .curves import Rows
from .curves import write as write_curves
from .documents import to_bytes, validated
from .manifest import Evaluation, Provenance, Submission, Task
from .opening import open_folder
from .registry import Registry
from .writing import Published

if TYPE_CHECKING:
    from export import Contract
    from kerasmeta.agents import EpisodicAgent


def publish(
    agent: EpisodicAgent,
    id: str,
    registry: Registry | str | Path,
    *,
    task: Task | dict[str, Any],
    evaluation: Evaluation | dict[str, Any],
    provenance: Provenance | dict[str, Any],
    description: str,
    papers: Sequence[str],
    headline: Sequence[str],
    licence: str = "Apache-2.0",
    others: Mapping[int, EpisodicAgent] | None = None,
    curves: Mapping[int, Rows] | None = None,
    version: int | None = None,
    sign: str | Path | None = None,
) -> Published:
    """Publishes an agent: SavedModel, weights, configuration, manifest and card.

    The new version appears complete or not at all, and is never written again.

    Args:
        agent: The agent, without a lesion.
        id: `family/agent`.
        registry: The registry, or its folder.
        task, evaluation, provenance: See `zoo.Task`, `zoo.Evaluation` and
            `zoo.Provenance`; dicts with the same fields will do.
        description: One or two sentences for the card.
        papers: "Authors (year). Title. Where."
        headline: The metrics that tables of agents show.
        licence: An SPDX identifier.
        others: By training seed, the agents of the seeds that were not chosen. Their
            weights are published too.
        curves: By training seed, the rows of training (`metrics.jsonl`), of which
            learning curves are kept.
        version: By default the next one.
        sign: The file of a private key (elliptic curve, PEM) to sign the version with.

    Raises:
        UserError: Something is missing or not finite, or the version exists.
    """
    others = dict(others or {})
    for checked in (agent, *others.values()):
        _check(checked)
    _check_version(version)
    key = signing.private_key(sign)
    submission = validated(
        Submission,
        {
            "kind": agent.config.kind,
            "task": task,
            "description": description,
            "papers": tuple(papers),
            "headline": tuple(headline),
            "licence": licence,
            "evaluation": evaluation,
            "provenance": provenance,
            "normalization": normalization(agent),
        },
        "publish",
    )

    _check_others(agent, others, submission)

    def write(directory: Path) -> Contract:
        write_curves(directory, curves or {})
        return _write_agent(agent, others, directory)

    return open_folder(registry).publish(id, submission, write, version, key)


def normalization(agent: EpisodicAgent) -> dict[str, tuple[float, ...]]:
    """The constants among an agent's weights: running moments that nothing trains."""
    return {
        name: tuple(float(value) for value in variable.numpy().ravel())
        for name, variable in agent.named_weights().items()
        if not variable.trainable
    }


def _check(agent: EpisodicAgent) -> None:
    import numpy as np

    if agent.lesion is not None:
        raise UserError(
            "agent", str(agent.lesion), "is lesioned", "publish agent.lesioned(None)"
        )
    for name, variable in agent.named_weights().items():
        if not np.isfinite(variable.numpy()).all():
            raise UserError("agent", name, "is not finite", "train the agent anew")


def _check_version(version: int | None) -> None:
    number = isinstance(version, int) and not isinstance(version, bool)
    if version is not None and (not number or version < 1):
        raise UserError("version", version, "is not a version", "give 1, 2, ...")


def _check_others(
    agent: EpisodicAgent, others: Mapping[int, EpisodicAgent], submission: Submission
) -> None:
    """Refuses a seed without its agent, and an agent that is not of these seeds."""
    chosen = submission.evaluation.chosen_seed
    needed = {result.seed for result in submission.evaluation.seeds} - {chosen}
    if odd := sorted(needed ^ set(others)):
        problem = "has no agent" if odd[0] in needed else "was not evaluated"
        fix = f"give the agents of the seeds {sorted(needed)}, by seed"
        raise UserError("others", odd[0], problem, fix)
    for seed, other in others.items():
        if _without_seed(other) != _without_seed(agent):
            problem = "differs from the chosen agent in more than its weights"
            fix = "publish agents of one recipe together"
            raise UserError("others", seed, problem, fix)


def _without_seed(agent: EpisodicAgent) -> dict[str, Any]:
    """An agent's description, but for the seed that its first weights came from."""
    from kerasmeta.agents import storage

    description = storage.describe(agent)
    return {**description, "agent": {**description["agent"], "seed": None}}


def _write_agent(
    agent: EpisodicAgent, others: Mapping[int, EpisodicAgent], directory: Path
) -> Contract:
    from export import write_saved_model
    from kerasmeta.agents import storage

    contract = write_saved_model(agent, directory)
    programs.check(directory)  # nobody could run it, else
    storage.save_weights(agent, directory / files.WEIGHTS)
    for seed, other in others.items():
        path = directory / files.SEED_WEIGHTS.format(seed=seed)
        path.parent.mkdir(parents=True)
        storage.save_weights(other, path)
    (directory / files.CONFIG).write_bytes(to_bytes(storage.describe(agent)))
    return contract
