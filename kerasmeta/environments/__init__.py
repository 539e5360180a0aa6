"""Environments: tasks as TF-Agents environments."""

from kerasmeta.environments.task_environment import TaskEnvironment, join, part

__all__ = ["TaskEnvironment", "join", "part"]
