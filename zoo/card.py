"""Model cards: README.md of a published version, rendered from its manifest alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .identifiers import is_name
from .manifest import Estimate, Manifest, Provenance
from .markdown import interval, number, table

# The columns of a card's table, in this order; others follow by name.
REFERENCE_ORDER = ("random", "model_free", "optimal", "oracle", "published")


@dataclass(frozen=True)
class Card:
    """What is known about a loaded agent. Jupyter shows it as rendered markdown.

    Args:
        manifest: Of the published version.
        loaded_seed: The training seed whose weights were loaded; None: the chosen one.
    """

    manifest: Manifest
    loaded_seed: int | None = None

    @property
    def id(self) -> str:
        """`family/agent@version`."""
        return f"{self.manifest.id}@{self.manifest.version}"

    @property
    def metrics(self) -> dict[str, Estimate]:
        """The metrics of these weights."""
        evaluation = self.manifest.evaluation
        if self.seed == evaluation.chosen_seed:
            return evaluation.metrics
        return {result.seed: result.metrics for result in evaluation.seeds}[self.seed]

    @property
    def seed(self) -> int:
        """The training seed that gave these weights."""
        chosen = self.manifest.evaluation.chosen_seed
        return chosen if self.loaded_seed is None else self.loaded_seed

    @property
    def seeds(self) -> tuple[int, ...]:
        """The training seeds whose weights `zoo.load(id, seed=...)` can load."""
        return tuple(self.manifest.weights())

    @property
    def markdown(self) -> str:
        """The card as text, front matter included."""
        return render(self.manifest)

    def _repr_markdown_(self) -> str:
        return _body(self.manifest)


def render(manifest: Manifest) -> str:
    """The card: YAML front matter with a Hugging Face `model-index`, and markdown.

    The manifest's list of files is not looked at, so that the card can be one of them.
    """
    return f"---\n{_front_matter(manifest)}---\n\n{_body(manifest)}"


def _front_matter(manifest: Manifest) -> str:
    """Front matter. Every value is JSON, which is YAML."""
    fields = {
        "license": manifest.licence.lower(),
        "library_name": "kerasmeta",
        "pipeline_tag": "reinforcement-learning",
        "tags": [
            "reinforcement-learning",
            "meta-reinforcement-learning",
            manifest.task.name,
            manifest.kind,
        ],
        "model-index": [{"name": manifest.id, "results": [_result(manifest)]}],
    }
    if base := _published_parent(manifest):
        fields |= {"base_model": base, "base_model_relation": "finetune"}
    lines = []
    for key, value in fields.items():
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        lines.append(f"{key}: " + text.replace("\n", "\n  ") + "\n")
    return "".join(lines)


def _published_parent(manifest: Manifest) -> str:
    """`family/agent` of what was fine-tuned, the Hub's form; "" where it has no id."""
    name = manifest.provenance.parent.partition("@")[0]
    return name if is_name(name) else ""


def _result(manifest: Manifest) -> dict[str, Any]:
    """One result of a model-index; four decimals, never an exponent YAML misreads."""
    return {
        "task": {"type": "reinforcement-learning", "name": "reinforcement learning"},
        "dataset": {"type": manifest.task.name, "name": manifest.task.name},
        "metrics": [
            {
                "type": name,
                "name": name,
                "value": round(estimate.mean, 4),
                "args": {"ci95": [round(end, 4) for end in estimate.ci95]},
            }
            for name, estimate in _ordered(manifest).items()
        ],
    }


def _body(manifest: Manifest) -> str:
    sections = (
        f"# {manifest.id}, version {manifest.version}\n\n{manifest.description}",
        "## Metrics\n\n" + _metrics(manifest),
        "## Every training seed\n\n" + _seeds(manifest),
        "## Load\n\n" + _load(manifest),
        "## Training\n\n" + _training(manifest),
        "## Papers\n\n" + "\n".join(f"- {paper}" for paper in manifest.papers),
        f"## Licence\n\n{manifest.licence}",
    )
    return "\n\n".join(sections) + "\n"


