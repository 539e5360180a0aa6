"""Whose prediction errors an agent has: a model-based learner's or a model-free one's.

The agent's error is that of its critic, δ_t = r_t + γ V(t+1) - V(t), where V(t) is
known before the action of step t. What the two stages are depends on the task:

* `two_step_drift` has two steps a trial, so that δ of the first step is the error at
  the transition, when the second-stage state is seen, and δ of the second the one at
  the outcome, when the reward is.
* `two_step` has one step a trial: transition and reward are seen together, and the one
  δ of a trial holds the errors at both moments. They are told apart by regressing δ on
  the errors that a learner has at each; an agent that has a learner's errors gets
  weight 1 at both moments.

A reward is the same surprise to every learner, and by far the largest part of an
error: that of a value that never changes correlates with the agent's at .99. What tells
learners apart is what they expect. So the reward is a column of its own in regressions,
and partial correlations take it out first; plain correlations, as in the literature,
are given too. A lifetime's first trial, in which nobody knows anything, is left out,
and so is its last, after which nothing comes.

The model-based learner has nothing to fit on `two_step`: it is exact inference and
optimal planning. On `two_step_drift` its arms' learning rate is the one that explains
most of the agent's errors at the outcome. The model-free learner's learning rate and
trace are those that explain most of the agent's errors beyond the reward: it gets the
best chance it can have. Both see the agent's own trials.

Wang et al. (2018), Simulation 4, figure 5: the agent's errors are the model-based ones.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.prediction_errors import errors_figure
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.recordings import drifting_learners, two_step_learners
from kerasmeta.analysis.recordings.regression import (
    correlate,
    explained,
    regress,
    without,
)
from kerasmeta.analysis.recordings.two_step_learners import Chances, Errors
from kerasmeta.analysis.study import Finding, Recordings, Study
from kerasmeta.analysis.trials import (
    Trials,
    drifting_two_step_trials,
    two_step_trials,
)
from kerasmeta.errors import UserError

LEARNING_RATES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
TRACES = (0.0, 0.25, 0.5, 0.75, 1.0)
LEARNERS = ("model_based", "model_free")


class Watched(NamedTuple):
    """An agent's errors beside those of the learners that watched it, each `[N]`."""

    agent: Mapping[str, np.ndarray]  # by moment: "whole_trial", or the two apart
    model_based: Mapping[str, np.ndarray]  # by moment: "transition", "outcome"
    model_free: Mapping[str, np.ndarray]
    reward: np.ndarray
    lifetime: np.ndarray
    fitted: Mapping[str, float]  # the model-free learner's parameters


def prediction_errors(study: Study) -> Finding:
    """Correlations and regressions of an agent's errors on both learners'.

    Statistics, by the moment of the agent's error (`whole_trial`, or `transition` and
    `outcome`): `correlation_<learner>`; `beyond_reward_<learner>`, the correlation that
    is left when the reward is taken out of both; `partial_<learner>`, when the other
    learner's errors are taken out too; and the `weight_<learner>_<moment>` of the
    regression on the reward and both learners' errors. All are tested against 0.
    `fitted` are the model-free learner's parameters, one value a seed.
    """
    watch = _watch_two_step if study.task == "two_step" else _watch_drifting
    watched = [
        watch(subject.recordings, study.parameters)
        for subject in study.subjects
        if subject.recordings is not None
    ]
    statistics: dict[str, Any] = {}
    for moment in watched[0].agent:
        by_seed = [compared(one, moment) for one in watched]
        statistics[moment] = {
            name: statistic([found[name] for found in by_seed], null=0.0)
            for name in by_seed[0]
        }
    statistics["fitted"] = {
        name: [one.fitted[name] for one in watched] for name in watched[0].fitted
    }
    draw = functools.partial(errors_figure, watched, statistics)
    return Finding(statistics, figures={"prediction_errors": draw})


