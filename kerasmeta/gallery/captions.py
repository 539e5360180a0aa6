"""What a figure of `kerasmeta analyse` shows: title, caption, and text in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Caption(NamedTuple):
    """The words of a figure. `part` is the section of the page it belongs to."""

    part: str
    title: str
    text: str
    analysis: str = ""  # whose figure it is, where the names differ


BEHAVIOUR, INSIDE, LESIONS, LEARNING = "behaviour", "inside", "lesions", "learning"

_INTERVALS = "Error bars: 95% intervals."

CAPTIONS: Mapping[str, Caption] = {
    "stay_probabilities": Caption(
        BEHAVIOUR,
        "What it repeats",
        "Chance to repeat an action by what came of it. Planning shows as high, low, "
        "low, high; hollow bars are the agent with its memory lesioned, lines the "
        f"optimal player, markers published values. {_INTERVALS}",
        "stay",
    ),
    "by_trial": Caption(
        BEHAVIOUR,
        "By trial of an episode",
        "Accuracy, or reward, in each trial of an episode, for each exposure to its "
        f"context. {_INTERVALS}",
    ),
    "exposure": Caption(
        BEHAVIOUR,
        "By exposure",
        "What it does by how often it has met the context: only memory can make the "
        f"second exposure better than the first. {_INTERVALS}",
    ),
    "four_systems": Caption(
        BEHAVIOUR,
        "Four systems",
        "Model-free and model-based control, incremental and episodic, as effects in "
        f"one regression of its choices. {_INTERVALS}",
    ),
    "hybrid_weights": Caption(
        BEHAVIOUR,
        "How much it plans",
        "The weight of model-based control in the hybrid model of Daw et al. (2011), "
        "fitted to every lifetime.",
        "hybrid",
    ),
    "learning_to_learn": Caption(
        LEARNING,
        "Learning to learn",
        "Accuracy by trial of an episode, in each fifth of training (Harlow's curve).",
    ),
    "matching": Caption(
        BEHAVIOUR,
        "How it matches",
        "The ratio of its choices against the ratio of what they paid, and how far "
        f"back rewards and choices count. {_INTERVALS}",
        "matching_law",
    ),
    "volatility": Caption(
        BEHAVIOUR,
        "How fast it learns",
        "Its learning rate where the world is stable and where it is volatile, beside "
        f"players that know the rules. {_INTERVALS}",
    ),
    "inferred_value": Caption(
        BEHAVIOUR,
        "What it infers",
        "Values and prediction errors that changed with a reversal before the agent "
        f"met the cue again. {_INTERVALS}",
    ),
    "rpe_perturbation": Caption(
        BEHAVIOUR,
        "Led astray",
        "Choices of the risky lever while the reward that it is told is false. "
        f"{_INTERVALS}",
    ),
    "unit_coding": Caption(
        INSIDE,
        "What units code",
        "Share of units whose activity depends on the last action, the last reward, "
        f"both together, and value. {_INTERVALS}",
    ),
    "decoding": Caption(
        INSIDE,
        "What can be read out",
        "How well the task's hidden variables are decoded from the units, beside "
        f"chance. {_INTERVALS}",
    ),
    "prediction_errors": Caption(
        INSIDE,
        "Whose prediction errors",
        "The agent's reward prediction errors against those of a model-based and of a "
        "model-free learner that saw the same.",
    ),
    "dose_response": Caption(
        LESIONS,
        "Lesion curve",
        "Performance by the share of units silenced, in random order and, where there "
        f"is a memory, from the most open reinstatement gates on. {_INTERVALS}",
    ),
    "learning_curve": Caption(
        LEARNING,
        "Learning curves",
        "Reward per trial while training: a thin line a seed, the mean thick.",
    ),
}


def caption(figure: str) -> Caption:
    """The words of a figure by its file's name; plain ones for one without."""
    title = figure.replace("_", " ")
    plain = Caption(BEHAVIOUR, title.capitalize(), f"From kerasmeta analyse: {title}.")
    found = CAPTIONS.get(figure, plain)
    return found._replace(analysis=found.analysis or figure)


def in_words(statistics: Mapping[str, Any], limit: int = 12) -> str:
    """An analysis's numbers as text, for those who do not see the figure."""
    told = []
    for name, entry in _estimates(statistics, ""):
        low, high = entry["ci95"]
        mean = f"{entry['mean']:.2f}"
        between = "" if low is None else f" ({low:.2f} to {high:.2f})"
        told.append(f"{name.replace('_', ' ')} {mean}{between}")
    rest = len(told) - limit
    more = f"; and {rest} more in the table" if rest > 0 else ""
    return "; ".join(told[:limit]) + more


def _estimates(data: Any, path: str) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(data, Mapping):
        return []
    if "ci95" in data and data.get("mean") is not None:
        return [(path, data)]
    inner = [(f"{path} {key}".strip(), value) for key, value in data.items()]
    return [one for name, value in inner for one in _estimates(value, name)]
