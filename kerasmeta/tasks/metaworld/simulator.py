"""One simulated robot that lives lifetime after lifetime. No TensorFlow here.

A reset of Meta-World's environments lets the arm come to rest by 100 further steps of
the simulation, always the same for one goal. So only a goal's first episode is reset;
all others put the state back that this reset led to, bit for bit. (A reset takes as
long as 30 to 50 steps, a state put back less than one.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import mujoco
import numpy as np

# Meta-World's observation: 18 numbers now, the 18 of the step before, 3 of the hidden
# goal (zeros).
OBSERVATION = 39
ACTION = 4
# What resets write into a model, besides the state.
_PLACES = ("body_pos", "body_quat", "geom_pos", "geom_quat", "site_pos", "site_quat")
# Of an environment's attributes, these are objects with an identity.
_KEPT = ("model", "data", "mujoco_renderer")


class Snapshot(NamedTuple):
    """A simulator's state after a reset."""

    observation: np.ndarray  # [39]
    state: np.ndarray  # MuJoCo's, all that further steps depend on
    places: dict[str, np.ndarray]
    attributes: dict[str, Any]


def take(environment: Any, observation: np.ndarray) -> Snapshot:
    """The state of an environment that has just been reset."""
    attributes = {
        name: _own(value)
        for name, value in environment.__dict__.items()
        if name not in _KEPT
    }
    places = {name: getattr(environment.model, name).copy() for name in _PLACES}
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    state = np.empty(mujoco.mj_stateSize(environment.model, kind))
    mujoco.mj_getState(environment.model, environment.data, state, kind)
    return Snapshot(observation.copy(), state, places, attributes)


def put_back(environment: Any, snapshot: Snapshot) -> np.ndarray:
    """Brings an environment to a state it had; the observation `[39]`."""
    for name, values in snapshot.places.items():
        getattr(environment.model, name)[:] = values
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    mujoco.mj_setState(environment.model, environment.data, snapshot.state, kind)
    mujoco.mj_forward(environment.model, environment.data)
    # Forward dynamics warm-start the next ones: put that back too.
    mujoco.mj_setState(environment.model, environment.data, snapshot.state, kind)
    for name, value in snapshot.attributes.items():
        environment.__dict__[name] = _own(value)
    return snapshot.observation.copy()


def _own(value: Any) -> Any:
    """A copy of an array; a view into the simulation stays a view."""
    if isinstance(value, np.ndarray) and value.base is None:
        return value.copy()
    return value


class Simulator:
    """The environments of one row of a batch, and where its lifetime stands.

    Args:
        classes: The environments' classes by task.
        horizon: Steps of an episode.
    """

    def __init__(self, classes: dict[str, Any], horizon: int) -> None:
        self.classes = classes
        self.horizon = horizon
        self._environments: dict[str, Any] = {}
        self._snapshots: dict[Any, Snapshot] = {}  # by goal
        self._goals: list[Any] = []
        self._order: list[int] = []
        self._steps = 0

    @property
    def ended(self) -> bool:
        """Whether the lifetime is over."""
        return self._steps >= self.horizon * len(self._order)

    def begin(self, goals: list[Any], order: list[int]) -> np.ndarray:
        """Begins a lifetime: its first observation `[39]`.

        Args:
            goals: Meta-World's `Task` records.
            order: Which of them each episode has.
        """
        self._goals, self._order, self._steps = goals, order, 0
        names = {goal.env_name for goal in goals}
        self._environments = {
            name: self._environments.get(name) or self.classes[name]() for name in names
        }
        self._snapshots = {
            goal: taken
            for goal, taken in self._snapshots.items()
            if goal.env_name in names
        }
        return self._begin_episode()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool]:
        """(observation `[39]`, reward, whether the task is solved in this step).

        After an episode's last step the observation is the next one's first.
        """
        environment = self._environments[self._goal().env_name]
        observation, reward, _, _, info = environment.step(action)
        self._steps += 1
        if self._steps % self.horizon == 0 and not self.ended:
            observation = self._begin_episode()
        return observation, float(reward), bool(info["success"])

    def _goal(self) -> Any:
        return self._goals[self._order[self._steps // self.horizon]]

    def _begin_episode(self) -> np.ndarray:
        goal = self._goal()
        environment = self._environments[goal.env_name]
        if goal in self._snapshots:
            return put_back(environment, self._snapshots[goal])
        environment.set_task(goal)
        observation, _ = environment.reset()
        self._snapshots[goal] = take(environment, observation)
        return observation
