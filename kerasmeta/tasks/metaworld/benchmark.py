"""The benchmarks' tasks and goals, as Meta-World itself draws and divides them."""

from __future__ import annotations

import functools
import importlib
from typing import Any, NamedTuple

from kerasmeta.errors import UserError
from kerasmeta.tasks.metaworld.names import Name
from kerasmeta.tasks.metaworld.schedule import GOALS


class Goals(NamedTuple):
    """One side of a benchmark: the goals of each of its tasks.

    `classes` are the environments' classes by task (`reach-v3`); `goals` are Meta-
    World's own `Task` records, 50 for each, in Meta-World's order.
    """

    classes: dict[str, Any]
    goals: dict[str, tuple[Any, ...]]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks' names, in the benchmark's order."""
        return tuple(self.classes)


def package() -> Any:
    """The module `metaworld`.

    Raises:
        UserError: It cannot be imported.
    """
    try:
        return importlib.import_module("metaworld")
    except ImportError as error:
        missing = (error.name or "").partition(".")[0] in ("metaworld", "mujoco")
        if missing:
            raise UserError(
                "task",
                "Meta-World",
                f"needs the package {error.name}, which is not installed",
                "install the extra: pip install 'kerasmeta[metaworld]'",
            ) from None
        raise _broken(error) from None
    except Exception as error:  # MuJoCo raises all sorts where MUJOCO_GL cannot be had
        raise _broken(error) from None


def _broken(error: Exception) -> UserError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return UserError(
        "task",
        "Meta-World",
        f"cannot be imported ({reason.rstrip('.')})",
        "unset MUJOCO_GL, or install the OpenGL library it names (EGL or OSMesa)",
    )


@functools.lru_cache(maxsize=4)
def more_goals(name: Name, seed: int, count: int) -> Goals:
    """The train side of a benchmark with more goals than Meta-World's 50.

    The others are those of the seeds seed + 2, seed + 3, ...; the test side of ML1 has
    goals of the seed + 1.

    Args:
        name: `kerasmeta.tasks.metaworld.names.parse`.
        seed: Meta-World's own, of the first 50.
        count: Of each task, a multiple of 50.
    """
    seeds = [seed, *range(seed + 2, seed + 1 + count // GOALS)]
    sides = [load(name, one)[0] for one in seeds]
    goals = {
        task: tuple(goal for side in sides for goal in side.goals[task])
        for task in sides[0].classes
    }
    return Goals(sides[0].classes, goals)


@functools.lru_cache(maxsize=64)
def load(name: Name, seed: int) -> tuple[Goals, Goals]:
    """The train and the test side of a benchmark.

    The goals are hidden from observations (`partially_observable`), as in every ML
    benchmark. Drawing them resets every task's simulator 50 times: one or two seconds
    for ML1, tens of seconds for ML10 and ML45.

    Args:
        name: `kerasmeta.tasks.metaworld.names.parse`.
        seed: Meta-World's own, of the goals.

    Raises:
        UserError: Meta-World is not installed or cannot be imported.
    """
    metaworld = package()
    benchmark = getattr(metaworld, name.benchmark)
    arguments = (name.task,) if name.task else ()
    drawn = benchmark(*arguments, seed=seed)
    return (
        _side(drawn.train_classes, drawn.train_tasks),
        _side(drawn.test_classes, drawn.test_tasks),
    )


def _side(classes: Any, tasks: list[Any]) -> Goals:
    goals = {
        name: tuple(task for task in tasks if task.env_name == name) for name in classes
    }
    return Goals(dict(classes), goals)
