"""A Gymnasium environment as a task to train on."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from kerasmeta._keras import tf, tf_agents
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Player, RandomPlayer, State, Task, TaskStep
from kerasmeta.tasks.gymnasium import ids, spaces
from kerasmeta.tasks.specs import discrete_actions, vector_observation
from kerasmeta.tasks.validation import check_count

# Of an environment that has no time limit, or a longer one.
LONGEST = 1000


def from_parameters(id: str, parameters: dict[str, Any]) -> GymnasiumTask:
    """The task of an id; parameters that are none of its fields are `arguments`."""
    own = {"collect_steps", "vectorization"} & parameters.keys()
    arguments = {k: v for k, v in parameters.items() if k not in own}
    return GymnasiumTask(id, arguments=arguments, **{k: parameters[k] for k in own})


@dataclasses.dataclass(frozen=True)
class GymnasiumTask(Task):
    """Any registered Gymnasium environment; one of its episodes is one lifetime.

    Its rules are Python, so it has no `reset` and `step` for a graph: lifetimes run in
    `environment(B)`, a Gymnasium vector environment. The agent sees a `stimulus` made
    of the observation (`kerasmeta.tasks.gymnasium.spaces`), a context of zeros, never
    stores, and an episode begins where a lifetime does.

    Attributes:
        id: `CartPole-v1`, or `module:Id-v0` to import a module first.
        collect_steps: Steps a row collects at a time; lifetimes follow each other in
            it, and the last one is cut off. By default the environment's time limit, so
            that the first lifetime of a row is whole; 1,000 where that is longer or
            there is none.
        vectorization: Whether environments run in this process ("sync") or in others.
        arguments: For `gymnasium.make`.

    Raises:
        UserError: The id is unknown, a package it needs is missing, it refuses its
            arguments, or it has observations or actions no agent here can live with.
    """

    id: str = "CartPole-v1"
    collect_steps: int | None = None
    vectorization: Literal["sync", "async"] = "sync"
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)

    paper: ClassVar[str] = (
        "Towers et al. (2024). Gymnasium: A Standard Interface for Reinforcement "
        "Learning Environments. arXiv:2407.17032."
    )

    def __post_init__(self) -> None:
        if self.collect_steps is not None:
            check_count("collect_steps", self.collect_steps)
        if self.vectorization not in ("sync", "async"):
            raise UserError(
                "vectorization", self.vectorization, "is not known", "use sync or async"
            )
        spaces.check_actions(self.action_space, self.id)
        spaces.stimulus_size(self.observation_space, self.id)

    def __hash__(self) -> int:  # arguments may hold what has no hash
        return hash((self.id, self.collect_steps, self.vectorization))

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.id

    @functools.cached_property
    def _made(self) -> tuple[gymnasium.Space[Any], gymnasium.Space[Any], Any]:
        """Spaces of observations and actions, and the `EnvSpec`, of a made one."""
        made = ids.make(self.id, self.arguments)
        made.close()
        return made.observation_space, made.action_space, made.spec

    @property
    def observation_space(self) -> Any:
        """Of one environment."""
        return self._made[0]

    @property
    def action_space(self) -> Any:
        """Of one environment."""
        return self._made[1]

    @property
    def time_limit(self) -> int | None:
        """After so many steps a lifetime is truncated; None: never."""
        return self._made[2].max_episode_steps

    @property
    def reward_threshold(self) -> float | None:
        """The return from which Gymnasium calls the environment solved, if it does."""
        return self._made[2].reward_threshold

    @property
    def observation_spec(self) -> dict[str, Any]:
        space = self.observation_space
        spec = vector_observation(spaces.stimulus_size(space, self.id))
        if spaces.is_image(space):
            spec["stimulus"] = tf.TensorSpec(space.shape, tf.uint8, "stimulus")
        return spec

    @property
    def action_spec(self) -> Any:
        space = self.action_space
        if isinstance(space, gymnasium.spaces.Discrete):
            return discrete_actions(int(space.n))
        bounds = spaces.agent_bounds(space)
        return tf_agents.specs.BoundedTensorSpec(
            bounds[0].shape, tf.float32, *bounds, name="action"
        )

    @property
    def lifetime_steps(self) -> int:
        return self.collect_steps or min(self.time_limit or LONGEST, LONGEST)

    @property
    def trials_per_lifetime(self) -> int:
        return 1  # nothing is known of trials, so a lifetime's reward is a trial's

    @property
    def contexts_per_lifetime(self) -> int:
        return 0

    def reset(self, batch_size: int, seed: Any) -> tuple[State, dict[str, Any]]:
        raise NotImplementedError("a Gymnasium environment runs in environment(B)")

    def step(self, state: State, action: Any, seed: Any) -> TaskStep:
        raise NotImplementedError("a Gymnasium environment runs in environment(B)")

    def players(self) -> dict[str, Player]:
        spec = self.action_spec
        if not spec.dtype.is_integer:  # of a Box without bounds, a part about 0
            bounds = np.maximum(spec.minimum, -1.0), np.minimum(spec.maximum, 1.0)
            spec = tf_agents.specs.BoundedTensorSpec(spec.shape, spec.dtype, *bounds)
        return {"random": RandomPlayer(spec)}

    def environment(self, batch_size: int) -> VectorEnv[Any, Any, Any]:
        """`B` environments side by side, with autoreset at the next step."""
        options: dict[str, Any] = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        if self.vectorization == "async":
            # TensorFlow's threads do not survive a fork.
            options["context"] = "forkserver"
        return gymnasium.make_vec(
            self.id,
            batch_size,
            self.vectorization,
            options,
            disable_env_checker=True,
            **self.arguments,
        )

    def stimulus(self, observation: Any) -> np.ndarray:
        """The agent's `stimulus` `[B, ...]` of a vector environment's observation."""
        return spaces.stimulus(self.observation_space, observation)

    def environment_actions(self, actions: np.ndarray) -> np.ndarray:
        """An agent's actions `[B, ...]` as a vector environment takes them."""
        return spaces.environment_actions(self.action_space, actions)
