"""One simulated robot that lives lifetime after lifetime. No TensorFlow here.

A reset of Meta-World's environments lets the arm come to rest by 100 further steps of
the simulation, always the same for one goal. So a goal is reset to once; after that the
state to which this led is put back, bit for bit, in whichever environment of the same
class. (A reset takes as long as 50 steps, a state put back less than one.)
"""

from __future__ import annotations

import functools
import sys
from typing import Any, NamedTuple

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

# Meta-World's observation: 18 numbers now, the 18 of the step before, 3 of the hidden
# goal (zeros).
OBSERVATION = 39
ACTION = 4
# What resets write into a model, besides the state.
_PLACES = ("body_pos", "body_quat", "geom_pos", "geom_quat", "site_pos", "site_quat")
# Attributes that are values. Others are views into the simulation, or objects whose
# identity matters: an environment keeps its own.
_VALUES = (bool, int, float, np.generic)


class Snapshot(NamedTuple):
    """A simulator's state after a reset."""

    observation: np.ndarray  # [39]
    state: np.ndarray  # MuJoCo's, all that further steps depend on
    places: dict[str, np.ndarray]
    values: dict[str, Any]  # of the environment's attributes


def take(environment: Any, observation: np.ndarray) -> Snapshot:
    """The state of an environment that has just been reset."""
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    state = np.empty(mujoco.mj_stateSize(environment.model, kind))
    mujoco.mj_getState(environment.model, environment.data, state, kind)
    places = {name: getattr(environment.model, name).copy() for name in _PLACES}
    values = {k: _copy(v) for k, v in vars(environment).items() if _is_value(v)}
    return Snapshot(observation.copy(), state, places, values)


def put_back(environment: Any, snapshot: Snapshot) -> np.ndarray:
    """Brings an environment that was reset before to a state; `[39]`, what it shows."""
    for name, values in snapshot.places.items():
        getattr(environment.model, name)[:] = values
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    mujoco.mj_setState(environment.model, environment.data, snapshot.state, kind)
    mujoco.mj_forward(environment.model, environment.data)
    # Forward dynamics warm-start the next ones: put that back too.
    mujoco.mj_setState(environment.model, environment.data, snapshot.state, kind)
    for name, value in snapshot.values.items():
        vars(environment)[name] = _copy(value)
    return snapshot.observation.copy()


def _is_value(value: Any) -> bool:
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    if isinstance(value, np.ndarray):
        return value.base is None  # MuJoCo's arrays lie in the simulation
    return value is None or isinstance(value, _VALUES)


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


class Simulator:
    """The environments of one row of a batch, and where its lifetime stands.

    Args:
        classes: The environments' classes by task.
        horizon: Steps of an episode.
        snapshots: By goal, shared with other rows' simulators.
    """

    def __init__(
        self,
        classes: dict[str, Any],
        horizon: int,
        snapshots: dict[Any, Snapshot] | None = None,
    ) -> None:
        self.classes = classes
        self.horizon = horizon
        self._environments: dict[str, Any] = {}
        self._snapshots = {} if snapshots is None else snapshots
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
        kept = self._environments.items()
        self._environments = {name: made for name, made in kept if name in names}
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
        environment = self._environments.get(goal.env_name)
        if environment is not None and goal in self._snapshots:
            return put_back(environment, self._snapshots[goal])
        if environment is None:
            environment = self.classes[goal.env_name]()
            self._environments[goal.env_name] = environment
        environment.set_task(goal)
        observation, _ = environment.reset()
        self._snapshots[goal] = take(environment, observation)
        return observation


def without_checks(made: Any) -> Any:
    """The same class of environments, whose rotations are not checked to be such.

    SciPy finds out whether a matrix is a rotation before it makes a quaternion of it,
    which takes a third of a step. MuJoCo's always are.
    """
    module = sys.modules[made.__module__]
    if getattr(module, "Rotation", None) is Rotation:
        module.Rotation = _Unchecked  # type: ignore[attr-defined]
    return made


class _Unchecked:
    """What Meta-World asks of SciPy's `Rotation`."""

    from_matrix = staticmethod(
        functools.partial(Rotation.from_matrix, assume_valid=True)
    )
