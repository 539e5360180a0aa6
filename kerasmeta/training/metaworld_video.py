"""A video of an agent that adapts to one goal of Meta-World."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kerasmeta.agents import EpisodicAgent
from kerasmeta.errors import UserError
from kerasmeta.tasks.metaworld import benchmark
from kerasmeta.tasks.metaworld.task import MetaWorld
from kerasmeta.training.metaworld_evaluation import MetaLearner

EVERY = 4  # steps between pictures; 80 steps are a second
PAUSE_MS = 50
CAMERA = "corner2"
SIZE = 240  # pixels


def write_video(
    agent: EpisodicAgent, task: MetaWorld, path: Path, seed: int = 0, episodes: int = 2
) -> int:
    """Writes an animated GIF of the first episodes with one goal; returns its pictures.

    Args:
        agent: The agent.
        task: The family; its first task and a goal of its split are shown.
        path: Where to.
        seed: Of the goal and the actions.
        episodes: How many of them.

    Raises:
        UserError: MuJoCo has no OpenGL to render with, or the file cannot be written.
    """
    goals = task.goals()
    name = goals.tasks[0]
    environment = _environment(_maker(goals, name))
    environment.set_task(goals.goals[name][seed % len(goals.goals[name])])
    learner = MetaLearner(agent, 1, seed)
    learner.init()
    pictures: list[np.ndarray] = []
    for _ in range(episodes):
        pictures += _episode(environment, learner, task)
    environment.close()
    _write(path, pictures)
    return len(pictures)


def _maker(goals: benchmark.Goals, name: str) -> Any:
    """The class of a task's environments."""
    return goals.classes[name]


def _environment(made: Any) -> Any:
    """An environment that renders.

    Raises:
        UserError: It cannot.
    """
    try:
        environment = made(
            render_mode="rgb_array", camera_name=CAMERA, width=SIZE, height=SIZE
        )
        environment.render()
    except Exception as error:  # OpenGL's libraries raise all sorts
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            "--render",
            "MuJoCo",
            f"cannot draw here ({reason.rstrip('.')[:120]})",
            "install OSMesa or EGL, and set MUJOCO_GL=osmesa or MUJOCO_GL=egl",
        ) from None
    return environment


def _episode(
    environment: Any, learner: MetaLearner, task: MetaWorld
) -> list[np.ndarray]:
    """One episode's pictures, `[SIZE, SIZE, 3]` uint8 each."""
    from metaworld.evaluation import Timestep

    observation, _ = environment.reset()
    past, pictures = np.zeros(6), []
    for step in range(task.horizon):
        seen = np.concatenate([observation, past])[None]
        action = learner.adapt_action(seen)[0][0]
        following, reward, _, _, info = environment.step(action)
        ended = np.array([step == task.horizon - 1])
        told = observation, action, np.array([reward]), np.array([False]), ended
        learner.step(Timestep(*told, {}))
        past = np.concatenate([action, [task.shown(reward, info["success"]), 0.0]])
        observation = following
        if step % EVERY == 0:
            pictures.append(environment.render())
    return pictures


def _write(path: Path, pictures: list[np.ndarray]) -> None:
    from PIL import Image

    frames = [Image.fromarray(picture) for picture in pictures]
    try:
        frames[0].save(
            path,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=PAUSE_MS,
            loop=0,
        )
    except OSError as error:
        raise UserError(
            "--render",
            str(path),
            f"cannot be written ({error.strerror})",
            "choose another file",
        ) from None
