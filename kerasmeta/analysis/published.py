"""Numbers other people published, under this project's metric names, with sources.

None of these papers prints its numbers. They were read from the figures, by measuring
bar heights in pixels (good to about 0.01), and the source string says which figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Published(NamedTuple):
    """One source's values for one task family."""

    label: str  # for legends and tables
    values: Mapping[str, float]  # by metric name
    source: str  # who, which figure, how read


def published(task_name: str) -> Mapping[str, Published]:
    """Published values for a task family by source id (`wang_2018`); may be empty."""
    return _PUBLISHED.get(task_name, MappingProxyType({}))


def _by_type(prefix: str, *values: float) -> dict[str, float]:
    names = (
        "common_rewarded",
        "uncommon_rewarded",
        "common_unrewarded",
        "uncommon_unrewarded",
    )
    return {f"{prefix}_{n}": value for n, value in zip(names, values, strict=True)}


def _entry(label: str, source: str, values: dict[str, float]) -> Published:
    return Published(label, MappingProxyType(values), source)


_WANG = (
    "Wang et al. (2018), Prefrontal cortex as a meta-reinforcement learning system, "
    "Nature Neuroscience 21, 860-868"
)
_RITTER = (
    "Ritter et al. (2018), contextual two-step task (Been There, Done That, ICML; "
    "Episodic control as meta-reinforcement learning, bioRxiv 360537)"
)
_COPY = "bar heights measured (+-0.01) on the figure's copy in"
_TWO_STEP_CODE = "github.com/BKHMSI/Meta-RL-TwoStep-Task"
_HARLOW_CODE = "github.com/BKHMSI/Meta-RL-Harlow"

_TWO_STEP = {
    "wang_2018": _entry(
        "Wang et al. 2018",
        f"{_WANG}, Simulation 4 (transition 0.8, reward 0.9, reversals 0.025); "
        f"{_COPY} {_TWO_STEP_CODE}, assets/pub_twostep_stayprob.png",
        _by_type("stay", 0.99, 0.64, 0.62, 0.99),
    ),
    "alkhamissi_2020": _entry(
        "AlKhamissi 2020",
        f"B. AlKhamissi (2020), {_TWO_STEP_CODE}, assets/twostep_stayprob.png; bar "
        "heights measured (+-0.01). Another setting: transition 0.9, reward 0.9, "
        "reversals 0.1",
        _by_type("stay", 0.99, 0.80, 0.70, 0.98),
    ),
}

_EPISODIC_TWO_STEP = {
    "ritter_2018": _entry(
        "Ritter et al. 2018",
        f"{_RITTER}; {_COPY} {_TWO_STEP_CODE}, assets/pub_inc_uc_twostep_stayprob.png "
        "(stay, uncued) and assets/pub_ep_twostep_stayprob.png (episodic repeat); the "
        "contrast is computed from them",
        {
            **_by_type("stay", 1.00, 0.14, 0.09, 1.00),
            **_by_type("episodic_repeat", 0.85, 0.30, 0.36, 0.72),
            "episodic_contrast": 0.91,
        },
    ),
    "alkhamissi_2020": _entry(
        "AlKhamissi 2020",
        f"B. AlKhamissi (2020), {_TWO_STEP_CODE}, "
        "assets/inc_uncued_twostep_stayprob.png (stay, uncued), "
        "assets/ep_twostep_stayprob.png (episodic repeat), "
        "assets/perf_cued_uncued.png (reward); bar heights measured (+-0.01), the "
        "contrast is computed from them",
        {
            "reward_per_trial_uncued": 0.675,
            "reward_per_trial_cued": 0.67,
            **_by_type("stay", 0.98, 0.67, 0.35, 0.95),
            **_by_type("episodic_repeat", 0.82, 0.65, 0.67, 0.80),
            "episodic_contrast": 0.30,
        },
    ),
    "alkhamissi_2020_lstm": _entry(
        "AlKhamissi 2020, no memory",
        f"B. AlKhamissi (2020), {_TWO_STEP_CODE}, assets/perf_cued_uncued.png, agent "
        "without episodic memory; bar heights measured (+-0.01)",
        {"reward_per_trial_uncued": 0.68, "reward_per_trial_cued": 0.65},
    ),
}

_HARLOW = {
    "alkhamissi_2020": _entry(
        "AlKhamissi 2020",
        f"B. AlKhamissi (2020), {_HARLOW_CODE}, 1-D Harlow task, learning curves at "
        "the end of training, read by eye (+-0.02; return +-0.1)",
        {"accuracy_trial_1": 0.51, "accuracy_trial_2": 0.95, "return": 5.7},
    ),
}

_VISUAL_HARLOW = {
    "wang_2018": _entry(
        "Wang et al. 2018",
        f"{_WANG}, Simulation 5 (PsychLab), last quantile of training; read from the "
        "figure (+-0.02)",
        {"accuracy_trial_1": 0.53, "accuracy_trial_2": 0.97},
    ),
}

_EPISODIC_HARLOW = {
    "alkhamissi_2021": _entry(
        "AlKhamissi 2021",
        "B. AlKhamissi (2021), github.com/BKHMSI/Episodic-Harlow, 1-D task with "
        "reoccurring pairs, frozen weights, with memory; read from the figure (+-0.02)",
        {"accuracy_trial_1": 0.93},
    ),
    "alkhamissi_2021_lstm": _entry(
        "AlKhamissi 2021, no memory",
        "B. AlKhamissi (2021), github.com/BKHMSI/Episodic-Harlow, 1-D task with "
        "reoccurring pairs, frozen weights, without memory; read from the figure "
        "(+-0.02)",
        {"accuracy_trial_1": 0.53},
    ),
}

_ML10 = {
    "maml_trpo_2025": _entry(
        "MAML-TRPO",
        "arXiv:2511.12383, abstract: MAML with TRPO on ML10, success on the test tasks "
        "(on the training tasks 0.21)",
        {"success_rate": 0.132},
    ),
}

_PUBLISHED: Mapping[str, Mapping[str, Published]] = MappingProxyType(
    {
        "two_step": MappingProxyType(_TWO_STEP),
        "episodic_two_step": MappingProxyType(_EPISODIC_TWO_STEP),
        "harlow": MappingProxyType(_HARLOW),
        "visual_harlow": MappingProxyType(_VISUAL_HARLOW),
        "episodic_harlow": MappingProxyType(_EPISODIC_HARLOW),
        "metaworld_ml10": MappingProxyType(_ML10),
    }
)
