"""Meta-World's own evaluation: its environments, its loop, our agent in its protocol.

A test goal is adapted to in 10 episodes and tried in 3 more; an episode counts if the
task is solved at any step (`metaworld.evaluation.metalearning_evaluation`, which is
called as it is; McLean et al. 2025).

That function counts the first 3 episodes that end among all environments of a task, and
ends an episode at its success: with several environments a task the quick successes
would be counted and the failures not. So there is one environment for each task here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.analysis.estimates import (
    Counts,
    Estimate,
    mean_over_lifetimes,
    proportion,
)
from kerasmeta.errors import UserError
from kerasmeta.tasks.metaworld import benchmark, names
from kerasmeta.tasks.metaworld.simulator import ACTION, OBSERVATION
from kerasmeta.tasks.metaworld.task import MetaWorld

GOALS = 40  # of each task
ADAPTATION_EPISODES = 10
EVALUATION_EPISODES = 3
HORIZON = 500


class MetaLearner:
    """An agent as a `metaworld.evaluation.MetaLearningAgent`.

    It adapts by living: `adapt_action` draws from the policy, and its state runs on
    through all episodes of a goal. Every episode of the evaluation begins with the
    state that adaptation led to, and takes the policy's mean. Observations are those of
    `recurrent_info_in_obs`: Meta-World's 39 numbers, previous action, a tenth of the
    previous reward, and a flag that is not used.

    Args:
        agent: The agent.
        environments: How many run side by side.
        seed: Of the actions that are drawn.
        drawn: Draw the evaluated actions too.
    """

    def __init__(
        self,
        agent: EpisodicAgent,
        environments: int,
        seed: int = 0,
        drawn: bool = False,
    ) -> None:
        self.agent = agent
        self.environments = environments
        self.drawn = drawn
        self._seed = seed
        self._goals = 0
        self._start = np.ones(environments, bool)
        self._state: Any = None
        self._adapted: Any = None
        self._act = tf.function(self._action, autograph=False, jit_compile=True)
        self._traced: dict[bool, Any] = {}

    def init(self) -> None:
        """Forgets everything: new goals."""
        rows = np.arange(self.environments) + self._goals
        seeds = np.stack([np.full_like(rows, self._seed), rows], axis=1)
        self._state = self.agent.state_from_seeds(tf.constant(seeds, tf.int32))
        self._start[:] = True
        self._goals += self.environments

    def adapt_action(
        self, observations: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Actions `[N, 4]` while adapting, and nothing else."""
        return self._live(observations, drawn=True), {}

    def step(self, timestep: Any) -> None:
        """Told how an action of `adapt_action` ended."""
        self._start = np.logical_or(timestep.terminated, timestep.truncated)

    def adapt(self) -> None:
        """Keeps what was learnt, for `eval_action`."""
        self._adapted = self._state

    def reset(self, env_mask: np.ndarray) -> None:
        """Episodes of the evaluation begin: `env_mask` bool `[N]`."""
        self._start = env_mask.astype(bool)
        self._state = tf.nest.map_structure(
            lambda old, new: tf.where(
                tf.reshape(env_mask, [-1] + [1] * (old.shape.rank - 1)), new, old
            ),
            self._state,
            self._adapted,
        )

    def eval_action(self, observations: np.ndarray) -> np.ndarray:
        """Actions `[N, 4]` while evaluated."""
        actions = self._live(observations, self.drawn)
        self._start = np.zeros(self.environments, bool)
        return actions

    def _live(self, observations: np.ndarray, drawn: bool) -> np.ndarray:
        seen = np.asarray(observations, np.float32)[:, : OBSERVATION + ACTION + 1]
        packed = tf.constant(np.insert(seen, OBSERVATION, self._start, axis=1))
        if drawn not in self._traced:  # one trace each, which saves looking for it
            traced = self._act.get_concrete_function(packed, self._state, drawn)
            self._traced[drawn] = traced
        action, self._state = self._traced[drawn](packed, self._state, drawn)
        return np.clip(action.numpy(), -1.0, 1.0)

    def _action(self, packed: Any, state: Any, drawn: bool) -> tuple[Any, Any]:
        sizes = [OBSERVATION + 1, ACTION, 1]
        stimulus, previous_action, reward = tf.split(packed, sizes, axis=-1)
        nothing = tf.zeros_like(reward[:, 0], tf.bool)
        context_size = self.agent.observation_spec["context"].shape[0]
        observation = {
            "stimulus": stimulus,
            "context": tf.tile(tf.zeros_like(reward), [1, context_size]),
            "episode_start": stimulus[:, -1] > 0,
            "store": nothing,
            "previous_action": previous_action,
            "previous_reward": reward[:, 0],
        }
        output = self.agent.forward(observation, state, not drawn, with_value=False)
        return output.action, output.state


