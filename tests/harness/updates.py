"""Small TRPO trainers for tests, and what an update changed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from harness import agents

from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents import EpisodicAgent, TRPOAgent, TRPOConfig, trpo
from kerasmeta.groups import SumOverWorkers, alone
from kerasmeta.training.collect import TRAINING_STREAM
from kerasmeta.training.loop import Trainer

# Fisher products are dear where nothing is compiled, and few do where what conjugate
# gradients solve is not the point.
FEW = {"cg_iterations": 3}


def new_trainer(
    continuous: bool = False,
    agent: dict[str, Any] | None = None,
    frozen: Collection[str] = (),
    total_of: SumOverWorkers = alone,
    updates: int | None = None,
    **settings: Any,
) -> TRPOAgent:
    """A trainer of a small agent whose weights all matter."""
    spec = agents.observation_spec(continuous), agents.action_spec(continuous)
    trained = EpisodicAgent(*spec, agents.config(**(agent or {})))
    agents.shake(trained.variables)
    return TRPOAgent(
        tf_agents.trajectories.time_step_spec(spec[0]),
        spec[1],
        trained,
        TRPOConfig(**settings),
        tf.Variable(0, dtype=tf.int64),
        updates=updates,
        frozen=frozen,
        total_of=total_of,
    )


class Update:
    """A trainer and its update, which runs eagerly: tracing costs more than it saves.

    `compiled` wraps the update once, in `tf.function`.
    """

    def __init__(self, compiled: Callable[..., Any] | None = None, **arguments: Any):
        self.trainer = new_trainer(**arguments)
        self.step = self.trainer.train
        if compiled is not None:
            self.step = compiled(self.step)

    def __call__(self, experience: Any) -> trpo.TRPOExtra:
        """One update; the report as Python numbers."""
        extra = self.step(experience).extra
        return trpo.TRPOExtra(*[float(value) for value in extra])


def collected(trainer: Trainer) -> Any:
    """A run's first lifetimes, lived step by step: compiling is dear for one batch."""
    driver = trainer.collector.driver
    compiled, driver._begin = driver._begin, driver.new_lifetimes
    experience = trainer.collector.collect(0, tf.constant(0), TRAINING_STREAM)
    driver._begin = compiled
    return experience


def all_variables(trainer: TRPOAgent) -> list[Any]:
    """All that an update may change, but the counter: the policy's weights first."""
    critic = [*trainer.critic_variables, *trainer.critic_optimizer.variables]
    return [*trainer.actor_variables, *critic]


def values_of(variables: list[Any]) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


def everything(trainer: TRPOAgent) -> list[np.ndarray]:
    """The values of `all_variables`."""
    return values_of(all_variables(trainer))


def flat(arrays: list[np.ndarray]) -> np.ndarray:
    """All numbers in one vector."""
    return np.concatenate([array.ravel() for array in arrays])


def assert_equal(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    """Bit for bit."""
    for x, y in zip(one, other, strict=True):
        assert x.tobytes() == y.tobytes()


def unrolled(trainer: TRPOAgent, experience: Any) -> tuple[Any, Any]:
    """Parameters and values `[B, T, ...]` of the networks as they are."""
    inputs = dict(experience.observation)
    if trainer.agent.config.has_memory:
        inputs["memory"] = experience.policy_info["memory"]
    reset = experience.is_first()
    if trainer.agent.config.clear_lstm_at_episode:
        reset |= inputs["episode_start"]
    actor, critic = trainer.agent.networks
    rows = reset.shape[0]
    return (
        actor.unroll(inputs, reset, actor.zero_state(rows))[0],
        critic.unroll(inputs, reset, critic.zero_state(rows))[0],
    )


def valid_by_hand(rows: tuple[str, ...] = agents.WHOLE) -> np.ndarray:
    """False at LAST, whose action is ignored. `[B, T]`."""
    return np.array([[letter != "L" for letter in row[:-1]] for row in rows])
