"""The training loop: collect lifetimes, update, log, checkpoint; resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent, TRPOAgent
from kerasmeta.analysis import metrics
from kerasmeta.environments import dynamics
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.revealed import (
    RevealedTask,
    has_hidden_variables,
    with_hidden,
)
from kerasmeta.training.adapting import adapt_eyes
from kerasmeta.training.collect import (
    TRAINING_STREAM,
    make_collector,
    to_lifetimes,
    total_reward,
)
from kerasmeta.training.config import RunConfig
from kerasmeta.training.run_directory import RunDirectory
from kerasmeta.training.run_files import NoFiles, RunFiles, check_beginning
from kerasmeta.training.workers import OneWorker
from kerasmeta.training.workers.sharing import check_shared

Report = Callable[[dict[str, Any]], None]  # told each row of metrics.jsonl
ALONE = OneWorker()


class TrainingResult(NamedTuple):
    """How a run ended."""

    agent: EpisodicAgent
    task: Task
    steps: int
    steps_per_second: float  # of this process; 0 where nothing was left to do
    wall_seconds: float  # of the whole run, over its resumptions
    rows: list[dict[str, Any]]  # metrics.jsonl


def make_agent(config: RunConfig, task: Task) -> EpisodicAgent:
    """An untrained agent for a task, its memory large enough for a lifetime."""
    needed = task.contexts_per_lifetime
    agent_config = config.agent.model_copy(update={"seed": config.seed})
    if agent_config.has_memory and needed > agent_config.memory.capacity:
        memory = agent_config.memory.model_copy(update={"capacity": needed})
        agent_config = agent_config.model_copy(update={"memory": memory})
    observation_spec = dynamics.time_step_spec(task).observation
    agent = EpisodicAgent(observation_spec, task.action_spec, agent_config)
    adapt_eyes(agent, task, config.seed)
    return agent


class Trainer:
    """A run in progress: agent, collector, optimiser and counters.

    Args:
        config: The run's configuration.
        workers: Those that train together; each has a trainer.
    """

    def __init__(self, config: RunConfig, workers: OneWorker = ALONE) -> None:
        # Reductions and matrix products in the same order in every run. TensorFlow asks
        # for a seed then, should anything else in the process draw random numbers.
        tf.random.set_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        self.config = config
        self.workers = workers
        self.task = tasks.make(config.task.name, **config.task.parameters)
        self.agent = make_agent(config, self.task)
        self.iterations = tf.Variable(0, dtype=tf.int64, name="iterations")
        rows = workers.rows(config.lifetimes)
        lived = self.task
        if config.trpo.baseline == "informed" and has_hidden_variables(lived):
            lived = RevealedTask(lived)
        self.collector = make_collector(lived, rows.total, self.agent, rows)
        environment = self.collector.environment
        self.learner = TRPOAgent(
            environment.time_step_spec(),
            environment.action_spec(),
            self.agent,
            config.trpo,
            self.iterations,
            jit_compile=True,
            updates=self.total_iterations,
            frozen=config.start.freeze if config.start else (),
            total_of=workers.total_of,
            episodes=self.task.episodes,
        )
        self.checkpoint = tf.train.Checkpoint(
            actor=self.agent.actor,
            critic=self.agent.critic,
            optimizer=self.learner.critic_optimizer,
            iterations=self.iterations,
            **self.learner.informed_parts,
        )

    @property
    def variables(self) -> list[Any]:
        """All that an iteration depends on, and changes."""
        own = self.learner.own_variables
        return [*self.agent.variables, *own, self.iterations]

    @property
    def steps_per_iteration(self) -> int:
        return self.config.lifetimes * self.task.lifetime_steps

    @property
    def total_iterations(self) -> int:
        return -(-self.config.steps // self.steps_per_iteration)

    @tf.function(autograph=False)
    def iterate(self) -> tuple[Any, Any]:
        """One iteration as one graph call: (experience, `LossInfo`)."""
        index = tf.cast(self.iterations, tf.int32)
        experience = self.collector.collect(self.config.seed, index, TRAINING_STREAM)
        return experience, self.learner.train(experience)

    def iterate_outside(self) -> tuple[Any, Any]:
        """The same where environments are Python: only the update is a graph call."""
        index = int(self.iterations)
        experience = self.collector.collect(self.config.seed, index, TRAINING_STREAM)
        return experience, self._learn(experience)

    @tf.function(autograph=False)
    def _learn(self, experience: Any) -> Any:
        return self.learner.train(experience)

    def row(self, experience: Any, loss: Any) -> dict[str, Any]:
        """What metrics.jsonl says of an iteration.

        `metrics` are those of the chief's lifetimes, all else is of all workers.
        """
        iteration = int(self.iterations)
        total = float(self.workers.total_of(np.float64(total_reward(experience))))
        row: dict[str, Any] = {
            "iteration": iteration,
            "steps": iteration * self.steps_per_iteration,
            "return": total / self.config.lifetimes,
            "reward_per_trial": total
            / (self.config.lifetimes * self.task.trials_per_lifetime),
            **{name: float(value) for name, value in loss.extra._asdict().items()},
        }
        due = iteration % self.config.metrics_every == 0 or self.finished
        if due and self.workers.is_chief:
            lifetimes = with_hidden(to_lifetimes(experience))
            found = metrics(self.task.name, lifetimes)
            row["metrics"] = {k: e.as_dict()["mean"] for k, e in found.items()}
        return row

    @property
    def finished(self) -> bool:
        return int(self.iterations) >= self.total_iterations


def train(
    config: RunConfig,
    directory: RunDirectory,
    resume: bool = False,
    report: Report = lambda row: None,
    parent: EpisodicAgent | None = None,
    workers: OneWorker = ALONE,
) -> TrainingResult:
    """Trains an agent into a run directory.

    A run that was killed at any moment and is resumed ends with the same parameters,
    bit for bit, as one left alone.

    Args:
        config: The run's configuration.
        directory: Where it is kept.
        resume: Go on with what is there; `config` must be the run's own, but for a
            larger number of steps.
        report: Called with each new row of metrics.jsonl, and first with the last one
            kept where a run is resumed.
        parent: The agent that `config.start` is about; not needed to resume.
        workers: Those that train together. Only the chief needs the directory, a
            report or a parent.

    Raises:
        UserError: The directory holds something and `resume` is false, nothing to
            resume is there, it is damaged, or it is of another configuration; or the
            workers cannot share the batch.
        LostWorkerError: Another worker has ended before the run.
    """
    if workers.is_chief:
        check_beginning(config, directory, resume)
    check_shared(config, workers.count)
    with workers.watch():
        trainer = Trainer(config, workers)
        files = NoFiles()
        if workers.is_chief:
            files = RunFiles(trainer, directory, resume, parent)
        try:
            workers.follow_chief(config, trainer.variables)
            return _run(trainer, files, report)
        finally:
            files.close()


def _run(trainer: Trainer, files: NoFiles, report: Report) -> TrainingResult:
    """Iterates to the end of the run."""
    before = files.rows[-1]["wall_seconds"] if files.rows else 0.0
    if files.rows:
        report(files.rows[-1])
    in_graph = trainer.collector.in_graph
    iterate = trainer.iterate if in_graph else trainer.iterate_outside
    start, first, speed = time.perf_counter(), int(trainer.iterations), 0.0
    while not trainer.finished:
        row = trainer.row(*iterate())
        _refuse_divergence(row)
        elapsed = time.perf_counter() - start
        speed = (row["iteration"] - first) * trainer.steps_per_iteration / elapsed
        row["wall_seconds"] = before + elapsed
        row["steps_per_second"] = speed
        files.write(row)
        report(row)
        if row["iteration"] % trainer.config.checkpoint_every == 0 or trainer.finished:
            files.save()
    steps = int(trainer.iterations) * trainer.steps_per_iteration
    wall = files.rows[-1]["wall_seconds"] if files.rows else 0.0
    return TrainingResult(trainer.agent, trainer.task, steps, speed, wall, files.rows)


def _refuse_divergence(row: dict[str, Any]) -> None:
    if not all(value == value for value in row.values() if isinstance(value, float)):
        raise UserError(
            "training",
            f"iteration {row['iteration']}",
            "gave a number that is not finite",
            "lower trpo.delta or trpo.critic_learning_rate with --set",
        )
