"""Environments: tasks as TF-Agents environments."""

from kerasmeta.environments.task_environment import TaskEnvironment

__all__ = ["TaskEnvironment"]
