"""keras-tuner's oracles, which choose what to try next, made to survive a kill.

keras-tuner writes its state in place, so that a kill can leave half a file; it saves a
finished trial before it takes it off the list of those that run, so that one is run
again after a kill; and it forgets a trial whose own file is there but whose beginning
was not noted. Here files appear whole, and what is run again is what is not finished.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    HyperbandOracle,
    RandomSearchOracle,
)

from kerasmeta.errors import UserError
from kerasmeta.training.run_directory import write_atomically
from kerasmeta.training.tuning.configuration import SearchConfig
from kerasmeta.training.tuning.space import Dimension

OBJECTIVE = "reward_per_trial"
# Hyperband counts its budgets in ninths of a trial's steps: 1, 3 and 9.
LARGEST_BUDGET, FACTOR = 9, 3
RUNNING = "RUNNING"


class _Durable:
    """Mixed into an oracle: its files appear whole, and nothing is lost by a kill."""

    def save(self: Any) -> None:
        write_atomically(Path(self._get_oracle_fname()), json.dumps(self.get_state()))

    def _save_trial(self: Any, trial: Any) -> None:
        path = Path(self._get_trial_dir(trial.trial_id)) / "trial.json"
        write_atomically(path, json.dumps(trial.get_state()))

    def reload(self: Any) -> None:
        super().reload()  # type: ignore[misc]
        running = [i for i, trial in self.trials.items() if trial.status == RUNNING]
        self._retry_queue = sorted(running, reverse=True)  # the last one is next
        # Of a trial whose beginning was not noted, nothing is in the lists.
        self.start_order += [i for i in sorted(running) if i not in self.start_order]
        for trial in self.trials.values():
            self._record_values(trial)


class _Random(_Durable, RandomSearchOracle):
    pass


class _Bayesian(_Durable, BayesianOptimizationOracle):
    pass


class _Hyperband(_Durable, HyperbandOracle):
    pass


def make_oracle(config: SearchConfig) -> Any:
    """The oracle of a search.

    Raises:
        UserError: scikit-learn, which the Gaussian process needs, is missing.
    """
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "hyperparameters": hyperparameters(config.dimensions),
        "seed": config.seed + 1,  # 0 is none, to keras-tuner
        # A set of values with which training diverges says something; go on.
        "max_consecutive_failed_trials": config.trials + 1,
    }
    if config.algorithm == "random":
        return _Random(max_trials=config.trials, **common)
    if config.algorithm == "bayesian":
        try:
            return _Bayesian(max_trials=config.trials, **common)
        except ImportError:
            problem = "needs scikit-learn, which is not installed"
            fix = "pip install scikit-learn, or use --algorithm random"
            raise UserError("--algorithm", "bayesian", problem, fix) from None
    oracle = _Hyperband(max_epochs=LARGEST_BUDGET, factor=FACTOR, **common)
    oracle.hyperband_iterations = float("inf")  # until there are enough trials
    oracle.max_trials = config.trials
    return oracle


def hyperparameters(dimensions: tuple[Dimension, ...]) -> Any:
    """A search space as keras-tuner has it."""
    space = keras_tuner.HyperParameters()
    for dimension in dimensions:
        if dimension.choices:
            _add_choice(space, dimension)
        else:
            low, high = dimension.low, dimension.high
            space.Float(dimension.key, low, high, sampling="log")
    return space


def _add_choice(space: Any, dimension: Dimension) -> None:
    choices = list(dimension.choices)
    text = any(isinstance(choice, str) for choice in choices)
    if not text and any(isinstance(choice, float) for choice in choices):
        choices = [float(choice) for choice in choices]
    if text:  # keras-tuner wants all of one kind
        choices = [str(choice) for choice in choices]
    space.Choice(dimension.key, choices, ordered=not text)


def part_of_steps(values: dict[str, Any]) -> float:
    """The part of a trial's steps that these values are to be tried with."""
    return values.get("tuner/epochs", LARGEST_BUDGET) / LARGEST_BUDGET
