"""What fixed eyes are given before training: what a random player sees."""

from __future__ import annotations

import numpy as np
import pytest

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.networks.convolution import COMPONENT_GAIN, distinct
from kerasmeta.tasks.base import RandomPlayer
from kerasmeta.tasks.play import play
from kerasmeta.training import adapting
from kerasmeta.training.config import RunConfig, TaskConfig
from kerasmeta.training.loop import make_agent

LOOKS = 600


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapting, "LOOKS", LOOKS)


def new_agent(seed: int = 0, image_encoder: str = "components") -> EpisodicAgent:
    run = RunConfig(
        task=TaskConfig(name="visual_harlow", parameters={"image_size": 8})
    ).with_overrides(
        [
            "agent.kind=lstm",
            "agent.units=4",
            "agent.critic_units=4",
            "agent.image_features=6",
            "agent.convolutions=[[4,3,2]]",
            f"agent.image_encoder={image_encoder}",
            f"seed={seed}",
        ]
    )
    return make_agent(run, tasks.make("visual_harlow", image_size=8))


def eyes(agent: EpisodicAgent) -> dict[str, np.ndarray]:
    return {
        name: variable.numpy()
        for name, variable in agent.named_weights().items()
        if "/convolution/" in name or "/features/" in name
    }


def test_features_are_components_of_what_a_random_player_sees() -> None:
    """In training's images, each counted once, however often it was seen."""
    task = tasks.make("visual_harlow", image_size=8)
    seen = play(task, RandomPlayer(task.action_spec), LOOKS // task.lifetime_steps, 0)
    images, _ = distinct(tf.constant(seen.observation["stimulus"]))
    for network in new_agent().networks:
        encoder = network.encoder.image
        encoder.dense.activation = lambda x: x
        features = encoder(images).numpy()
        np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=1e-4)
        assert features[:, 0].std() == pytest.approx(COMPONENT_GAIN, rel=1e-4)
        np.testing.assert_allclose(np.corrcoef(features.T), np.eye(6), atol=1e-3)


def test_the_same_seed_has_the_same_eyes_and_another_has_others() -> None:
    first, again, other = eyes(new_agent(3)), eyes(new_agent(3)), eyes(new_agent(4))
    assert first.keys() == again.keys() == other.keys()
    for name, weight in first.items():
        np.testing.assert_array_equal(weight, again[name])
    kernel = "actor/encoder/features/kernel"
    assert (first[kernel] != other[kernel]).any()


def test_eyes_that_learn_begin_as_they_were_drawn() -> None:
    drawn = eyes(new_agent(image_encoder="trained"))
    adapted = eyes(new_agent())
    for name, weight in drawn.items():
        same = np.array_equal(weight, adapted[name])
        assert same == ("/convolution/" in name), name
