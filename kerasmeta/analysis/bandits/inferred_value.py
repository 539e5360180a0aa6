"""Values and prediction errors that are inferred before they are met (simulation 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.families.inferred_value import (
    CUES,
    AroundReversals,
    at_cue_onsets,
    at_cues,
    means,
    shifts,
)
from kerasmeta.analysis.families.reversal import cue_trials, probes
from kerasmeta.analysis.figures.bar_panel import Panel, bar_figure
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.study import Finding, Recordings, Study

DIRECTIONS = ("rises", "falls")
# What is read, from which recorded signal, and where in a trial.
SIGNALS: Mapping[str, tuple[str, Callable[..., AroundReversals]]] = {
    "value": ("value", at_cues),
    "rpe": ("reward_prediction_error", at_cue_onsets),
}
TITLES = {"value": "Value at the cue", "rpe": "Prediction error at its onset"}


def inferred_value(study: Study) -> Finding:
    """The cue of a target whose value changed while only the other one was met.

    Statistics, for `value` (at the cue) and `rpe` (the prediction error from fixation
    to cue): `*_rises_*` and `*_falls_*`, means at its last cue before the reversal, at
    the first one after it (inferred), and at the next one (experienced);
    `inferred_*_shift`, how far it moved towards its new value by inference, tested
    against 0 and published to be positive (Bromberg-Martin et al. 2010; Wang et al.
    2018); `inferred_*_part`, what part of the way that is.
    """
    by_seed = {
        signal: [
            _around(recorded, signal)
            for subject in study.subjects
            if (recorded := subject.recordings) is not None
        ]
        for signal in SIGNALS
    }
    statistics = {}
    for signal, subjects in by_seed.items():
        moved = [shifts(one) for one in subjects]
        statistics[f"inferred_{signal}_shift"] = statistic(
            [one["inferred"] for one in moved], null=0.0, published_sign=1
        )
        statistics[f"experienced_{signal}_shift"] = statistic(
            [one["experienced"] for one in moved], null=0.0
        )
        statistics[f"inferred_{signal}_part"] = statistic(
            [one["inferred_part"] for one in moved]
        )
        found = [means(one) for one in subjects]
        for name in found[0]:
            statistics[f"{signal}_{name}"] = statistic([one[name] for one in found])

    def draw() -> Figure:
        panels = [
            _panel(signal, [means(one) for one in subjects])
            for signal, subjects in by_seed.items()
        ]
        return bar_figure(panels)

    return Finding(statistics, figures={"inferred_value": draw})


def _around(recorded: Recordings, signal: str) -> AroundReversals:
    recorded_signal, read = SIGNALS[signal]
    found = probes(cue_trials(recorded.lifetimes))
    return read(recorded.signals[recorded_signal], found)


def _panel(signal: str, by_seed: list[dict[str, Estimate]]) -> Panel:
    return Panel(
        title=TITLES[signal],
        label="discounted reward",
        bars={
            f"value_{direction}": {
                cue: [found[f"{direction}_{cue}"] for found in by_seed] for cue in CUES
            }
            for direction in DIRECTIONS
        },
        reference=0.0,
    )
