"""How much training a changed task takes: fine-tuned, and from scratch.

    python -m benchmarks.fine_tuning

The published `two_step/lstm` goes on learning where an action's own transition has
chance .7 and the states pay with .8 and .2, and a new agent learns the same task from
scratch by the recipe. Both are evaluated as they learn, on the same fresh lifetimes:
how many steps until they have 95 % of what the optimal player earns more than the
random one, and how many until 98 %? Fine-tuning is to take at most 20 % of the steps to
95 %. (The published agent has nearly as much before it learns anything; few runs come
to 98 %, and `--steps 800000` saves waiting for them.)
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import Any, NamedTuple

import zoo
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.agents.transfer import transfer
from kerasmeta.tasks.base import Task
from kerasmeta.training import fine_tuning
from kerasmeta.training.collect import EVALUATION_STREAM, make_collector, total_reward
from kerasmeta.training.config import RunConfig
from kerasmeta.training.evaluation import players
from kerasmeta.training.loop import Trainer
from kerasmeta.training.recipes import recipe

PARENT = "two_step/lstm"
CHANGES = ("task.common=0.7", "task.high_reward=0.8", "task.low_reward=0.2")
PARTS = (0.95, 0.98)  # of the gap; the goal is about the first
GOAL = 0.2
LIFETIMES = 2000  # of an evaluation; its standard error is a hundredth of the gap
EVALUATION_SEED = 0


class Curve(NamedTuple):
    """How much an agent earned a trial after so many steps."""

    steps: list[int]
    rewards: list[float]

    def reaches(self, threshold: float) -> int | None:
        """The steps after which it first earned that much; None: it never did."""
        pairs = zip(self.steps, self.rewards, strict=True)
        return next((steps for steps, reward in pairs if reward >= threshold), None)


class Gap(NamedTuple):
    """What players earn a trial, in the lifetimes of the evaluations."""

    random: float
    optimal: float

    def at(self, part: float) -> float:
        """The reward at a part of the gap."""
        return self.random + part * (self.optimal - self.random)

    def part(self, reward: float) -> float:
        """The part of the gap that a reward is."""
        return (reward - self.random) / (self.optimal - self.random)


def gap(task: Task) -> Gap:
    """What random and optimal players earn a trial."""
    found = players(task, LIFETIMES, EVALUATION_SEED)
    means = {name: found[name]["reward_per_trial"].mean for name in Gap._fields}
    return Gap(**means)


def curve(
    config: RunConfig, parent: EpisodicAgent | None, every: int, threshold: float
) -> Curve:
    """Trains until the threshold or the configuration's steps, evaluating as it goes.

    Args:
        config: The run's.
        parent: The agent to begin as; None: a new one.
        every: Iterations between evaluations.
        threshold: The reward a trial at which there is nothing more to see.
    """
    trainer = Trainer(config)
    if parent is not None:
        transfer(parent, trainer.agent)
    collector = make_collector(trainer.task, LIFETIMES, trainer.agent)
    collect = tf.function(collector.collect)
    trials = LIFETIMES * trainer.task.trials_per_lifetime
    found = Curve([], [])
    while True:
        experience = collect(EVALUATION_SEED, tf.constant(0), EVALUATION_STREAM)
        found.steps.append(int(trainer.iterations) * trainer.steps_per_iteration)
        found.rewards.append(total_reward(experience) / trials)
        if found.rewards[-1] >= threshold or trainer.finished:
            return found
        for _ in range(every):
            trainer.iterate()


def measure(seed: int, parent: Any, steps: int | None) -> dict[str, Any]:
    """Both curves of a seed, and after how many steps they reach each of `PARTS`."""
    changes = [*CHANGES, f"seed={seed}"]
    scratch = recipe("two_step", "lstm").with_overrides(changes)
    tuned = fine_tuning.configuration(parent, changes=changes)
    limit = {"steps": steps or scratch.steps}
    between = gap(Trainer(scratch).task)
    curves = {
        "fine-tuned": (tuned, parent.agent, 1),
        "from scratch": (scratch, None, 2),
    }
    found: dict[str, Any] = {"seed": seed, "gap": between, "begins": {}, "steps": {}}
    for name, (config, start, every) in curves.items():
        last = between.at(PARTS[-1])
        grown = curve(config.model_copy(update=limit), start, every, last)
        found["begins"][name] = between.part(grown.rewards[0])
        found["steps"][name] = [grown.reaches(between.at(part)) for part in PARTS]
    return found


def line(found: dict[str, Any]) -> str:
    """What a seed gave, for people."""
    words = []
    for name, reached in found["steps"].items():
        after = [
            f"{part:.0%} " + ("never" if steps is None else f"after {steps:,} steps")
            for part, steps in zip(PARTS, reached, strict=True)
        ]
        words.append(f"{name} {found['begins'][name]:.1%} at first, {', '.join(after)}")
    return f"seed {found['seed']}: {'; '.join(words)}"


def main() -> None:
    """Prints a line a seed, and whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--steps", type=int, help="at most so many, of either")
    arguments = parser.parse_args()
    parent = fine_tuning.published(zoo.load(PARENT))
    found = []
    for seed in range(arguments.seeds):
        found.append(measure(seed, parent, arguments.steps))
        if seed == 0:
            random, optimal = found[0]["gap"]
            print(f"{parent.name} on two_step with {', '.join(CHANGES)}")
            print(
                f"random {random:.4f} a trial, optimal {optimal:.4f}; parts of the gap:"
            )
        print(line(found[-1]), flush=True)
    for n, part in enumerate(PARTS):
        pairs = [[steps[n] for steps in one["steps"].values()] for one in found]
        if any(tuned is None or scratch is None for tuned, scratch in pairs):
            print(f"{part:.0%}: a run never came so far")
            continue
        shares = [tuned / scratch for tuned, scratch in pairs]
        print(
            f"{part:.0%}: fine-tuning took {statistics.mean(shares):.1%} of the steps "
            f"that training from scratch took (at most {max(shares):.1%})"
        )
    first = [[steps[0] for steps in one["steps"].values()] for one in found]
    met = all(t is not None and s and t / s <= GOAL for t, s in first)
    print(
        f"goal, at most {GOAL:.0%} of the steps to {PARTS[0]:.0%}: "
        f"{'met' if met else 'missed'}"
    )
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
