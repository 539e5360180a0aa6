"""What the page of an agent that plays in the browser hands to its scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kerasmeta.gallery.entries import Entry
from zoo import files

STATIC = Path(__file__).parent / "static"
_KEYS = {"barcode_bandit": "keys 1 to 9 and 0"}
_HEIGHTS = {"harlow": 100, "episodic_harlow": 100, "barcode_bandit": 120}


def live_data(entry: Entry) -> dict[str, Any]:
    """Configuration, task and marks: JSON for `static/js/live/main.js`.

    The task is that of evaluation: what training never showed, where there is such.
    """
    manifest = entry.manifest
    held_out = manifest.evaluation.held_out
    return {
        "family": entry.family,
        "parameters": {**manifest.task.parameters, **held_out},
        "gamma": gamma(entry),
        "weights": files.WEIGHTS,
        "config": entry.config,
        "marks": {name: e.mean for name, e in manifest.evaluation.metrics.items()},
    }


def gamma(entry: Entry) -> float:
    """The discount a step that the agent's critic was trained with."""
    return float(entry.manifest.provenance.config.get("trpo", {}).get("gamma", 1.0))


def live_words(entry: Entry) -> dict[str, Any]:
    """Words and measures of the live part that depend on the family."""
    hollow = " Hollow: its memory lesioned." if entry.has_memory else ""
    return {
        "gamma": f"{gamma(entry):g}",
        "keys": _KEYS.get(entry.family, "arrow keys left and right, or A and B"),
        "scene_height": _HEIGHTS.get(entry.family, 178),
        "chart_key": f"Lines across: the agent's numbers on its card.{hollow} "
        "Your n-th lifetime is the agent's n-th: the same hidden states.",
        "modules": modules(),
    }


def modules() -> list[str]:
    """The scripts of the live part, for the browser to load side by side."""
    scripts = STATIC / "js"
    paths = [path.relative_to(scripts).as_posix() for path in scripts.rglob("*.js")]
    return sorted(path for path in paths if "/" in path and path != "live/main.js")
