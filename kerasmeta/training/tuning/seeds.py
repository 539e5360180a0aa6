"""One compiled program for all seeds of a configuration."""

from __future__ import annotations

import math
from typing import Any

from kerasmeta._keras import tf
from kerasmeta.training.collect import TRAINING_STREAM, total_reward
from kerasmeta.training.config import RunConfig
from kerasmeta.training.loop import Trainer, make_agent


class SeedTrainer:
    """Trains a configuration from one seed after the other, and keeps none.

    Args:
        config: Its seed is not used.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self._trainer = Trainer(config)
        # Adam as it was made: its moments are 0, its learning rate is not.
        optimizer = self._trainer.learner.own_variables
        self._optimizer = [(variable, variable.numpy()) for variable in optimizer]

    @property
    def steps_per_iteration(self) -> int:
        """Environment steps of an iteration."""
        return self._trainer.steps_per_iteration

    def rewards(self, seed: int) -> list[float]:
        """The reward per trial of every iteration of a run of this seed.

        The list ends early, with NaN, where training diverges.
        """
        self._begin(seed)
        trainer = self._trainer
        trials = self.config.lifetimes * trainer.task.trials_per_lifetime
        iterate = self._iterate
        if trainer.collector.in_graph:
            iterate, seed = self._compiled, tf.constant(seed)
        found: list[float] = []
        while not trainer.finished:
            experience, loss = iterate(seed)
            reward = total_reward(experience) / trials
            finite = all(math.isfinite(float(x)) for x in loss.extra)
            found.append(reward if finite else math.nan)
            if not finite:
                break
        return found

    def _begin(self, seed: int) -> None:
        """Puts everything where a new run of this seed begins."""
        trainer = self._trainer
        config = self.config.model_copy(update={"seed": seed})
        fresh = make_agent(config, trainer.task).named_weights()
        for name, variable in trainer.agent.named_weights().items():
            variable.assign(fresh[name])
        for variable, value in self._optimizer:
            variable.assign(value)
        trainer.iterations.assign(0)

    def _iterate(self, seed: Any) -> tuple[Any, Any]:
        """One iteration, as `Trainer.iterate`, of a run of this seed."""
        trainer = self._trainer
        if not trainer.collector.in_graph:
            index = int(trainer.iterations)
            experience = trainer.collector.collect(seed, index, TRAINING_STREAM)
            return experience, self._learn(experience)
        index = tf.cast(trainer.iterations, tf.int32)
        experience = trainer.collector.collect(seed, index, TRAINING_STREAM)
        return experience, trainer.learner.train(experience)

    @tf.function(autograph=False)
    def _compiled(self, seed: Any) -> tuple[Any, Any]:
        return self._iterate(seed)

    @tf.function(autograph=False)
    def _learn(self, experience: Any) -> Any:
        return self._trainer.learner.train(experience)
