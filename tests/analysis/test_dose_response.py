"""Dose-response curves: what is silenced, what is averaged, where half is lost."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.lesions.dose_response import (
    FRACTIONS,
    OPEN_FIRST,
    RANDOM,
    Dose,
    curve,
    dose_response,
    half_dose,
    units_to_silence,
)
from kerasmeta.analysis.study import Study, Subject
from kerasmeta.lifetimes import Lifetimes

NOTHING = Lifetimes({}, *[np.zeros([1, 1])] * 3)


def agent(slope: float, spread: float = 0.1, drop: int = 1) -> dict[str, Dose]:
    """Falls by `slope` in random order, and to 0.5 after `drop` doses by openness."""
    doses = [
        Dose(RANDOM, repeat, fraction, sure(1 - slope * fraction + repeat * spread))
        for repeat in (-1, 0, 1)
        for fraction in FRACTIONS
    ]
    doses += [
        Dose(OPEN_FIRST, 0, fraction, sure(1.0 if index < drop else 0.5))
        for index, fraction in enumerate(FRACTIONS)
    ]
    return {str(number): dose for number, dose in enumerate(doses)}


def sure(value: float) -> Estimate:
    return Estimate(value, (value, value))


def study(*agents: dict[str, Dose]) -> Study:
    subjects = [
        Subject(f"seed {n}", NOTHING, experiments={"dose_response": doses})
        for n, doses in enumerate(agents)
    ]
    return Study("a/b", "two_step", {}, True, 100, subjects)


def test_the_first_units_of_an_order_are_silenced_and_doses_are_nested():
    order = np.array([3, 0, 5, 1, 4, 2, 7, 6])
    assert units_to_silence(order, 0.0) == ()
    assert units_to_silence(order, 3 / 8) == (0, 3, 5)
    assert units_to_silence(order, 1.0) == tuple(range(8))
    for less, more in itertools.pairwise(FRACTIONS):
        assert set(units_to_silence(order, less)) < set(units_to_silence(order, more))


def test_a_curve_is_the_mean_over_random_orders():
    doses = list(agent(slope=0.4).values())
    found = curve(doses, RANDOM)
    expected = [1 - 0.4 * fraction for fraction in FRACTIONS]
    np.testing.assert_allclose([value.mean for value in found], expected)
    low, high = found[0].ci95
    # The t interval of 0.9, 1.0, 1.1: 4.303 * 0.1 / sqrt(3) to either side.
    assert (low, high) == pytest.approx((1 - 0.2484, 1 + 0.2484), abs=1e-4)


def test_half_of_what_is_lost():
    straight = [1 - 0.4 * fraction for fraction in FRACTIONS]
    assert half_dose(straight) == pytest.approx(0.5)
    # Lost between the second and the third dose: halfway between 1/8 and 2/8.
    assert half_dose([1, 1, *[0.5] * 7]) == pytest.approx(1.5 / 8)
    assert half_dose([2.0, 1.2, *[1.0] * 7]) == pytest.approx(0.5 / 0.8 / 8)
    assert math.isnan(half_dose([0.7] * 9))


def test_errors_are_over_seeds():
    found = dose_response(study(agent(0.4), agent(0.6), agent(0.5))).statistics
    random = found["random_order"]
    assert random["silenced_50"]["seeds"] == pytest.approx([0.8, 0.7, 0.75])
    assert random["silenced_50"]["mean"] == pytest.approx(0.75)
    assert random["silenced_0"]["ci95"] == pytest.approx([1.0, 1.0])
    assert random["half_dose"]["mean"] == pytest.approx(0.5)
    ordered = found["most_open_gates_first"]
    assert ordered["half_dose"]["mean"] == pytest.approx(0.5 / 8)
    assert ordered["silenced_12"]["mean"] == 0.5


def test_the_figure_has_a_line_an_order():
    figure = dose_response(study(agent(0.4))).figures["dose_response"]()
    axes = figure.axes[0]
    assert len(axes.containers) == 2
    assert {RANDOM, OPEN_FIRST} <= {text.get_text() for text in axes.texts}
    assert axes.get_ylabel() == "reward per trial"
