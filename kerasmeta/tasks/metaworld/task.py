"""Meta-World as task families: a lifetime is some episodes with one hidden goal."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

import numpy as np

from kerasmeta._keras import tf, tf_agents
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Player, State, Task, TaskStep
from kerasmeta.tasks.metaworld import benchmark, names
from kerasmeta.tasks.metaworld.schedule import GOALS, Plan, plan
from kerasmeta.tasks.specs import vector_observation
from kerasmeta.tasks.validation import check_amount, check_count

STIMULUS = 40  # Meta-World's 39 numbers, and 1 where an episode begins
ACTION = 4
# Meta-World shows agents a tenth of the last reward (RNNBasedMetaRLWrapper).
REWARD_SHOWN = 0.1


@dataclasses.dataclass(frozen=True)
class MetaWorld(Task):
    """A benchmark of Meta-World: ML1 of one task, ML10 or ML45.

    A simulated arm with a gripper does something with an object: reaches a place, opens
    a door. Where it has to go is hidden; the reward, 0 to 10 in every step, tells. In a
    lifetime the arm lives through `episodes` episodes of `horizon` steps, all with the
    same task and goal, and the agent's state is kept throughout (RL²; Duan et al. 2016,
    Wang et al. 2016), so that it can find the goal in the first ones and go there in
    the others.

    Training draws from the benchmark's training tasks and their 50 goals; `held_out()`
    has its test tasks and goals, with which ML1 shows other goals of the same task, and
    ML10 and ML45 other tasks.

    In a family `..._contextual` a lifetime has `contexts` goals that come back, in
    random order, each in equally many episodes. What names a goal is an arbitrary code
    of +-1, drawn anew in every lifetime: it tells nothing about the goal, only that it
    is the one that had this name before. It is shown at the first step of an episode,
    and at its last one, in which it is stored. Of ML10 and ML45 the goals are of
    different tasks.

    Its rules are a simulator, so it has no `reset` and `step` for a graph: lifetimes
    run in processes (`kerasmeta.tasks.metaworld.processes`).

    Observation: `stimulus` float32 `[40]`: Meta-World's 39 numbers (hand, gripper and
    objects now; the same one step before; 3 zeros for the hidden goal) and 1 where an
    episode begins. `previous_action` is what was carried out, within -1 and 1;
    `previous_reward` a tenth of what was paid (but see `feedback`). Both are 0 at an
    episode's first step, as in Meta-World's own evaluation. Actions: 4 numbers, -1 to
    1: where the hand goes, and whether the gripper closes.

    Attributes:
        family: `metaworld_ml1_reach`, `metaworld_ml10_contextual`, ...
        episodes: `K`, episodes in a lifetime.
        horizon: Steps of an episode; Meta-World's own is 500.
        contexts: Goals in a lifetime of a contextual family; 1 in others.
        context_size: Components of a context of a contextual family.
        benchmark_seed: Meta-World's own, of the goals.
        split: "train" or "test": which side of the benchmark lifetimes are of.
        train_goals: Goals of each training task. More than Meta-World's 50, drawn in
            the same way, are not the benchmark's protocol; but where the object tells
            nothing about the goal, as in reach, an agent learns 50 goals by heart from
            where the objects lie, and not how to find one.
        success_bonus: Paid to the learner, beside the reward, in each step in which the
            task is solved; agents are not shown it. Meta-World's rewards are nearly
            flat around success: 6 cm from a goal reach pays 9.9, and 10 within its 5
            cm, so that learners come close and stop there. Held-out lifetimes have
            none.
        feedback: What agents are shown of what a step paid: "reward", a tenth of it, as
            Meta-World does. It tells the distance to the goal in every step, so that a
            search takes hardly longer than the way, and little is to be remembered. So
            contextual families also have "first", which shows it in a goal's first
            episode and 0 when the goal comes back (as probe trials do with animals),
            and "success", 1 where the task is solved. Learners are paid the reward in
            all of them.

    Raises:
        UserError: The family is not known or a parameter is out of range. That Meta-
          World is not installed is only found where lifetimes are to run.
    """

    family: str = "metaworld_ml1_reach"
    episodes: int = 10
    horizon: int = 500
    contexts: int = 0
    context_size: int = 20
    benchmark_seed: int = 0
    split: Literal["train", "test"] = "train"
    train_goals: int = GOALS
    success_bonus: float = 0.0
    feedback: Literal["reward", "first", "success"] = "reward"

    paper: ClassVar[str] = (
        "Yu et al. (2020). Meta-World: A Benchmark and Evaluation for Multi-Task and "
        "Meta Reinforcement Learning. CoRL, PMLR 100:1094-1100."
    )

    def __post_init__(self) -> None:
        contextual = names.parse(self.family).contextual
        if not self.contexts:  # by default two goals that come back, or one
            object.__setattr__(self, "contexts", 2 if contextual else 1)
        check_count("episodes", self.episodes)
        check_count("horizon", self.horizon, minimum=2)
        check_count("contexts", self.contexts)
        check_count("benchmark_seed", self.benchmark_seed, minimum=0)
        if self.horizon > 500:
            raise UserError(
                "horizon", self.horizon, "is longer than Meta-World's", "use 2 to 500"
            )
        if self.split not in ("train", "test"):
            raise UserError("split", self.split, "is not known", "use train or test")
        check_count("train_goals", self.train_goals, minimum=GOALS)
        if self.train_goals % GOALS:
            raise UserError(
                "train_goals",
                self.train_goals,
                "is no multiple of 50",
                "use 50, 100, 150, ...",
            )
        check_amount("success_bonus", self.success_bonus)
        self._check_contexts(contextual)
        self._check_feedback(contextual)

    def _check_feedback(self, contextual: bool) -> None:
        if self.feedback != "reward" and not contextual:
            raise UserError(
                "feedback",
                self.feedback,
                f"is not what Meta-World shows in {self.family}",
                f"use {self.family}{names.CONTEXTUAL}, or leave it out",
            )

    def _check_contexts(self, contextual: bool) -> None:
        if not contextual and self.contexts != 1:
            raise UserError(
                "contexts",
                self.contexts,
                f"are not shown in {self.family}",
                f"use {self.family}{names.CONTEXTUAL}, or leave it out",
            )
        if contextual and (self.episodes % self.contexts or self.contexts > GOALS):
            raise UserError(
                "contexts",
                self.contexts,
                f"cannot each have equally many of {self.episodes} episodes",
                f"use a divisor of {self.episodes}",
            )
        if not 6 <= self.context_size <= 62:  # 2**6 codes are enough for 50 goals
            raise UserError(
                "context_size", self.context_size, "is out of range", "use 6 to 62"
            )

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.family

    def shown(self, reward: Any, success: Any, first: Any = True) -> Any:
        """`previous_reward` after a step that paid `reward`, solved or not.

        `first`: whether that is in the first episode with a goal.
        """
        if self.feedback == "success":
            return success
        told = REWARD_SHOWN * reward
        return np.where(first, told, 0.0) if self.feedback == "first" else told

    @property
    def contextual(self) -> bool:
        """Whether goals come back, named by contexts."""
        return names.parse(self.family).contextual

    @property
    def observation_spec(self) -> dict[str, Any]:
        size = self.context_size if self.contextual else 1
        return vector_observation(stimulus=STIMULUS, context=size)

    @property
    def action_spec(self) -> Any:
        return tf_agents.specs.BoundedTensorSpec(
            [ACTION], tf.float32, -1.0, 1.0, name="action"
        )

    @property
    def lifetime_steps(self) -> int:
        return self.episodes * self.horizon

    @property
    def trials_per_lifetime(self) -> int:
        return self.episodes

    @property
    def contexts_per_lifetime(self) -> int:
        return self.contexts if self.contextual else 0

    def held_out(self) -> MetaWorld:
        return dataclasses.replace(self, split="test", success_bonus=0.0)

    def reset(self, batch_size: int, seed: Any) -> tuple[State, dict[str, Any]]:
        raise NotImplementedError("Meta-World's lifetimes run in simulator processes")

    def step(self, state: State, action: Any, seed: Any) -> TaskStep:
        raise NotImplementedError("Meta-World's lifetimes run in simulator processes")

    def players(self) -> dict[str, Player]:
        return {}

    def goals(self) -> benchmark.Goals:
        """The tasks and goals of this split.

        Raises:
            UserError: Meta-World is not installed or cannot be imported.
        """
        name = names.parse(self.family)._replace(contextual=False)
        if self.split == "test":
            return benchmark.load(name, self.benchmark_seed)[1]
        return self._train_goals(name)

    def _train_goals(self, name: names.Name) -> benchmark.Goals:
        if self.train_goals == GOALS:
            return benchmark.load(name, self.benchmark_seed)[0]
        return benchmark.more_goals(name, self.benchmark_seed, self.train_goals)

    def plan(self, key: int, index: int) -> Plan:
        """The lifetime that two counters name."""
        size = self.context_size if self.contextual else 0
        tasks = self.goals().tasks
        numbers = GOALS if self.split == "test" else self.train_goals
        return plan(tasks, self.contexts, self.episodes, size, key, index, numbers)
