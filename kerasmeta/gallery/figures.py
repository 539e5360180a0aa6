"""Figures of a page: where they are, how large, and in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.analysis import learning_curve, save, stay_figure
from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.published import published
from kerasmeta.gallery.captions import Caption, caption, in_words
from kerasmeta.gallery.entries import Entry

# The order of figures within a part of a page; others follow by name.
PLATES = (
    "stay_probabilities",
    "by_trial",
    "exposure",
    "four_systems",
    "hybrid_weights",
)


class Plate(NamedTuple):
    """A figure of a page."""

    file: str  # beside the page
    part: str  # section of the page
    title: str
    text: str
    alt: str
    width: int  # CSS pixels
    height: int
    first: bool  # to be shown at once

    @classmethod
    def of(cls, path: Path, words: Caption, alt: str, first: bool = False) -> Plate:
        """A figure that is in place."""
        width, height = size_of(path.read_text(encoding="utf-8"))
        return cls(
            path.name, words.part, words.title, words.text, alt, width, height, first
        )


def size_of(svg: str) -> tuple[int, int]:
    """Width and height in CSS pixels, from a viewBox in points."""
    match = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    width, height = (float(x) for x in match.groups()) if match else (480.0, 285.0)
    return round(width * 4 / 3), round(height * 4 / 3)


def from_manifest(entry: Entry, folder: Path) -> list[Plate]:
    """What can be drawn of an agent that nobody has analysed yet: its own metrics."""
    evaluation = entry.manifest.evaluation
    if "stay_common_rewarded" not in evaluation.metrics:
        return []
    lesioned = evaluation.lesions.get("memory")
    optimal = evaluation.references.get("optimal", {})
    figure = stay_figure(
        _estimates(evaluation.metrics),
        agent_name=entry.manifest.id,
        lesioned=_estimates(lesioned) if lesioned else None,
        optimal={name: _mean(value) for name, value in optimal.items()},
        published={e.label: e.values for e in published(entry.family).values()},
    )
    save(figure, folder / "stay_probabilities")
    (folder / "stay_probabilities.png").unlink()
    words = caption("stay_probabilities")
    told = in_words({n: e.model_dump() for n, e in evaluation.metrics.items()})
    alt = f"{words.title}: {told}"
    return [Plate.of(folder / "stay_probabilities.svg", words, alt, first=True)]


def learning_plate(entry: Entry, folder: Path) -> list[Plate]:
    """The learning curves of all seeds, where they were kept."""
    curves = entry.curves
    key = "reward_per_trial"
    if not any(key in row for rows in curves.values() for row in rows):
        return []
    levels = _levels(entry)
    figure = learning_curve(
        {entry.manifest.id: list(curves.values())}, references=levels
    )
    save(figure, folder / "learning_curve")
    (folder / "learning_curve.png").unlink()
    words = caption("learning_curve")
    ends = [_last(rows, key) for rows in curves.values()]
    told = ", ".join(f"seed {s} {end:.3f}" for s, end in zip(curves, ends, strict=True))
    alt = f"{words.title}: reward per trial at the end of training, {told}"
    return [Plate.of(folder / "learning_curve.svg", words, alt)]


def _last(rows: Sequence[Mapping[str, Any]], key: str) -> float:
    """The mean of the last twentieth of a curve: one iteration is noise."""
    values = [row[key] for row in rows if row.get(key) is not None]
    tail = values[-max(1, len(values) // 20) :]
    return float(sum(tail) / len(tail))


def _levels(entry: Entry) -> dict[str, float]:
    """Reward per trial of the random and the optimal player, where cards have it."""
    references = entry.manifest.evaluation.references
    levels = {}
    for player in ("random", "optimal"):
        known = references.get(player, {})
        value = known.get("reward_per_trial", known.get("reward_per_pull"))
        halves = [known.get(f"reward_per_trial_{half}") for half in ("uncued", "cued")]
        if value is None and None not in halves:  # as many trials cued as uncued
            value = sum(_mean(half) for half in halves) / 2
        if value is not None:
            levels[player] = _mean(value)
    return levels


def _estimates(metrics: Mapping[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate(found.mean, found.ci95) for name, found in metrics.items()}


def _mean(value: Any) -> float:
    return float(getattr(value, "mean", value))
