"""What a search is, as plain data: search.json."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from kerasmeta.training.config import RunConfig
from kerasmeta.training.tuning.space import Dimension

Algorithm = Literal["random", "bayesian", "hyperband"]


class SearchConfig(BaseModel):
    """A search for the settings with which a task is learnt best.

    Attributes:
        run: The configuration whose settings are changed.
        steps: Environment steps of each seed of a trial, commonly fewer than the run's.
        dimensions: What is changed, and how.
        algorithm: Who chooses: chance, a Gaussian process over the trials so far, or
            Hyperband (Li et al. 2018), which gives many trials few steps and the best
            ones more.
        trials: How many sets of values are tried.
        seeds: Training seeds of a trial: 0, 1, ...; its score is their mean.
        seed: Of the search itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: RunConfig
    steps: PositiveInt
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    algorithm: Algorithm = "bayesian"
    trials: PositiveInt = 20
    seeds: PositiveInt = 3
    seed: int = Field(0, ge=0, lt=2**30)
