"""Reversals read from behaviour, on lifetimes written by hand and on the real task."""

from __future__ import annotations

import math

import numpy as np
import pytest
from harness.statistics import check_rate

from kerasmeta import tasks
from kerasmeta.analysis import metrics
from kerasmeta.analysis.families.inferred_value import (
    at_cue_onsets,
    at_cues,
    means,
    shifts,
)
from kerasmeta.analysis.families.reversal import (
    BOTH,
    NO_TRIAL,
    cue_trials,
    probes,
)
from kerasmeta.analysis.headline import headline
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.tasks.play import play

NAMES = {"reward_per_trial", "saccade_accuracy", "choice_accuracy", "inferred_choice"}
SHOWN = {"L": 0, "R": 1, "B": BOTH}


def lived(*scripts: str) -> Lifetimes:
    """Lifetimes of trials such as `L1` or `BR0`: shown, where to look, paid.

    The saccade is to the target shown unless told: `LR0` looks past the left target.
    """
    batch, trials = len(scripts), max(len(s.split()) for s in scripts)
    stimulus = np.zeros((batch, 2 * trials, 3), np.float32)
    stimulus[:, 0::2, 0] = 1
    action = np.zeros((batch, 2 * trials), np.int32)
    reward = np.zeros((batch, 2 * trials), np.float32)
    for b, script in enumerate(scripts):
        for k, word in enumerate(script.split()):
            shown, look, paid = SHOWN[word[0]], SHOWN[word[-2]], int(word[-1])
            stimulus[b, 2 * k + 1, 1:] = [shown != 1, shown != 0]
            action[b, 2 * k + 1] = look
            reward[b, 2 * k + 1] = paid
    valid = np.ones(action.shape, bool)
    return Lifetimes({"stimulus": stimulus}, action, reward, valid)


def found_in(script: str) -> list[tuple[int, ...]]:
    """(trial, target, rises, is_choice, before, after) of each probe."""
    found = probes(cue_trials(lived(script)))
    return [tuple(int(x) for x in row[1:]) for row in zip(*found, strict=True)]


def test_an_outcome_tells_which_target_is_good() -> None:
    trials = cue_trials(lived("L1 R1 L0 R0 LR0 BL1 BR0"))
    assert trials.good.tolist() == [[0, 1, 1, 0, -1, 0, 0]]
    assert trials.shown.tolist() == [[0, 1, 0, 1, 0, 2, 2]]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # The left target stops paying; the right one is shown next, and later again.
        ("R0 R0 L1 L0 R1 L0 R1", [(4, 1, 1, 0, 1, 6)]),
        # The right one begins to pay; the left one has lost its value.
        ("L1 L1 R0 R1 R1 L0 L0", [(5, 0, 0, 0, 1, 6)]),
        # The right one was met in a choice first.
        ("BR0 R0 L1 L0 R1", [(4, 1, 1, 0, 1, NO_TRIAL)]),
        # A choice is a probe, and ends the search.
        ("R0 R0 L1 L0 BR1 R1", [(4, 1, 1, 1, 1, NO_TRIAL)]),
        # One cue of the right target before the reversal: its value was not known then.
        ("R0 L1 L0 R1", [(3, 1, 1, 0, NO_TRIAL, NO_TRIAL)]),
        # Met twice, with a reversal in between.
        ("R1 L1 R0 L0 R1", [(2, 1, 0, 0, NO_TRIAL, NO_TRIAL), (4, 1, 1, 0, -1, -1)]),
        # A look past the target hides whether it was good.
        ("R0 L1 L0 LR0 R1", []),
        ("R0 L1 LR0 L0 R1", []),
        # A second reversal before the other target was met: a probe of that one only.
        ("R0 R0 L1 L0 L1 R0", [(5, 1, 0, 0, NO_TRIAL, NO_TRIAL)]),
        # A reversal met in a choice is met at both targets.
        ("R0 L1 BL0 R1", []),
        # At the probe it turns out that there was another reversal: nothing after it is
        # an experience of the inferred value. That reversal has a probe of its own.
        ("R0 R0 L1 L0 R0 R0 L1", [(4, 1, 1, 0, 1, -1), (6, 0, 1, 0, -1, -1)]),
        # Nor is it, if a later trial shows a reversal before the next cue.
        ("R0 R0 L1 L0 R1 L1 R0", [(4, 1, 1, 0, 1, -1), (6, 1, 0, 0, -1, -1)]),
        # No reversal at all.
        ("R0 L1 L1 R0 BL1", []),
    ],
)
def test_probes_of_handwritten_lifetimes(
    script: str, expected: list[tuple[int, ...]]
) -> None:
    assert found_in(script) == expected


def test_metrics_count_trials() -> None:
    found = metrics("reversal", lived("L1 LR0 BL1 BR0 R0", "R0 R0 L1 BL1 BL1"))
    assert set(found) == NAMES
    assert found["reward_per_trial"].mean == 0.5
    assert found["saccade_accuracy"].mean == pytest.approx(5 / 6)
    assert found["choice_accuracy"].mean == 0.75
    assert math.isnan(found["inferred_choice"].mean)


