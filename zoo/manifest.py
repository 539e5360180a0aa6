"""What is recorded about a published agent: `manifest.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from export.contracts import Contract

from .files import MANIFEST, SEED_WEIGHTS, SIGNATURE, WEIGHTS, FileEntry
from .identifiers import AgentName


def _plain(data: Any) -> Any:
    """Data as JSON has it: tuples become lists, NaN is refused."""
    try:
        return json.loads(json.dumps(data, allow_nan=False))
    except TypeError as error:
        raise ValueError(str(error)) from None


def _readable(text: str) -> str:
    """Refuses characters that do something to a terminal, and halves of characters."""
    if not text.replace("\n", " ").isprintable():
        raise ValueError("the text holds characters that cannot be printed")
    return text


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    AfterValidator(_readable),
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]
PlainData = Annotated[dict[str, Any], BeforeValidator(_plain)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(_Record):
    """A mean over lifetimes and its 95% interval. Never NaN.

    Made from a dict, or from a `kerasmeta.analysis.Estimate`.
    """

    mean: FiniteFloat
    ci95: tuple[FiniteFloat, FiniteFloat]

    @model_validator(mode="before")
    @classmethod
    def _from_named_tuple(cls, data: Any) -> Any:
        return data._asdict() if hasattr(data, "_asdict") else data

    @model_validator(mode="after")
    def _in_order(self) -> Estimate:
        if self.ci95[0] > self.ci95[1]:
            raise ValueError("the interval's lower end is above its upper end")
        return self


Metrics = Annotated[dict[Name, Estimate], Field(min_length=1)]


class SeedResult(_Record):
    """The metrics of the agent that one training seed gave."""

    seed: int
    metrics: Metrics


class Source(_Record):
    """Where published numbers come from, and the numbers by metric."""

    source: Text
    metrics: dict[Name, FiniteFloat] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather_metrics(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "metrics" in data:
            return data
        metrics = {name: value for name, value in data.items() if name != "source"}
        return {"source": data.get("source", ""), "metrics": metrics}


class Evaluation(_Record):
    """How well an agent does, beside what it is compared with.

    Attributes:
        lifetimes: How many fresh lifetimes each estimate is over.
        seed: The seed of those lifetimes.
        held_out: The task's parameters that differ from those of training, because
            agents are evaluated on what training never showed.
        metrics: Of the published weights.
        lesions: Of the published weights with a part switched off, by lesion.
        references: Of others, by name (`random`, `optimal`, `published`, ...), as
            `kerasmeta.training.evaluation.references` gives them.
        sources: Where published numbers come from, by a short name: the text `source`
            and the metrics. May be given inside `references`.
        seeds: Of every training seed, the ones not chosen included.
        chosen_seed: The seed whose weights are published.
    """

    lifetimes: PositiveInt
    seed: int
    held_out: PlainData = {}
    metrics: Metrics
    lesions: dict[Name, Metrics] = {}
    references: dict[Name, dict[Name, Estimate | FiniteFloat]] = {}
    sources: dict[Name, Source] = {}
    seeds: Annotated[tuple[SeedResult, ...], Field(min_length=1)]
    chosen_seed: int

    @model_validator(mode="before")
    @classmethod
    def _lift_sources(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "sources" in data:
            return data
        references = dict(data.get("references", {}))
        sources = references.pop("sources", {})
        return {**data, "references": references, "sources": sources}

    @model_validator(mode="after")
    def _complete(self) -> Evaluation:
        seeds = [result.seed for result in self.seeds]
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is listed twice")
        if self.chosen_seed not in seeds:
            raise ValueError(f"chosen_seed {self.chosen_seed} is not among the seeds")
        for result in self.seeds:
            if odd := sorted(set(result.metrics) ^ set(self.metrics)):
                raise ValueError(
                    f"{odd[0]} is missing, of seed {result.seed} or of the agent"
                )
        for lesion, metrics in self.lesions.items():
            if odd := sorted(set(metrics) ^ set(self.metrics)):
                raise ValueError(
                    f"{odd[0]} is missing, of lesion {lesion} or of the agent"
                )
        return self


class Task(_Record):
    """The task family an agent was trained on, and its parameters."""

    name: Text
    parameters: PlainData = {}


class Provenance(_Record):
    """Where the weights come from.

    Attributes:
        commit: Of the repository.
        config_hash: SHA-256 of the training configuration.
        config: That configuration, where it is known.
        command: What to type to train the agent again.
        seeds: Every seed that was trained.
        steps: Environment steps of one seed, summed over parallel lifetimes.
        full_steps: The recipe's, where they are more: the budget is a truncated one.
        wall_seconds: Of training one seed.
        hardware: In words.
        libraries: Versions by name.
        parent: Of a fine-tuned agent, the one it began as: `family/agent@version`, or a
            few words about one that is not published.
    """

    commit: Text
    config_hash: Text
    config: PlainData = {}
    command: str = ""
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]
    steps: PositiveInt
    full_steps: PositiveInt | None = None
    wall_seconds: Annotated[FiniteFloat, Field(gt=0)]
    hardware: Text
    libraries: Annotated[dict[Text, Text], Field(min_length=1)]
    parent: str = ""


class Submission(_Record):
    """What someone who publishes an agent says about it.

    Attributes:
        kind: `lstm` or `ep_lstm`.
        task: See `Task`.
        description: One or two sentences for the card.
        papers: "Authors (year). Title. Where."
        headline: The metrics that tables of agents show, the first one first.
        licence: An SPDX identifier.
        normalization: The constants that bring observations and values to mean 0 and
            variance 1, by their names among the weights; empty for an agent without.
    """

    kind: Literal["lstm", "ep_lstm"]
    task: Task
    description: Text
    papers: Annotated[tuple[Text, ...], Field(min_length=1)]
    headline: Annotated[tuple[Name, ...], Field(min_length=1)]
    licence: Text
    evaluation: Evaluation
    provenance: Provenance
    normalization: dict[Text, tuple[FiniteFloat, ...]] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Submission:
        for name in self.headline:
            if name not in self.evaluation.metrics:
                raise ValueError(f"headline {name} is no metric of the agent")
        reported = {result.seed for result in self.evaluation.seeds}
        if reported != set(self.provenance.seeds):
            raise ValueError("every trained seed must be evaluated, and no other")
        return self


class Manifest(Submission):
    """The whole record of one published version."""

    schema_version: Literal[1] = 1
    id: AgentName
    version: PositiveInt
    created: AwareDatetime
    contract: Contract
    files: tuple[FileEntry, ...] = ()

    @model_validator(mode="after")
    def _listed_once(self) -> Manifest:
        paths = [MANIFEST, SIGNATURE, *(entry.path for entry in self.files)]
        if len(set(paths)) < len(paths):
            raise ValueError("a file is listed twice, or lists itself")
        return self

    def weights(self) -> dict[int, str]:
        """The path of the weights that each training seed gave, where they are kept.

        Those of the chosen seed are the version's own and are not kept twice. Versions
        published before weights of other seeds were kept have no more than these.
        """
        chosen, listed = self.evaluation.chosen_seed, {f.path for f in self.files}
        paths = {
            seed: WEIGHTS if seed == chosen else SEED_WEIGHTS.format(seed=seed)
            for seed in sorted(self.provenance.seeds)
        }
        return {seed: path for seed, path in paths.items() if path in listed}
