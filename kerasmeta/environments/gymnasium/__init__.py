"""Gymnasium both ways: our tasks for its agents, its environments for ours."""

from kerasmeta.environments.gymnasium.task_env import TaskEnv, TaskVectorEnv

__all__ = ["TaskEnv", "TaskVectorEnv"]