def test_inferred_choices_are_those_of_the_target_that_is_good_now() -> None:
    lifetimes = lived(
        "R0 L1 L0 BR1",  # infers that the right one is good
        "R0 L1 L0 BL0",  # does not
        "L1 R0 R1 BR1",  # keeps to what was met
        "R0 L1 L0 BR0",  # another reversal right before: left out
    )
    assert metrics("reversal", lifetimes)["inferred_choice"].mean == pytest.approx(
        2 / 3
    )


def test_players_infer_or_do_not() -> None:
    task = tasks.make("reversal")
    found = metrics("reversal", play(task, "optimal", 500, seed=1))
    assert found["inferred_choice"].mean == 1.0
    found = metrics("reversal", play(task, "model_free", 500, seed=1))
    assert found["inferred_choice"].mean < 0.6


def values_of(lifetimes: Lifetimes, infers: bool) -> np.ndarray:
    """What a learner expects at every cue, `[B, T]`; NaN at fixation."""
    trials = cue_trials(lifetimes)
    values = np.full(lifetimes.valid.shape, np.nan)
    for b in range(len(values)):
        expected = [0.5, 0.5]
        for k in range(trials.shown.shape[1]):
            shown, met = trials.shown[b, k], trials.action[b, k]
            values[b, 2 * k + 1] = max(expected) if shown == BOTH else expected[shown]
            if shown in (BOTH, met):
                expected[met] = trials.reward[b, k]
                if infers:
                    expected[1 - met] = 1 - trials.reward[b, k]
    return values


@pytest.fixture(scope="module")
def lifetimes() -> Lifetimes:
    return play(tasks.make("reversal"), "optimal", 400, seed=2)


@pytest.mark.parametrize("infers", [False, True])
def test_values_shift_before_they_are_met_only_by_inference(
    lifetimes: Lifetimes, infers: bool
) -> None:
    around = at_cues(values_of(lifetimes, infers), probes(cue_trials(lifetimes)))
    found = shifts(around)
    assert len(around.rises) > 200
    # By experience the value stays what it was; by inference it is the new one.
    part = 1.0 if infers else 0.0
    assert found["inferred"].mean == part
    assert found["experienced"].mean == 1.0
    assert found["inferred_part"].mean == part
    by_direction = {name: estimate.mean for name, estimate in means(around).items()}
    assert by_direction == {
        "rises_before": 0.0,
        "rises_inferred": part,
        "rises_experienced": 1.0,
        "falls_before": 1.0,
        "falls_inferred": 1.0 - part,
        "falls_experienced": 0.0,
    }


def test_signals_are_read_at_cues_and_at_their_onsets() -> None:
    script = "R0 R0 L1 L0 R1 R1"
    lifetimes = lived(script, script)
    steps = np.arange(12.0) + np.array([[0.0], [100.0]])  # tells step and lifetime
    found = probes(cue_trials(lifetimes))
    np.testing.assert_array_equal(
        at_cues(steps, found).signal, [[3, 9, 11], [103, 109, 111]]
    )
    np.testing.assert_array_equal(
        at_cue_onsets(steps, found).signal, [[2, 8, 10], [102, 108, 110]]
    )


def test_means_and_shifts_are_those_of_loops() -> None:
    lifetimes = play(tasks.make("reversal"), "model_free", 60, seed=3)
    signal = np.random.default_rng(0).normal(size=lifetimes.valid.shape)
    found = probes(cue_trials(lifetimes))
    table = [
        (sign, before, probe, after)
        for b, k, _, rises, choice, j, m in zip(*found, strict=True)
        if not choice and j >= 0
        for sign in [1 if rises else -1]
        for before in [signal[b, 2 * j + 1]]
        for probe in [signal[b, 2 * k + 1]]
        for after in [signal[b, 2 * m + 1] if m >= 0 else math.nan]
    ]
    sign, before, probe, after = np.array(table).T
    around = at_cues(signal, found)
    by_direction, moved = means(around), shifts(around)
    for name, which in (("rises", sign > 0), ("falls", sign < 0)):
        for cue, values in (("before", before), ("inferred", probe)):
            expected = np.mean(values[which])
            assert by_direction[f"{name}_{cue}"].mean == pytest.approx(expected)
    assert moved["inferred"].mean == pytest.approx(np.mean(sign * (probe - before)))
    assert moved["experienced"].mean == pytest.approx(
        np.nanmean(sign * (after - before))
    )
    both = np.isfinite(before + after)
    part = (sign * (probe - before))[both].sum() / (sign * (after - before))[both].sum()
    assert moved["inferred_part"].mean == pytest.approx(part)


def test_reversals_seen_are_the_real_ones(lifetimes: Lifetimes) -> None:
    """The optimal player never looks past a target: every reversal is seen."""
    good = cue_trials(lifetimes).good
    assert (good >= 0).all()
    check_rate(good[:, 1:] != good[:, :-1], tasks.make("reversal").reversal)


def test_lifetimes_of_another_task_are_refused(lifetimes: Lifetimes) -> None:
    shifted = {"stimulus": lifetimes.observation["stimulus"][:, ::-1]}
    with pytest.raises(UserError, match="task they were recorded on"):
        metrics("reversal", lifetimes._replace(observation=shifted))


def test_headlines_are_metrics() -> None:
    assert set(headline("reversal")) <= NAMES
