"""The page of one agent: everything its manifest and its analyses tell."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasmeta.gallery.captions import (
    BEHAVIOUR,
    INSIDE,
    LEARNING,
    LESIONS,
    caption,
    in_words,
)
from kerasmeta.gallery.entries import Entry
from kerasmeta.gallery.figures import PLATES, Plate
from kerasmeta.gallery.playing import live_data, live_words
from zoo import Estimate, files
from zoo.card import REFERENCE_ORDER
from zoo.markdown import interval, number

PARTS = {  # section of the page: its heading and what it begins with
    BEHAVIOUR: ("Behaviour", "What it does, over all published seeds."),
    LESIONS: (
        "Lesions",
        "What is left when more and more of its units are silenced.",
    ),
    INSIDE: ("Inside", "What its units carry while it plays."),
    LEARNING: ("Learning", "How it got there: every training seed."),
}


def agent_values(entry: Entry, plates: Sequence[Plate]) -> dict[str, Any]:
    """What the template of an agent's page is filled with."""
    manifest, evaluation = entry.manifest, entry.manifest.evaluation
    return {
        "id": manifest.id,
        "family": entry.family,
        "description": manifest.description,
        "agent_version": manifest.version,
        "versions": entry.versions,
        "published": manifest.created.date().isoformat(),
        "papers": manifest.papers,
        "headline": [_tile(entry, name) for name in manifest.headline],
        "parts": _parts(plates),
        "lifetimes": evaluation.lifetimes,
        "held_out": ", ".join(f"{k} = {v}" for k, v in evaluation.held_out.items()),
        **_metrics(entry),
        **_seeds(entry),
        "sources": [source.source for _, source in sorted(evaluation.sources.items())],
        **_code(entry),
        "provenance": _provenance(entry),
        "configuration": json.dumps(manifest.provenance.config, indent=2),
        "files": manifest.files,
        "live": live_data(entry) if entry.plays else None,
        "has_memory": entry.has_memory,
        **(live_words(entry) if entry.plays else {}),
    }


def copy_files(entry: Entry, folder: Path) -> None:
    """What the page loads besides itself: the weights and their configuration."""
    if entry.plays:
        for name in (files.WEIGHTS, files.CONFIG):
            shutil.copyfile(entry.directory / name, folder / name)


def _tile(entry: Entry, name: str) -> dict[str, Any]:
    evaluation = entry.manifest.evaluation
    found = evaluation.metrics[name]
    lesioned = evaluation.lesions.get("memory", {}).get(name)
    return {
        "name": name,
        "mean": found.mean,
        "low": found.ci95[0],
        "high": found.ci95[1],
        "lesioned": lesioned.mean if lesioned else None,
        **{who: reference(entry, who, name) for who in ("random", "optimal")},
    }


def reference(entry: Entry, player: str, metric: str) -> float | None:
    """What a reference player earns, if it is known."""
    found = entry.manifest.evaluation.references.get(player, {}).get(metric)
    return found.mean if isinstance(found, Estimate) else found


def _parts(plates: Sequence[Plate]) -> list[dict[str, Any]]:
    parts = []
    for part, (title, lead) in PARTS.items():
        inside = [plate._asdict() for plate in plates if plate.part == part]
        if inside:
            parts.append({"id": part, "title": title, "lead": lead, "figures": inside})
    return parts


def _ordered(entry: Entry) -> list[str]:
    """The metrics' names, headline first."""
    manifest = entry.manifest
    rest = sorted(set(manifest.evaluation.metrics) - set(manifest.headline))
    return [*manifest.headline, *rest]


def _metrics(entry: Entry) -> dict[str, Any]:
    evaluation = entry.manifest.evaluation
    columns: dict[str, Mapping[str, Any]] = {"this agent": evaluation.metrics}
    for lesion, found in sorted(evaluation.lesions.items()):
        columns[f"{lesion} lesioned"] = found
    known = [name for name in REFERENCE_ORDER if name in evaluation.references]
    for name in [*known, *sorted(set(evaluation.references) - set(known))]:
        columns[name.replace("_", " ")] = evaluation.references[name]
    rows = [
        (name, [_cell(column.get(name)) for column in columns.values()])
        for name in _ordered(entry)
    ]
    return {"columns": list(columns), "metrics": rows}


def _seeds(entry: Entry) -> dict[str, Any]:
    evaluation = entry.manifest.evaluation
    results = sorted(evaluation.seeds, key=lambda result: result.seed)
    heads = [
        f"seed {r.seed}" + (" (published)" if r.seed == evaluation.chosen_seed else "")
        for r in results
    ]
    rows = [
        (name, [_cell(result.metrics[name]) for result in results])
        for name in _ordered(entry)
    ]
    return {"seed_columns": heads, "seeds": rows}


def _cell(value: Any) -> str:
    if isinstance(value, Estimate):
        return interval(value.mean, value.ci95)
    return "\N{EN DASH}" if value is None else number(value)


def _code(entry: Entry) -> dict[str, str]:
    lesion = 'patient = agent.lesioned("memory")\n' if entry.has_memory else ""
    return {
        "load_code": (
            f'import zoo\n\nagent = zoo.load("{entry.id}")\n{lesion}'
            "state = agent.initial_state(batch_size=1)\n"
            "output = agent.step(observation, state)  # .action, .value, .state\n"
        ),
        "serve_code": f"kerasmeta export {entry.id} --out served\n",
        "analyse_code": (
            f"kerasmeta analyse {entry.id} --out figures\n"
            f"kerasmeta analyse {entry.id} --analysis dose_response --out figures\n"
        ),
    }


def _provenance(entry: Entry) -> list[tuple[str, str]]:
    manifest, record = entry.manifest, entry.manifest.provenance
    task = json.dumps(manifest.task.parameters, sort_keys=True)
    libraries = (f"{name} {v}" for name, v in sorted(record.libraries.items()))
    return [
        ("task", f"{manifest.task.name} {task if manifest.task.parameters else ''}"),
        ("agent", manifest.kind),
        ("seeds", ", ".join(str(seed) for seed in sorted(record.seeds))),
        ("environment steps per seed", f"{record.steps:,}"),
        ("time per seed", f"{record.wall_seconds / 60:.1f} min"),
        ("hardware", record.hardware),
        ("commit", record.commit),
        ("configuration, SHA-256", record.config_hash),
        ("command", record.command),
        ("libraries", ", ".join(libraries)),
        ("licence", manifest.licence),
    ]


def plates_found(entry: Entry, folder: Path) -> list[Plate]:
    """The figures of `kerasmeta analyse`, copied byte for byte into the folder."""
    analyses = entry.statistics.get("analyses", {})
    plates: list[Plate] = []
    drawn = entry.found.glob("*.svg") if analyses else ()
    for path in sorted(drawn, key=lambda path: _rank(path.stem)):
        words = caption(path.stem)
        shutil.copyfile(path, folder / path.name)
        told = in_words(analyses.get(words.analysis, {}))
        alt = f"{words.title}: {told}" if told else words.title
        plates.append(Plate.of(folder / path.name, words, alt, first=not plates))
    return plates


def _rank(name: str) -> tuple[int, str]:
    return (PLATES.index(name) if name in PLATES else len(PLATES), name)
