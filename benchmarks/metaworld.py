"""Meta-World as subjects: bare simulators, our collection, Meta-World's own vectors."""

from __future__ import annotations

import contextlib
import multiprocessing
from typing import Any

import numpy as np

from benchmarks.worker import Prepared
from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.tasks.metaworld.processes import usable_cores
from kerasmeta.tasks.metaworld.task import REWARD_SHOWN
from kerasmeta.training.collect import TRAINING_STREAM, make_collector
from kerasmeta.training.loop import make_agent
from kerasmeta.training.recipes import recipe

WARM_UP = 15  # batches
FAMILY, TASK = "metaworld_ml1_reach", "reach-v3"


def _simulate(connection: Any, steps: int) -> None:
    """A process that steps one bare environment by random actions when asked to."""
    import metaworld

    benchmark = metaworld.ML1(TASK, seed=0)
    environment = benchmark.train_classes[TASK]()
    environment.set_task(benchmark.train_tasks[0])
    environment.reset()
    actions = np.random.default_rng(0).uniform(-1, 1, [steps, 4]).astype(np.float32)
    with contextlib.suppress(EOFError):
        while connection.recv():
            for n in range(steps):
                if n % 500 == 0:
                    environment.curr_path_length = 0  # a reset would take time
                environment.step(actions[n])
            connection.send(True)


def bare(rows: int, horizon: int) -> Prepared:
    """The ceiling: a process on each core, no policy, no resets, no wrappers."""
    cores, steps = usable_cores(), rows * horizon
    made = multiprocessing.get_context("spawn")
    pipes = [made.Pipe() for _ in range(cores)]
    for _, theirs in pipes:
        each = steps // cores
        made.Process(target=_simulate, args=(theirs, each), daemon=True).start()

    def call() -> None:
        for ours, _ in pipes:
            ours.send(True)
        for ours, _ in pipes:
            ours.recv()

    return Prepared(call, cores * (steps // cores))


def collect(rows: int, horizon: int, processes: int | None = None) -> Prepared:
    """Our collection with a policy of the recipe's size."""
    parameters = {"horizon": horizon, "episodes": 1}
    task = tasks.make(FAMILY, **parameters)
    agent = make_agent(recipe(FAMILY, "lstm", parameters), task)
    collector = make_collector(task, rows, agent)
    collector.processes = processes
    index = 0
    for batch in range(WARM_UP):  # goals are reset to once, in a run's first batches
        plans = [task.plan(1, rows * batch + row) for row in range(rows)]
        collector.simulators.begin(plans)
        for group in range(len(collector.simulators.groups)):
            collector.simulators.receive(group)

    def call() -> None:
        nonlocal index
        collector.collect(0, index, TRAINING_STREAM)
        index += 1

    return Prepared(call, rows * task.lifetime_steps)


def vector(rows: int, horizon: int) -> Prepared:
    """Meta-World's `AsyncVectorEnv`, one process a row, with the same policy."""
    import metaworld

    parameters = {"horizon": horizon, "episodes": 1}
    task = tasks.make(FAMILY, **parameters)
    agent = make_agent(recipe(FAMILY, "lstm", parameters), task)
    environments = metaworld.make_ml_envs_train(
        TASK,
        seed=0,
        meta_batch_size=rows,
        total_tasks_per_cls=rows,
        vector_strategy="async",
        max_episode_steps=horizon,
    )
    environments.call("sample_tasks")
    act = tf.function(_acting(agent), autograph=False, jit_compile=True)

    def call() -> None:
        observation, _ = environments.reset()
        state = agent.initial_state(rows)
        previous = np.zeros([rows, 5], np.float32)
        for step in range(horizon):
            seen = np.concatenate(
                [observation, np.full([rows, 1], step == 0), previous],
                axis=1,
                dtype=np.float32,
            )
            action, state = act(seen, state)
            clipped = np.clip(action.numpy(), -1, 1)
            observation, reward, *_ = environments.step(clipped)
            shown = REWARD_SHOWN * np.float32(reward[:, None])
            previous = np.concatenate([clipped, shown], axis=1)

    return Prepared(call, rows * horizon)


def _acting(agent: Any) -> Any:
    """One step of the policy on packed observations `[B, 45]`."""

    def act(seen: Any, state: Any) -> tuple[Any, Any]:
        stimulus, action, reward = tf.split(seen, [40, 4, 1], axis=-1)
        output = agent.forward(
            {
                "stimulus": stimulus,
                "context": tf.zeros_like(reward),
                "episode_start": stimulus[:, -1] > 0,
                "store": tf.zeros_like(reward[:, 0], tf.bool),
                "previous_action": action,
                "previous_reward": reward[:, 0],
            },
            state,
            with_value=False,
        )
        return output.action, output.state

    return act