def _ordered(manifest: Manifest) -> dict[str, Estimate]:
    """The metrics, headline first, then by name."""
    metrics = manifest.evaluation.metrics
    rest = sorted(set(metrics) - set(manifest.headline))
    return {name: metrics[name] for name in (*manifest.headline, *rest)}


def _metrics(manifest: Manifest) -> str:
    evaluation = manifest.evaluation
    columns: dict[str, dict[str, Any]] = {"this agent": _ordered(manifest)}
    for lesion in sorted(evaluation.lesions):
        columns[f"{lesion} lesioned"] = dict(evaluation.lesions[lesion])
    known = [name for name in REFERENCE_ORDER if name in evaluation.references]
    for name in [*known, *sorted(set(evaluation.references) - set(known))]:
        columns[name] = dict(evaluation.references[name])
    rows = [
        [f"`{name}`", *(_cell(column.get(name)) for column in columns.values())]
        for name in _ordered(manifest)
    ]
    note = (
        f"Means with 95% intervals over {evaluation.lifetimes} fresh lifetimes "
        f"(evaluation seed {evaluation.seed}), weights frozen."
    )
    if evaluation.held_out:
        differing = [f"`{key}={value}`" for key, value in evaluation.held_out.items()]
        note += f" On what training never showed: {', '.join(differing)}."
    sources = [f"- {s.source}" for _, s in sorted(evaluation.sources.items())]
    if sources:
        note += "\n\nPublished values:\n\n" + "\n".join(sources)
    return table(["metric", *columns], rows) + f"\n\n{note}"


def _cell(value: Estimate | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Estimate):
        return interval(value.mean, value.ci95)
    return number(value)


def _seeds(manifest: Manifest) -> str:
    evaluation = manifest.evaluation
    results = sorted(evaluation.seeds, key=lambda result: result.seed)
    heads = [
        f"seed {r.seed}" + (" (published)" if r.seed == evaluation.chosen_seed else "")
        for r in results
    ]
    rows = [
        [f"`{name}`", *(_cell(result.metrics[name]) for result in results)]
        for name in _ordered(manifest)
    ]
    return table(["metric", *heads], rows)


def _load(manifest: Manifest) -> str:
    return (
        "```python\nimport zoo\n\n"
        f'agent = zoo.load("{manifest.id}@{manifest.version}")\n'
        "state = agent.initial_state(batch_size=1)\n"
        "output = agent.step(observation, state)\n```"
    )


def _training(manifest: Manifest) -> str:
    record = manifest.provenance
    parameters = json.dumps(manifest.task.parameters, sort_keys=True)
    versions = [f"{name} {v}" for name, v in sorted(record.libraries.items())]
    rows = [
        ["task", f"`{manifest.task.name}` `{parameters}`"],
        ["agent", f"`{manifest.kind}`"],
        *([["fine-tuned from", f"`{record.parent}`"]] if record.parent else []),
        ["seeds", ", ".join(str(seed) for seed in sorted(record.seeds))],
        ["environment steps per seed", _budget(record)],
        ["time per seed", f"{record.wall_seconds / 60:.1f} min"],
        ["hardware", record.hardware],
        ["commit", f"`{record.commit}`"],
        ["configuration", f"SHA-256 `{record.config_hash}`"],
        *([["command", f"`{record.command}`"]] if record.command else []),
        ["libraries", ", ".join(versions)],
        ["published", manifest.created.date().isoformat()],
    ]
    return table(["", ""], rows) + _configuration(record.config)


def _budget(record: Provenance) -> str:
    if record.full_steps is None:
        return f"{record.steps:,}"
    return f"{record.steps:,}, a truncated budget: the recipe has {record.full_steps:,}"


def _configuration(config: dict[str, Any]) -> str:
    if not config:
        return ""
    text = json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False)
    return f"\n\nThe configuration:\n\n```json\n{text}\n```"
