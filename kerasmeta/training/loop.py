"""The training loop: collect lifetimes, update, log, checkpoint; resumable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent, TRPOAgent
from kerasmeta.agents.storage import describe, save_weights
from kerasmeta.analysis import metrics
from kerasmeta.environments import dynamics
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.training import starting
from kerasmeta.training.collect import (
    TRAINING_STREAM,
    make_collector,
    to_lifetimes,
    total_reward,
)
from kerasmeta.training.config import RunConfig
from kerasmeta.training.events import EventLog
from kerasmeta.training.run_directory import RunDirectory, replacing

Report = Callable[[dict[str, Any]], None]  # told each row of metrics.jsonl


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
    return EpisodicAgent(observation_spec, task.action_spec, agent_config)


class Trainer:
    """A run in progress: agent, collector, optimiser and counters.

    Args:
        config: The run's configuration.
    """

    def __init__(self, config: RunConfig) -> None:
        # Reductions and matrix products in the same order in every run. TensorFlow asks
        # for a seed then, should anything else in the process draw random numbers.
        tf.random.set_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        self.config = config
        self.task = tasks.make(config.task.name, **config.task.parameters)
        self.agent = make_agent(config, self.task)
        self.iterations = tf.Variable(0, dtype=tf.int64, name="iterations")
        self.collector = make_collector(self.task, config.lifetimes, self.agent)
        environment = self.collector.environment
        self.learner = TRPOAgent(
            environment.time_step_spec(),
            environment.action_spec(),
            self.agent,
            config.trpo,
            self.iterations,
            jit_compile=True,
            frozen=config.start.freeze if config.start else (),
        )
        self.checkpoint = tf.train.Checkpoint(
            actor=self.agent.actor,
            critic=self.agent.critic,
            optimizer=self.learner.critic_optimizer,
            iterations=self.iterations,
        )

    @property
    def steps_per_iteration(self) -> int:
        return self.config.lifetimes * self.task.lifetime_steps

    @property
    def total_iterations(self) -> int:
        return -(-self.config.steps // self.steps_per_iteration)

    @tf.function
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

    @tf.function
    def _learn(self, experience: Any) -> Any:
        return self.learner.train(experience)

    def row(self, experience: Any, loss: Any) -> dict[str, Any]:
        """What metrics.jsonl says of an iteration."""
        iteration = int(self.iterations)
        total = total_reward(experience)
        row: dict[str, Any] = {
            "iteration": iteration,
            "steps": iteration * self.steps_per_iteration,
            "return": total / self.config.lifetimes,
            "reward_per_trial": total
            / (self.config.lifetimes * self.task.trials_per_lifetime),
            **{name: float(value) for name, value in loss.extra._asdict().items()},
        }
        if iteration % self.config.metrics_every == 0 or self.finished:
            lifetimes = to_lifetimes(experience)
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

    Raises:
        UserError: The directory holds something and `resume` is false, nothing to
            resume is there, it is damaged, or it is of another configuration.
    """
    trainer, manager = _begin(config, directory, resume, parent)
    rows = directory.keep_metrics_until(int(trainer.iterations))
    before = rows[-1]["wall_seconds"] if rows else 0.0
    if rows:
        report(rows[-1])
    in_graph = trainer.collector.in_graph
    iterate = trainer.iterate if in_graph else trainer.iterate_outside
    start, first = time.perf_counter(), int(trainer.iterations)
    events = EventLog(directory.events_path, purge_from=first)
    with open(directory.metrics_path, "a", encoding="utf-8") as log:
        while not trainer.finished:
            row = trainer.row(*iterate())
            _refuse_divergence(row)
            elapsed = time.perf_counter() - start
            done = (row["iteration"] - first) * trainer.steps_per_iteration
            row["wall_seconds"] = before + elapsed
            row["steps_per_second"] = done / elapsed
            log.write(json.dumps(row) + "\n")
            log.flush()
            rows.append(row)
            events.write(row)
            report(row)
            if row["iteration"] % config.checkpoint_every == 0 or trainer.finished:
                _save(trainer, manager, directory)
    events.close()
    last = rows[-1]
    speed = last["steps_per_second"] if last["iteration"] > first else 0.0
    return TrainingResult(
        trainer.agent, trainer.task, last["steps"], speed, last["wall_seconds"], rows
    )


def _begin(
    config: RunConfig,
    directory: RunDirectory,
    resume: bool,
    parent: EpisodicAgent | None,
) -> tuple[Trainer, Any]:
    """A trainer where the run stands, and its checkpoint manager."""
    if resume:
        _check_resumable(config, directory)
    else:
        directory.check_free()
    trainer = Trainer(config)
    if config.start:
        starting.begin(
            trainer.agent, config.start, directory, None if resume else parent
        )
    if not resume:
        directory.create(config, describe(trainer.agent))
    manager = tf.train.CheckpointManager(
        trainer.checkpoint, str(directory.checkpoints_path), max_to_keep=2
    )
    _restore(manager, directory)
    if resume and not trainer.finished:
        directory.change_steps(config.steps)
    return trainer, manager


def _save(trainer: Trainer, manager: Any, directory: RunDirectory) -> None:
    with replacing(directory.weights_path) as temporary:
        save_weights(trainer.agent, temporary)
    manager.save(checkpoint_number=int(trainer.iterations))


def _restore(manager: Any, directory: RunDirectory) -> None:
    """Goes back to the last checkpoint, if there is one."""
    path = manager.latest_checkpoint
    fix = "restore the file, or train again in another directory"
    if path is None and (index := directory.checkpoints_path / "checkpoint").exists():
        raise UserError("checkpoint", str(index), "names no checkpoint", fix)
    try:
        manager.restore_or_initialize()
    except Exception as error:  # damage makes TensorFlow's reader raise all sorts
        reason = str(getattr(error, "message", error)).strip().splitlines()[0]
        problem = f"cannot be read ({reason})"
        raise UserError("checkpoint", path, problem, fix) from None


def _check_resumable(config: RunConfig, directory: RunDirectory) -> None:
    """Refuses to resume what is no run, or one with other settings than `config`."""
    if not directory.exists():
        raise UserError(
            "--resume",
            str(directory.path),
            "holds no run",
            "leave --resume out to begin one, or correct --out",
        )
    ours, theirs = config.settings(), directory.read_config().settings()
    different = [
        f"{key}={theirs.get(key, 'its default')}"
        for key in sorted(ours.keys() | theirs.keys())
        if key != "steps" and ours.get(key) != theirs.get(key)
    ]
    if different:
        raise UserError(
            "--resume",
            str(directory.path),
            f"was begun with {', '.join(different)}",
            "give the options it was begun with, or choose another directory",
        )


def _refuse_divergence(row: dict[str, Any]) -> None:
    if not all(value == value for value in row.values() if isinstance(value, float)):
        raise UserError(
            "training",
            f"iteration {row['iteration']}",
            "gave a number that is not finite",
            "lower trpo.delta or trpo.critic_learning_rate with --set",
        )
