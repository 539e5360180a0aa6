"""What a task family is: pure, batched, in-graph rules, and players to compare with.

A task owns no variables and no randomness: the state goes in and comes out, and every
random draw comes from a `seed` argument (`tf.random.stateless_*`), so the same seeds
give the same lifetimes. `kerasmeta.environments.TaskEnvironment` turns any task into a
TF-Agents environment and adds the two observations that are the same for every task,
`previous_action` and `previous_reward`.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, NamedTuple

from kerasmeta._keras import tf

# A task's hidden state or a player's: a NamedTuple whose leaves are all batch-first.
State = Any


class TaskStep(NamedTuple):
    """What a task answers to a batch of actions."""

    state: State
    observation: dict[str, Any]  # the task's own part, see Task.observation_spec
    reward: Any  # [B] float32, paid for this action
    done: Any  # [B] bool, true where the lifetime ended with this action


class Task(abc.ABC):
    """A distribution of tasks an agent is trained on (a task family).

    Subclasses are frozen dataclasses: every number is a field, so that
    `dataclasses.asdict(task)` is what a configuration file holds and
    `dataclasses.replace` makes a variant.

    The task's part of an observation is a dict with
        stimulus: float32 `[B, S]` (or `[B, height, width, channels]`);
        context: float32 `[B, K]`, the memory's key, all zeros = no context shown;
        episode_start: bool `[B]`, true at the first step of an episode;
        store: bool `[B]`, write (context, cell state) to memory after this step.
          A storing step does not read.
    """

    name: ClassVar[str]
    paper: ClassVar[str]  # "Authors (year). Title. Where."
    # Whether evaluations keep the hidden variables: `Lifetimes.hidden`.
    metrics_need_hidden: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def observation_spec(self) -> dict[str, Any]:
        """`tf.TensorSpec`s of the task's part of an observation, without the batch."""

    @property
    @abc.abstractmethod
    def action_spec(self) -> Any:
        """A TF-Agents `BoundedTensorSpec`: scalar int32 (discrete) or float32 `[A]`."""

    @property
    @abc.abstractmethod
    def lifetime_steps(self) -> int:
        """The largest number of actions in a lifetime."""

    @property
    def trials_per_lifetime(self) -> int:
        """How many trials a lifetime has: what `reward_per_trial` divides by."""
        return self.lifetime_steps

    @property
    def episodes(self) -> int:
        """The most episodes that a lifetime falls into, by `episode_start`.

        None is longer than `lifetime_steps` / `episodes`, rounded up. A task whose
        episodes have no such limit says 1.
        """
        return 1

    @property
    @abc.abstractmethod
    def contexts_per_lifetime(self) -> int:
        """How many (context, cell state) pairs a lifetime stores at most; 0: none."""

    @abc.abstractmethod
    def reset(self, batch_size: int, seed: Any) -> tuple[State, dict[str, Any]]:
        """Begins `batch_size` lifetimes. `seed`: int32 `[2]`."""

    @abc.abstractmethod
    def step(self, state: State, action: Any, seed: Any) -> TaskStep:
        """Carries out a batch of actions `[B, ...]`. `seed`: int32 `[2]`.

        `B` is a static shape. A row whose lifetime is over may be stepped on: the task
        must not fail, and what it answers for that row is thrown away.
        """

    def held_out(self) -> Task:
        """The same task with what training never shows: other objects, other images.

        Agents are evaluated on it. A task whose lifetimes are all new anyway, with
        nothing kept back from training, is its own.
        """
        return self

    def hidden_variables(self, state: State) -> dict[str, Any]:
        """What choices should depend on and nobody is told, `{name: [B, ...]}`.

        Recordings keep it step by step, as it is when the step's action is chosen, so
        that an analysis can look for it in an agent. Integers are categories; floats
        are quantities, NaN where there is none.
        """
        return {}

    @abc.abstractmethod
    def players(self) -> dict[str, Player]:
        """Reference players by name: `random`, `model_free`, `optimal`, `oracle`."""


class Player(abc.ABC):
    """A hand-written solution of a task; what an agent's numbers are compared with.

    Pure like a task. `task_state` is the task's hidden state: only an oracle may look
    at it. Observations carry `previous_action` and `previous_reward` as well.
    """

    @abc.abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The player's state before the first observation."""

    @abc.abstractmethod
    def act(
        self, state: State, observation: dict[str, Any], task_state: State, seed: Any
    ) -> tuple[Any, State]:
        """Chooses a batch of actions. `seed`: int32 `[2]`. Returns (action, state)."""


class RandomPlayer(Player):
    """Acts uniformly at random, whatever the task."""

    def __init__(self, action_spec: Any) -> None:
        self.action_spec = action_spec

    def initial_state(self, batch_size: int) -> State:
        return ()

    def act(
        self, state: State, observation: dict[str, Any], task_state: State, seed: Any
    ) -> tuple[Any, State]:
        spec = self.action_spec
        shape = tf.concat([tf.shape(observation["episode_start"]), spec.shape], axis=0)
        upper = spec.maximum + 1 if spec.dtype.is_integer else spec.maximum
        action = tf.random.stateless_uniform(
            shape, seed, spec.minimum, upper, dtype=spec.dtype
        )
        return action, state
