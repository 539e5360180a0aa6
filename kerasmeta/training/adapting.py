"""What an agent's eyes are given before anything is learnt."""

from __future__ import annotations

from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.networks.convolution import distinct
from kerasmeta.tasks.base import RandomPlayer, Task
from kerasmeta.tasks.play import play

LOOKS = 20_000  # of a random player, at what its features are the components of


def adapt_eyes(agent: EpisodicAgent, task: Task, seed: int) -> None:
    """Lets the fixed image encoders of an agent find their features.

    What a random player sees is what they are found in. Does nothing where encoders are
    trained, or where there is none.

    Args:
        agent: Whose encoders.
        task: What it will be trained on.
        seed: Of the player's lifetimes.
    """
    encoders = [network.encoder.image for network in agent.networks]
    fixed = [encoder for encoder in encoders if encoder is not None and encoder.fixed]
    if not fixed:
        return
    lifetimes = -(-LOOKS // task.lifetime_steps)
    seen = play(task, RandomPlayer(task.action_spec), lifetimes, seed)
    images, _ = distinct(tf.constant(seen.observation["stimulus"]))
    for encoder in fixed:
        encoder.adapt(images)
