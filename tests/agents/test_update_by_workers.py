"""Workers that share a batch: each ends where one worker with all of it would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.updates import Update, assert_equal, everything, flat

from kerasmeta._keras import tf
from kerasmeta.agents.trpo import TRPOExtra
from kerasmeta.groups import alone

# 8 rows, of which each of two workers has every other.
ROWS = 2 * ("FMMML", "FLFML", "FMMLF", "FMLFM")
SETTINGS = {
    "fisher_fraction": 0.5,
    "critic_minibatches": 2,
    "cg_iterations": 2,
    "delta": 0.05,
}
NORMALIZED = {"kind": "lstm", "normalize": True}
Total = Callable[[Any], Any]


class Threads:
    """Workers as threads of this process; a sum waits until all brought their part.

    Attributes:
        sums: The nests that were asked for.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.sums: list[Any] = []
        self._brought: list[Any] = [None] * count
        self._barrier = threading.Barrier(count, self._add, timeout=60.0)

    def _add(self) -> None:
        self.sums.append(
            tf.nest.map_structure(lambda *parts: tf.add_n(parts), *self._brought)
        )

    def total_of(self, index: int) -> Total:
        def total(shares: Any) -> Any:
            self._brought[index] = tf.nest.map_structure(tf.convert_to_tensor, shares)
            self._barrier.wait()
            return self.sums[-1]

        return total

    def run(self, work: Callable[[int], Any]) -> list[Any]:
        """The results of `work(index)` of all workers, side by side."""
        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(work, range(self.count)))


def made(total_of: Total, settings: dict[str, Any]) -> Update:
    return Update(total_of=total_of, **{**SETTINGS, **settings})


def in_tasks(experience: Any) -> Any:
    """Lifetimes of two tasks; the first of two workers has those of one only."""
    task = np.eye(2, dtype=np.float32)[[0, 1, 0, 0] * (len(ROWS) // 4)]
    steps = experience.reward.shape[1]
    task = tf.constant(task[:, None].repeat(steps, axis=1))
    return experience._replace(policy_info={**experience.policy_info, "task": task})


def weights(update: Update) -> list[np.ndarray]:
    """All an update may change, the running moments too."""
    constants = update.trainer.agent.variables
    return [*everything(update.trainer), *[v.numpy() for v in constants]]


def updated(
    totals: list[Total], settings: dict[str, Any], run: Callable[..., Any]
) -> tuple[list[Update], list[TRPOExtra]]:
    """An update by workers that have equal shares of the same experience."""
    workers = [made(total, settings) for total in totals]
    rng = np.random.default_rng(11)
    whole = in_tasks(agents.experience(workers[0].trainer.agent, rng, ROWS))

    def work(index: int) -> TRPOExtra:
        mine = agents.take(whole, list(range(index, len(ROWS), len(workers))))
        return workers[index](mine)

    return workers, run(work)


def one_after_the_other(work: Callable[[int], Any]) -> list[Any]:
    return [work(0)]


@pytest.mark.parametrize(
    "settings",
    [{}, {"agent": NORMALIZED}, {"advantages_by_task": True}],
    ids=["ep_lstm", "normalized", "by_task"],
)
def test_two_workers_do_what_one_would(settings: dict[str, Any]) -> None:
    threads = Threads(2)
    [one], [expected] = updated([alone], settings, one_after_the_other)
    totals = [threads.total_of(index) for index in range(2)]
    two, found = updated(totals, settings, threads.run)
    assert_equal(weights(two[0]), weights(two[1]))  # bit for bit in step
    assert found[0] == found[1]
    assert expected.step_accepted == 1
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-5)
    want, have = flat(weights(one)), flat(weights(two[0]))
    assert np.linalg.norm(have - want) < 1e-4 * np.linalg.norm(want)

    if not settings:  # planted: a worker that keeps to itself goes elsewhere
        [lonely, _], _ = updated([alone, alone], settings, one_after_the_other)
        away = np.linalg.norm(flat(weights(lonely)) - want)
        assert away > 1e-2 * np.linalg.norm(want)


def test_how_much_is_sent_in_an_update() -> None:
    """What docs/scaling.md says: the number of sums, and of numbers in them."""
    threads = Threads(1)
    _, [extra] = updated([threads.total_of(0)], {}, one_after_the_other)
    trainer = made(alone, {}).trainer
    policy, critic = (
        sum(int(np.prod(variable.shape)) for variable in variables)
        for variables in (trainer.actor_variables, trainer.critic_variables)
    )
    sizes = [
        sum(int(tf.size(leaf)) for leaf in tf.nest.flatten(s)) for s in threads.sums
    ]
    assert sizes.count(policy) == trainer.trpo.cg_iterations + 1
    assert sizes.count(policy + 2) == 1
    assert sizes.count(critic + 1) == 2 * 2
    small = [size for size in sizes if size < 10]
    assert len(small) == 5 + extra.line_search_trials
    assert sum(small) < 30
