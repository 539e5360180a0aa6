"""Environments: tasks as TF-Agents environments."""

from kerasmeta.environments.task_environment import (
    TaskEnvironment,
    join,
    part,
    take_turns,
)

__all__ = ["TaskEnvironment", "join", "part", "take_turns"]
