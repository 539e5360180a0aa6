"""Published values: our names, plausible numbers, a source for each."""

from __future__ import annotations

import numpy as np
import pytest
from harness import two_step_simulation as simulation

from kerasmeta.analysis import metrics, published

FAMILIES = ("two_step", "episodic_two_step")


def metric_names(family: str) -> set[str]:
    lifetimes = getattr(simulation, family)(simulation.RandomChooser(), 2, seed=0)
    return set(metrics(family, lifetimes))


@pytest.mark.parametrize("family", FAMILIES)
def test_keys_are_our_metric_names(family: str) -> None:
    assert published(family)
    for entry in published(family).values():
        assert set(entry.values) <= metric_names(family)


@pytest.mark.parametrize("family", [*FAMILIES, "harlow", "visual_harlow"])
def test_every_source_is_told_and_every_probability_is_one(family: str) -> None:
    for name, entry in published(family).items():
        assert name == name.lower()
        assert entry.label
        assert "measured" in entry.source or "read" in entry.source
        for metric, value in entry.values.items():
            if metric not in ("return", "episodic_contrast"):
                assert 0 <= value <= 1


def test_contrasts_follow_from_their_bars() -> None:
    for entry in published("episodic_two_step").values():
        if "episodic_contrast" not in entry.values:
            continue
        cr, ur, cu, uu = (
            entry.values[f"episodic_repeat_{name}"] for name in simulation.TRIAL_TYPES
        )
        np.testing.assert_allclose(
            entry.values["episodic_contrast"], cr - ur - cu + uu, atol=1e-9
        )


def test_unknown_families_have_none() -> None:
    assert dict(published("Pendulum-v1")) == {}


def test_values_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        published("two_step")["wang_2018"].values["stay_common_rewarded"] = 1.0
