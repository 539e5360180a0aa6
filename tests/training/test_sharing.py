"""Workers' shares of a batch: together they are the batch that one worker has."""

from __future__ import annotations

import math
from typing import Any

import pytest
from harness import agents

from kerasmeta import UserError, tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.environments import dynamics
from kerasmeta.groups import Rows, groups_of
from kerasmeta.tasks.base import Task
from kerasmeta.training.collect import TRAINING_STREAM, make_collector
from kerasmeta.training.recipes import recipe
from kerasmeta.training.workers import ManyWorkers, OneWorker
from kerasmeta.training.workers.sharing import check_shared

SLOW = pytest.mark.slow
SEED, INDEX = 5, 3
TASKS = {
    "two_step": {"trials": 3},
    "episodic_two_step": {"uncued_trials": 4, "cued_trials": 3},
    "CartPole-v1": {"max_episode_steps": 8},
}


def rows_of(worker: int, workers: int, lifetimes: int) -> Rows:
    return ManyWorkers(None, worker, workers).rows(lifetimes)


def agent_of(task: Task) -> EpisodicAgent:
    spec = dynamics.time_step_spec(task).observation
    kind = "lstm" if tasks.is_gymnasium(task.name) else "ep_lstm"
    made = EpisodicAgent(spec, task.action_spec, agents.config(kind))
    agents.shake(made.variables)
    return made


def collected(
    task: Task, lifetimes: int, agent: Any, rows: Rows | None, compiled: bool
) -> Any:
    collector = make_collector(task, lifetimes, agent, rows)
    if collector.in_graph and not compiled:  # which takes longer than the test
        collector.driver._begin = tf.function(
            collector.driver.new_lifetimes, autograph=False
        )
    return collector.collect(SEED, INDEX, TRAINING_STREAM)


@pytest.mark.parametrize(
    ("name", "lifetimes", "workers", "compiled"),
    [
        ("two_step", 4, 2, False),  # a half of the only group each
        ("CartPole-v1", 4, 2, False),
        pytest.param("two_step", 32, 2, False, marks=SLOW),  # a group of rows each
        pytest.param("episodic_two_step", 32, 4, True, marks=SLOW),  # half a group each
    ],
)
def test_workers_collect_what_one_worker_would(
    name: str, lifetimes: int, workers: int, compiled: bool
) -> None:
    task = tasks.make(name, **TASKS[name])
    agent = agent_of(task)
    whole = collected(task, lifetimes, agent, None, compiled)
    parts = [
        collected(task, lifetimes, agent, rows_of(n, workers, lifetimes), compiled)
        for n in range(workers)
    ]
    for n, mine in enumerate(parts):
        expected = agents.take(whole, list(range(n, lifetimes, workers)))
        agents.assert_same(mine, expected, atol=1e-6)
    assert (parts[0].action.numpy() != parts[1].action.numpy()).any()


def test_one_worker_has_all_rows() -> None:
    assert [*OneWorker().rows(12).numbers(2)] == [*range(24, 36)]


def test_rows_are_dealt_to_workers_like_cards() -> None:
    hands = [rows_of(n, 3, 12) for n in range(3)]
    assert [rows.size for rows in hands] == [4, 4, 4]
    assert [[*rows.numbers(2)] for rows in hands] == [
        [24, 27, 30, 33],
        [25, 28, 31, 34],
        [26, 29, 32, 35],
    ]


@pytest.mark.parametrize(
    ("changes", "fit"),
    [
        (
            ["lifetimes=128", "trpo.fisher_fraction=0.25"],
            [1, 2, 4, 8, 16, 32],
        ),  # two minibatches, a quarter
        (["lifetimes=128", "trpo.fisher_fraction=1.0"], [1, 2, 4, 8, 16, 32, 64]),
        (
            ["lifetimes=96", "trpo.fisher_fraction=0.25"],
            [1, 2, 4, 6, 8, 12, 24],
        ),  # 2 groups of 48
        (["lifetimes=7"], [1]),
    ],
)
def test_the_numbers_of_workers_that_can_share_a_batch(
    changes: list[str], fit: list[int]
) -> None:
    config = recipe("two_step", "lstm").with_overrides(changes)
    for workers in range(1, config.lifetimes + 1):
        if workers in fit:
            check_shared(config, workers)
            continue
        with pytest.raises(UserError, match="cannot share") as refusal:
            check_shared(config, workers)
        assert f"use {', '.join(map(str, fit))}," in str(refusal.value)


def test_shares_are_whole_groups_or_equal_parts_of_one() -> None:
    """What `check_shared` is there for, at many sizes of batch."""
    for lifetimes in range(1, 600, 7):
        config = recipe("two_step", "lstm").with_overrides([f"lifetimes={lifetimes}"])
        fisher = math.ceil(lifetimes * config.trpo.fisher_fraction)
        for workers in (2, 3, 4, 6, 64):
            try:
                check_shared(config, workers)
            except UserError:
                continue
            groups = groups_of(lifetimes)
            for n in range(workers):
                mine = rows_of(n, workers, lifetimes)
                found = {row % groups for row in mine.numbers()}
                whole = mine.size == len(found) * lifetimes // groups
                assert whole or len(found) == 1
                assert mine.size * workers == lifetimes
                # The first so many of all rows are the first so many of each hand.
                first = [row for row in mine.numbers() if row < fisher]
                assert len(first) == mine.size * config.trpo.fisher_fraction
