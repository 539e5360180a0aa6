"""What can be read from an agent's units of what it was never told.

A ridge regression, cross-validated over lifetimes (`recordings.ridge`), predicts the
task's hidden variables at each step from the units' states after that step's
observation, when the action is chosen. Categories (the good state) are
predicted as indicator variables, the largest prediction wins, and the score is the
share of steps that are right; quantities (an arm's chance) are scored by R², the part
of the variance over lifetimes and steps that is predicted.

The observation itself is a control: what can be read from the last action, the last
reward and the stimulus alone needs no memory and no inference.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import Counts, Estimate, proportion, ratio
from kerasmeta.analysis.figures.decoding import decoding_figure
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.recordings.ridge import predict_left_out
from kerasmeta.analysis.recordings.two_step_learners import Chances, beliefs
from kerasmeta.analysis.study import Finding, Recordings, Study
from kerasmeta.analysis.trials import two_step_trials

# By name in the statistics: the recorded signal, or the control.
SOURCES = {
    "hidden": "hidden",
    "cell": "cell",
    "critic_hidden": "critic_hidden",
    "observation": "observation",
}
LARGEST_STIMULUS = 256  # pictures are no control


class Target(NamedTuple):
    """One hidden variable, or one component of one."""

    name: str
    values: np.ndarray  # [B, T], integers are categories
    known: np.ndarray  # [B, T] bool

    @property
    def is_category(self) -> bool:
        return bool(np.issubdtype(self.values.dtype, np.integer))


def decoding(study: Study) -> Finding:
    """Scores of reading hidden variables from units, and from the observation.

    Statistics: for each variable its `score` ("accuracy" or "R squared"), `chance`, and
    a statistic for each source, tested against chance; for the good state of `two_step`
    also `ideal_observer`, what exact inference from all outcomes gets right.
    """
    recorded = [s.recordings for s in study.subjects if s.recordings is not None]
    by_seed = [list(targets(one)) for one in recorded]
    statistics: dict[str, Any] = {}
    for at, target in enumerate(by_seed[0]):
        same = [of_seed[at] for of_seed in by_seed]
        guess = float(np.mean([chance(one) for one in same]))
        found: dict[str, Any] = {
            source: statistic(
                [
                    score(features(one, signal), aim)
                    for one, aim in zip(recorded, same, strict=True)
                ],
                null=guess,
            )
            for source, signal in SOURCES.items()
        }
        if study.task == "two_step" and target.name == "good_state":
            numbers = Chances.of(study.parameters)
            found["ideal_observer"] = statistic(
                [
                    inferred(one, numbers, aim)
                    for one, aim in zip(recorded, same, strict=True)
                ]
            )
        kind = "accuracy" if target.is_category else "R squared"
        statistics[target.name] = {"score": kind, "chance": guess, **found}
    return Finding(
        statistics,
        figures={
            "decoding": functools.partial(decoding_figure, statistics, list(SOURCES))
        },
    )


def targets(recorded: Recordings) -> Iterator[Target]:
    """The hidden variables that vary, component by component."""
    valid = recorded.lifetimes.valid
    for name, values in recorded.hidden_variables.items():
        flat = values.reshape(*values.shape[:2], -1)
        if np.issubdtype(flat.dtype, np.bool_):
            flat = flat.astype(np.int32)
        for number in range(flat.shape[2]):
            component = flat[:, :, number]
            label = name if flat.shape[2] == 1 else f"{name}_{number}"
            known = valid & (component == component)  # NaN where there is none
            if known.any() and len(np.unique(component[known])) > 1:
                yield Target(label, component, known)


def features(recorded: Recordings, signal: str) -> np.ndarray:
    """The predictors `[B, T, P]`: units of a signal, or what was just observed."""
    if signal != "observation":
        return recorded.signals[signal]
    seen = recorded.lifetimes.observation
    action, reward = seen["previous_action"], seen["previous_reward"]
    if np.issubdtype(action.dtype, np.integer):
        action = action[..., np.newaxis] == np.arange(action.max(initial=0) + 1)
    rewarded = action * reward[..., np.newaxis]  # which action was paid
    parts = [action, rewarded, reward[..., np.newaxis]]
    stimulus = seen["stimulus"].reshape(*reward.shape, -1)
    if stimulus.shape[2] <= LARGEST_STIMULUS:
        parts += [stimulus, stimulus * reward[..., np.newaxis]]
    return np.concatenate([part.astype(np.float64) for part in parts], axis=-1)


def score(predictors: np.ndarray, target: Target) -> Estimate:
    """Accuracy or R² of predictions from other lifetimes, with its interval."""
    lifetime, _ = np.nonzero(target.known)
    x, truth = predictors[target.known], target.values[target.known]
    if target.is_category:
        classes = np.unique(truth)
        predicted = predict_left_out(x, truth[:, np.newaxis] == classes, lifetime)
        if np.isnan(predicted).any():
            return Estimate(np.nan, (np.nan, np.nan))
        right = classes[predicted.argmax(axis=1)] == truth
        return proportion(
            Counts(_by_lifetime(lifetime, right), _by_lifetime(lifetime, right >= 0))
        )
    predicted = predict_left_out(x, truth[:, np.newaxis], lifetime)[:, 0]
    mean = predict_left_out(np.zeros([len(x), 1]), truth[:, np.newaxis], lifetime)[:, 0]
    variance = (truth - mean) ** 2
    explained = variance - (truth - predicted) ** 2
    return ratio(_by_lifetime(lifetime, explained), _by_lifetime(lifetime, variance))


def inferred(recorded: Recordings, numbers: Chances, target: Target) -> Estimate:
    """Accuracy of the Bayesian belief in the good state of the two-step task."""
    belief = beliefs(two_step_trials(recorded.lifetimes), numbers)[:, :-1]
    right = ((belief > 0.5) == target.values)[target.known]
    lifetime, _ = np.nonzero(target.known)
    return proportion(
        Counts(_by_lifetime(lifetime, right), _by_lifetime(lifetime, right >= 0))
    )


def chance(target: Target) -> float:
    """What always guessing the same scores."""
    if not target.is_category:
        return 0.0
    _, number = np.unique(target.values[target.known], return_counts=True)
    return float(number.max() / number.sum())


def _by_lifetime(lifetime: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.bincount(lifetime, weights=values.astype(np.float64))