class Outcome(NamedTuple):
    """What the evaluation found, goal by goal: `[G]` each."""

    success: dict[str, np.ndarray]  # by task, the rate over its evaluated episodes
    returns: np.ndarray  # mean return of an evaluated episode


def environments(task: MetaWorld, goals: int, horizon: int = HORIZON) -> Any:
    """Meta-World's evaluation environments of the task's split, one for each task.

    Raises:
        UserError: Meta-World is not installed or cannot be imported.
    """
    name = names.parse(task.family)
    metaworld = benchmark.package()
    return metaworld.make_ml_envs(
        name.task or name.benchmark,
        seed=task.benchmark_seed,
        split=task.split,
        meta_batch_size=len(task.goals().tasks),
        total_tasks_per_cls=goals,
        task_select="pseudorandom",
        terminate_on_success=True,
        recurrent_info_in_obs=True,
        max_episode_steps=horizon,
    )


def run(
    agent: EpisodicAgent,
    task: MetaWorld,
    goals: int = GOALS,
    seed: int = 0,
    drawn: bool = False,
    horizon: int = HORIZON,
    report: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Evaluates an agent by Meta-World's protocol.

    Args:
        agent: The agent.
        task: The family; its split says on which side of the benchmark.
        goals: Of each task, at most 50.
        seed: Of the actions that are drawn.
        drawn: Draw the evaluated actions, do not take the mean.
        horizon: Steps of an episode; the protocol's is 500.
        report: Told how many goals are done.

    Raises:
        UserError: The family is contextual: the protocol shows no contexts.
    """
    if task.contextual:
        raise UserError(
            "task",
            task.name,
            "shows contexts, and Meta-World's evaluation does not",
            f"evaluate on {task.name.removesuffix(names.CONTEXTUAL)}",
        )
    from metaworld.evaluation import metalearning_evaluation

    vector = environments(task, goals, horizon)
    learner = MetaLearner(agent, vector.num_envs, seed, drawn)
    success: dict[str, list[float]] = {name: [] for name in task.goals().tasks}
    returns = []
    for done in range(goals):  # each call moves every environment to its next goal
        _, mean_return, rates = metalearning_evaluation(
            learner,
            vector,
            num_evals=1,
            adaptation_episodes=ADAPTATION_EPISODES,
            evaluation_episodes=EVALUATION_EPISODES,
        )
        for name, rate in rates.items():
            success[name].append(float(rate))
        returns.append(mean_return)
        report(done + 1)
    vector.close()
    found = {name: np.array(rates) for name, rates in success.items()}
    return Outcome(found, np.array(returns))


def estimates(outcome: Outcome) -> dict[str, Estimate]:
    """`success_rate` (the mean over tasks), `return`, and each task's success rate.

    Goals are the sampling units. `success_rate_<task>` is there for benchmarks of
    several tasks.
    """
    rates = np.stack(list(outcome.success.values()))  # [tasks, G]
    found = {
        "success_rate": _rate(rates.sum(axis=0), len(rates)),
        "return": mean_over_lifetimes(outcome.returns),
    }
    if len(rates) > 1:
        for name, values in outcome.success.items():
            key = name.removesuffix(names.VERSION).replace("-", "_")
            found[f"success_rate_{key}"] = _rate(values, 1)
    return found


def _rate(totals: np.ndarray, tasks: int) -> Estimate:
    """The rate of episodes, from each goal's sum of rates over tasks `[G]`."""
    episodes = EVALUATION_EPISODES * np.ones(len(totals))
    return proportion(Counts(EVALUATION_EPISODES * totals, tasks * episodes))
