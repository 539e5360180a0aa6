"""The four analyses of the bandits of Wang et al., on players and planted values."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta.analysis.bandits.false_rewards import false_rewards, shift
from kerasmeta.analysis.bandits.inferred_value import inferred_value
from kerasmeta.analysis.bandits.matching_law import matching_law
from kerasmeta.analysis.bandits.volatility import volatility
from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.families.reversal import BOTH, cue_trials
from kerasmeta.analysis.figures.bar_panel import Panel, bar_figure
from kerasmeta.analysis.recordings.signals import reward_prediction_errors
from kerasmeta.analysis.study import Finding, Recordings, Study, Subject
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks.play import play

LIFETIMES = 150
SIGNS = {"block_risky_reward": -1, "block_safe_reward": 1, "block_risky_loss": 1}


def study_of(task_name: str, subjects: list[Subject], *players: str) -> Study:
    task = tasks.make(task_name)
    return Study(
        agent="the agent",
        task=task_name,
        parameters=dataclasses.asdict(task),
        default_parameters=True,
        trials_per_lifetime=task.trials_per_lifetime,
        subjects=subjects,
        players={name: play(task, name, LIFETIMES, seed=9) for name in players},
    )


def played(task_name: str, player: str, *seeds: int) -> list[Subject]:
    task = tasks.make(task_name)
    return [Subject(f"seed {s}", play(task, player, LIFETIMES, s)) for s in seeds]


def check_figures(finding: Finding) -> None:
    assert finding.figures
    for draw in finding.figures.values():
        figure = draw()
        figure.canvas.draw()
        assert figure.axes


def test_matching_law() -> None:
    finding = matching_law(
        study_of("matching", played("matching", "optimal", 1, 2), "random", "oracle")
    )
    slope = finding.statistics["matching_slope"]
    assert slope["over"] == "seeds"
    assert 0.7 < slope["mean"] < 0.95
    assert slope["players"]["random"] < 0.2 < slope["players"]["oracle"]
    # Recent rewards speak for an arm; the arm just chosen is baited least.
    assert finding.statistics["reward_weight_lag_1"]["mean"] > 0
    assert finding.statistics["choice_weight_lag_1"]["mean"] < 0
    assert {"reward_weight_lag_15", "choice_weight_lag_15"} <= set(finding.statistics)
    check_figures(finding)


@pytest.mark.parametrize(("player", "adapts"), [("optimal", True), ("model_free", 0)])
def test_volatility(player: str, adapts: bool) -> None:
    finding = volatility(
        study_of("volatile_bandit", played("volatile_bandit", player, 1), "optimal")
    )
    for metric in ("learning_rate_ratio", "recency_ratio"):
        found = finding.statistics[metric]
        assert found["published_sign"] == 1
        assert (found["null"], found["over"]) == (1.0, "lifetimes")
        assert (found["ci95"][0] > 1.3) == bool(adapts)
    check_figures(finding)


def recordings(lifetimes: Lifetimes, infers: bool, gamma: float = 0.5) -> Recordings:
    """A critic that expects of a target what it knows of it, and 1/2 at fixation."""
    trials = cue_trials(lifetimes)
    value = np.full(lifetimes.valid.shape, 0.5)
    for b in range(len(value)):
        expected = [0.5, 0.5]
        for k, (shown, met) in enumerate(
            zip(trials.shown[b], trials.action[b], strict=True)
        ):
            value[b, 2 * k + 1] = max(expected) if shown == BOTH else expected[shown]
            if shown in (BOTH, met):
                expected[met] = trials.reward[b, k]
                if infers:
                    expected[1 - met] = 1 - trials.reward[b, k]
    error = reward_prediction_errors(value, lifetimes.reward, lifetimes.valid, gamma)
    signals = {"value": value, "reward_prediction_error": error}
    return Recordings(lifetimes, signals, {}, gamma)


@pytest.mark.parametrize("infers", [False, True])
def test_inferred_value(infers: bool) -> None:
    subjects = [
        subject._replace(recordings=recordings(subject.lifetimes, infers))
        for subject in played("reversal", "optimal", 1, 2)
    ]
    finding = inferred_value(study_of("reversal", subjects))
    found = {name: entry["mean"] for name, entry in finding.statistics.items()}
    part = 1.0 if infers else 0.0
    assert found["inferred_value_shift"] == part
    assert found["inferred_value_part"] == part
    assert found["experienced_value_shift"] == 1.0
    # From fixation to cue: gamma V(cue) - V(fixation).
    assert found["rpe_rises_before"] == pytest.approx(0.5 * 0.0 - 0.5)
    assert found["rpe_rises_inferred"] == pytest.approx(0.5 * part - 0.5)
    assert found["rpe_falls_inferred"] == pytest.approx(0.5 * (1 - part) - 0.5)
    assert found["inferred_rpe_shift"] == pytest.approx(0.5 * part)
    assert finding.statistics["inferred_value_shift"]["published_sign"] == 1
    check_figures(finding)


def test_false_rewards() -> None:
    task = tasks.make("risky_safe")
    subjects = []
    for subject in played("risky_safe", "model_free", 1, 2):
        seed = int(subject.name.split()[1])
        perturbed = {
            name: play(
                dataclasses.replace(task, perturbation=name),
                "model_free",
                LIFETIMES,
                seed,
            )
            for name in SIGNS
        }
        subjects.append(subject._replace(experiments={"rpe_perturbation": perturbed}))
    finding = false_rewards(study_of("risky_safe", subjects))
    for name, sign in SIGNS.items():
        found = finding.statistics[f"rpe_perturbation_shift_{name}"]
        assert found["published_sign"] == sign
        assert sign * found["mean"] > 0.1
        before = finding.statistics["risky_choice_control_unfavourable"]["mean"]
        after = finding.statistics[f"risky_choice_{name}_unfavourable"]["mean"]
        assert sign * (after - before) > 0
    check_figures(finding)


def test_a_lifetime_is_its_own_control() -> None:
    [subject] = played("risky_safe", "model_free", 1)
    none = shift(subject.lifetimes, subject.lifetimes)
    assert none == Estimate(0.0, (0.0, 0.0))


def test_bars_have_intervals_seeds_and_levels() -> None:
    one, two = Estimate(1.0, (0.5, 1.5)), Estimate(2.0, (1.5, 2.5))
    unknown = Estimate(math.nan, (math.nan, math.nan))
    bars = {"left": {"agent": [one, two]}, "right": {"agent": [unknown]}}
    levels = {"optimal": {"left": {"agent": 1.7}}}
    figure = bar_figure([Panel("Title", "label", bars, levels, reference=0.0)])
    axes = figure.axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights[0] == 1.5
    assert math.isnan(heights[1])
    lines = [np.asarray(line.get_ydata(), float).tolist() for line in axes.lines]
    assert [1.0, 2.0] in lines
    assert [1.7, 1.7] in lines
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["agent", "optimal"]