def compared(watched: Watched, moment: str) -> dict[str, Estimate]:
    """One seed's correlations and weights of the agent's error at a moment."""
    agent, lifetime = watched.agent[moment], watched.lifetime
    moments = ("transition", "outcome") if moment == "whole_trial" else (moment,)
    theirs = {"model_based": watched.model_based, "model_free": watched.model_free}
    both = {
        k: np.sum([errors[m] for m in moments], axis=0) for k, errors in theirs.items()
    }
    found = {
        f"correlation_{learner}": correlate(errors, agent, lifetime)
        for learner, errors in both.items()
    }
    paid = [watched.reward] if "outcome" in moments else []
    for learner, errors in both.items():
        if paid:
            found[f"beyond_reward_{learner}"] = correlate(
                without(errors, watched.reward),
                without(agent, watched.reward),
                lifetime,
            )
    if np.allclose(*both.values()):  # the learners err alike
        weights = regress(
            np.column_stack([both["model_based"], *paid]), agent, lifetime
        )
        return {**found, "weight_of_either": weights[0]}
    for learner, other in zip(LEARNERS, reversed(LEARNERS), strict=True):
        control = np.column_stack([*(theirs[other][m] for m in moments), *paid])
        found[f"partial_{learner}"] = correlate(
            without(both[learner], control), without(agent, control), lifetime
        )
    named = {
        f"weight_{learner}_{m}": theirs[learner][m]
        for learner in LEARNERS
        for m in moments
    }
    weights = regress(np.column_stack([*named.values(), *paid]), agent, lifetime)
    return {**found, **dict(zip(named, weights, strict=False))}  # not the reward's


def _watch_two_step(recorded: Recordings, parameters: Mapping[str, Any]) -> Watched:
    if recorded.gamma >= 1:
        raise UserError(
            "gamma",
            recorded.gamma,
            "gives endless play no finite value",
            "analyse an agent that was trained with trpo.gamma below 1",
        )
    trials = two_step_trials(recorded.lifetimes)
    known = trials.visible & _not_the_first(trials)
    lifetime, _ = np.nonzero(known)
    agent = recorded.signals["reward_prediction_error"][known]
    paid = trials.reward[known]

    def at_trials(errors: Errors) -> dict[str, np.ndarray]:
        return {
            "transition": errors.transition[known],
            "outcome": errors.outcome[known],
        }

    model_free, fitted = _best_model_free(
        lambda rate, trace: at_trials(
            two_step_learners.model_free_errors(trials, recorded.gamma, rate, trace)
        ),
        lambda errors: explained([paid, *errors.values()], agent),
    )
    chances = Chances.of(parameters)
    exact = two_step_learners.model_based_errors(trials, chances, recorded.gamma)
    return Watched(
        {"whole_trial": agent}, at_trials(exact), model_free, paid, lifetime, fitted
    )


def _watch_drifting(recorded: Recordings, parameters: Mapping[str, Any]) -> Watched:
    trials = drifting_two_step_trials(recorded.lifetimes)
    is_last = np.cumsum(trials.valid[:, ::-1], axis=1)[:, ::-1] <= 1
    known = trials.visible & _not_the_first(trials) & ~is_last
    lifetime, _ = np.nonzero(known)
    errors = recorded.signals["reward_prediction_error"]
    end, paid = 2 * trials.valid.shape[1], trials.reward[known]
    agent = {
        "transition": errors[:, 0:end:2][known],
        "outcome": errors[:, 1:end:2][known],
    }

    def at_trials(errors: Errors) -> dict[str, np.ndarray]:
        return {
            "transition": errors.transition[known],
            "outcome": errors.outcome[known],
        }

    rates = {
        rate: drifting_learners.arm_values(trials, rate) for rate in LEARNING_RATES
    }
    arms_rate = max(
        rates,
        key=lambda rate: explained(
            [paid, drifting_learners.at_outcome(trials, rates[rate])[known]],
            agent["outcome"],
        ),
    )
    arms = rates[arms_rate]
    common = float(parameters["common"])
    model_free, fitted = _best_model_free(
        lambda rate, trace: at_trials(
            drifting_learners.model_free_errors(trials, arms, rate, trace)
        ),
        lambda errors: explained([errors["transition"]], agent["transition"]),
    )
    model_based = drifting_learners.model_based_errors(trials, arms, common)
    fitted = {**fitted, "arms_learning_rate": arms_rate}
    return Watched(agent, at_trials(model_based), model_free, paid, lifetime, fitted)


def _not_the_first(trials: Trials) -> np.ndarray:
    return np.arange(trials.valid.shape[1]) > 0


def _best_model_free(
    errors_of: Any, explains: Any
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The model-free learner whose errors explain most of the agent's."""
    tried = {
        (rate, trace): errors_of(rate, trace)
        for rate, trace in itertools.product(LEARNING_RATES, TRACES)
    }
    rate, trace = max(tried, key=lambda parameters: explains(tried[parameters]))
    return tried[rate, trace], {"learning_rate": rate, "trace": trace}
