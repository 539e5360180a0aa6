"""What has been found: one small file for each seed of each trial, written whole.

    search.json                     the search
    trials/<id>/values.json         a trial's values
    trials/<id>/seed_<n>.json       the score of a seed, and its learning curve
    tuner/                          keras-tuner's own state
    results.csv, best.json, search.png, search.svg

A seed that has its file is never trained again, whatever keras-tuner remembers.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.training.config import RunConfig
from kerasmeta.training.run_directory import to_json, write_atomically
from kerasmeta.training.tuning.configuration import SearchConfig
from kerasmeta.training.tuning.space import settings

PART_OF_SCORE = 0.1  # of the iterations, the last ones
FEWEST = 5  # iterations in a score, as far as there are so many


class SeedResult(NamedTuple):
    """One training seed of a trial."""

    seed: int
    score: float | None  # None: training diverged
    steps: list[int]
    reward_per_trial: list[float]
    wall_seconds: float


class Trial(NamedTuple):
    """A set of values, and what it came to."""

    id: str
    values: dict[str, Any]
    seeds: tuple[SeedResult, ...]

    @property
    def steps(self) -> int:
        """The steps of a seed, or of the one that came furthest."""
        return max(
            (result.steps[-1] for result in self.seeds if result.steps), default=0
        )

    @property
    def score(self) -> float | None:
        """The mean over seeds of the reward per trial; None where a seed diverged."""
        found = [result.score for result in self.seeds]
        if not found or None in found:
            return None
        return math.fsum(one for one in found if one is not None) / len(found)


def score(rewards: Sequence[float]) -> float | None:
    """The mean reward per trial of the last tenth of training; None: not finite."""
    count = min(len(rewards), max(FEWEST, math.ceil(PART_OF_SCORE * len(rewards))))
    mean = math.fsum(rewards[-count:]) / count
    return mean if math.isfinite(mean) else None


class Results:
    """The files of a search.

    Args:
        path: The search's directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, trial: str) -> Path:
        """A trial's directory, which is made."""
        folder = self.path / "trials" / trial
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write_values(self, trial: str, values: dict[str, Any]) -> None:
        """Keeps a trial's values."""
        write_atomically(self.folder(trial) / "values.json", to_json(values))

    def write(self, trial: str, result: SeedResult) -> None:
        """Keeps the result of a seed."""
        path = self.folder(trial) / f"seed_{result.seed}.json"
        write_atomically(path, to_json(result._asdict()))

    def read(self, trial: str, seed: int) -> SeedResult | None:
        """The result of a seed; None where it is not finished."""
        path = self.path / "trials" / trial / f"seed_{seed}.json"
        try:
            return SeedResult(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None

    def trial(self, trial: str, seeds: int) -> Trial | None:
        """A trial all seeds of which are finished, else None."""
        found = [self.read(trial, seed) for seed in range(seeds)]
        if None in found:
            return None
        values = json.loads((self.path / "trials" / trial / "values.json").read_bytes())
        return Trial(trial, values, tuple(one for one in found if one is not None))


def finished_trials(path: Path, seeds: int) -> list[Trial]:
    """The trials all seeds of which are finished, in the order they were begun."""
    results = Results(path)
    names = sorted((folder.name for folder in (path / "trials").glob("*")), key=int)
    found = [results.trial(name, seeds) for name in names]
    return [trial for trial in found if trial is not None]


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """The best first; of trials with different budgets the larger one first."""

    def worth(trial: Trial) -> tuple[int, float]:
        return trial.steps, -math.inf if trial.score is None else trial.score

    return sorted(trials, key=worth, reverse=True)


def best_config(config: SearchConfig, trials: Sequence[Trial]) -> RunConfig | None:
    """The configuration with the best trial's values; None where all diverged."""
    good = [trial for trial in ranked(trials) if trial.score is not None]
    return config.run.with_overrides(settings(good[0].values)) if good else None


def table(config: SearchConfig, trials: Sequence[Trial]) -> list[list[Any]]:
    """A row a trial, the best first, below a row of names."""
    keys = [dimension.key for dimension in config.dimensions]
    seeds = [f"seed_{seed}" for seed in range(config.seeds)]
    rows: list[list[Any]] = [["trial", *keys, "steps", "reward_per_trial", *seeds]]
    for trial in ranked(trials):
        values = [trial.values[key] for key in keys]
        scores = [result.score for result in trial.seeds]
        rows.append([trial.id, *values, trial.steps, trial.score, *scores])
    return rows


def write_table(path: Path, rows: list[list[Any]]) -> None:
    """results.csv."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_atomically(path, text.getvalue())
