"""Values and prediction errors at cues around reversals, experienced and inferred.

The value at a cue is what the critic expects when a target is shown and before it
pays; the error from fixation to cue is the response to its being shown. Both are read
at three cues of the same target (`reversal.Probes`): the last one before a reversal,
the first one after it, when only the other target was met since (inferred), and the
next one, when this target was met as well (experienced).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import Estimate, ratio
from kerasmeta.analysis.families.reversal import NO_TRIAL, Probes

CUES = ("before", "inferred", "experienced")


class AroundReversals(NamedTuple):
    """A signal at the three cues of `N` probes of `B` lifetimes.

    Only of probes that are no choice, and of targets whose value before the reversal
    was known.
    """

    signal: np.ndarray  # [N, 3], by `CUES`; nan where there is no experienced cue
    rises: np.ndarray  # [N] bool, the target became the good one
    lifetime: np.ndarray  # [N] int
    batch_size: int  # B


def at_cues(signal: np.ndarray, probes: Probes) -> AroundReversals:
    """The values, `[B, T]`, at cues: the second steps of trials."""
    return _around(signal, probes, step=1)


def at_cue_onsets(signal: np.ndarray, probes: Probes) -> AroundReversals:
    """Prediction errors, `[B, T]`, from fixation to cue: of the trials' first steps."""
    return _around(signal, probes, step=0)


def means(around: AroundReversals) -> dict[str, Estimate]:
    """The mean signal by direction and cue: `rises_before`, ..., `falls_experienced`.

    A mean over probes, with an interval over lifetimes.
    """
    found = {}
    for direction, which in (("rises", around.rises), ("falls", ~around.rises)):
        for column, cue in enumerate(CUES):
            values = np.where(which, around.signal[:, column], np.nan)
            found[f"{direction}_{cue}"] = _mean(around, values)
    return found


def shifts(around: AroundReversals) -> dict[str, Estimate]:
    """How far the signal moved from before the reversal, in the new value's direction.

    `inferred` is the mean of signal(inferred) - signal(before), with the opposite sign
    where the target fell in value: above zero where the value was inferred, zero where
    it had to be met again. `experienced` is the same for the next cue, and
    `inferred_part` is their ratio, over probes that have both: 1 for full inference.
    """
    sign = np.where(around.rises, 1.0, -1.0)
    before, inferred, experienced = around.signal.T
    by_inference = sign * (inferred - before)
    by_experience = sign * (experienced - before)
    has_both = np.isfinite(by_inference) & np.isfinite(by_experience)
    return {
        "inferred": _mean(around, by_inference),
        "experienced": _mean(around, by_experience),
        "inferred_part": ratio(
            _sums(around, np.where(has_both, by_inference, np.nan)),
            _sums(around, np.where(has_both, by_experience, np.nan)),
        ),
    }


def _around(signal: np.ndarray, probes: Probes, step: int) -> AroundReversals:
    alone = probes.where(~probes.is_choice & (probes.before != NO_TRIAL))
    trials = np.stack([alone.before, alone.trial, alone.after], axis=1)  # [N, 3]
    steps = 2 * np.maximum(trials, 0) + step
    values = signal[alone.lifetime[:, None], steps]
    return AroundReversals(
        signal=np.where(trials == NO_TRIAL, np.nan, values),
        rises=alone.rises,
        lifetime=alone.lifetime,
        batch_size=len(signal),
    )


def _mean(around: AroundReversals, values: np.ndarray) -> Estimate:
    """The mean of the finite ones of `[N]` values, over lifetimes."""
    counted = np.isfinite(values)
    number = np.bincount(around.lifetime[counted], minlength=around.batch_size)
    return ratio(_sums(around, values), number)


def _sums(around: AroundReversals, values: np.ndarray) -> np.ndarray:
    """Each lifetime's sum of the finite values, `[B]`."""
    weights = np.where(np.isfinite(values), values, 0.0)
    return np.bincount(around.lifetime, weights, minlength=around.batch_size)
