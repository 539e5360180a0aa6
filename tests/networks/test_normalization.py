"""Running moments against NumPy; constant in an update; kept wherever weights are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.updates import FEW, new_trainer

from export import export_agent
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent, storage
from kerasmeta.networks.normalization import (
    ObservationNormalizer,
    RunningMoments,
    ValueScale,
)

NORMAL = {"kind": "lstm", "normalize": True}
CHEAP = {**FEW, "critic_passes": 1, "critic_minibatches": 1}


def batches(rng: np.random.Generator, count: int) -> list[tuple[Any, Any]]:
    """Vectors `[B, T, 3]` far from mean 0 and variance 1, and masks `[B, T]`."""
    scale, shift = np.array([1.0, 30.0, 0.1]), np.array([0.0, -200.0, 5.0])
    made = []
    for n in range(count):
        x = rng.normal(size=(4, 5 + n, 3)) * scale * (1 + n) + shift + n
        made.append((x.astype(np.float32), rng.random((4, 5 + n)) < 0.7))
    return made


def learnt(moments: RunningMoments, parts: list[tuple[Any, Any]]) -> RunningMoments:
    for x, mask in parts:
        moments.update(tf.constant(x, tf.float32), tf.constant(mask, tf.float32))
    return moments


def test_moments_are_those_of_everything_seen(rng: np.random.Generator) -> None:
    parts = batches(rng, 6)
    moments = learnt(RunningMoments(3), parts)
    seen = np.concatenate([x[mask] for x, mask in parts]).astype(np.float64)
    assert float(moments.count) == len(seen)
    np.testing.assert_allclose(moments.mean, seen.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(moments.variance, seen.var(axis=0), rtol=1e-4)
    x = parts[0][0]
    expected = (x - seen.mean(axis=0)) / np.sqrt(seen.var(axis=0) + 1e-6)
    np.testing.assert_allclose(moments(x), expected, atol=1e-4)


def test_what_lies_far_out_is_cut_off_and_nothing_is_divided_by_zero() -> None:
    moments = learnt(RunningMoments(1), [(np.full([2, 3, 1], 4.0), np.ones([2, 3]))])
    found = moments(tf.constant([[4.0], [4.001], [5.0], [-5.0]]))[:, 0]
    np.testing.assert_allclose(found, [0.0, 1.0, 10.0, -10.0], atol=1e-3)


def test_before_anything_is_seen_nothing_changes(rng: np.random.Generator) -> None:
    """The limit case: mean 0, variance 1."""
    x = rng.normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(RunningMoments(3)(x), x, rtol=1e-5)
    plain, normal = (
        EpisodicAgent(
            agents.observation_spec(), agents.action_spec(), agents.config(**options)
        )
        for options in ({"kind": "lstm"}, NORMAL)
    )
    observation = agents.at(agents.observations(rng, 4, 1), 0)
    one, other = (a.step(observation, a.initial_state(4)) for a in (plain, normal))
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-5)
    np.testing.assert_allclose(one.value, other.value, atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_batch_that_is_not_finite_or_empty_changes_nothing(
    bad: float, rng: np.random.Generator
) -> None:
    moments, scale = learnt(RunningMoments(3), batches(rng, 1)), ValueScale()
    scale.update(tf.constant([[1.0, 5.0]]), tf.ones([1, 2]))
    before = [w.numpy() for layer in (moments, scale) for w in layer.weights]
    x = np.ones([2, 2, 3], np.float32)
    moments.update(tf.constant(x), tf.zeros([2, 2]))
    x[1, 1, 2] = bad
    moments.update(tf.constant(x), tf.ones([2, 2]))
    scale.update(tf.constant(x[..., 2]), tf.ones([2, 2]))
    after = [w.numpy() for layer in (moments, scale) for w in layer.weights]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_images_are_left_as_they_are() -> None:
    spec = {"stimulus": tf.TensorSpec([4, 4, 3], tf.uint8)}
    layer = ObservationNormalizer(spec)
    assert set(layer.parts) == {"previous_reward"}
    image = tf.cast(tf.ones([2, 4, 4, 3]), tf.uint8)
    seen = layer({"stimulus": image, "previous_reward": tf.constant([1.0, 2.0])})
    assert seen["stimulus"] is image


def test_returns_scale_the_critics_values() -> None:
    """Closed form: mean 3 and deviation 2 of the returns that count."""
    scale = ValueScale()
    scale.update(tf.constant([[1.0, 5.0, 1e9]]), tf.constant([[1.0, 1.0, 0.0]]))
    np.testing.assert_allclose(scale(tf.constant([0.0, 1.0, -1.0])), [3.0, 5.0, 1.0])
    scale.update(tf.constant([[7.0, 7.0]]), tf.ones([1, 2]))
    np.testing.assert_allclose(scale(tf.constant([1.0])), [7.001])


class TestUpdate:
    """TRPO updates with normalisation."""

    @pytest.mark.parametrize("continuous", [False, True])
    def test_constants_hold_while_updating_and_move_after(
        self, continuous: bool, rng: np.random.Generator
    ) -> None:
        trainer = new_trainer(continuous, agent=NORMAL, **CHEAP)
        reset(trainer.agent)
        far = agents.observations(rng, 4, 8, continuous)
        far["stimulus"] = 50.0 + 9.0 * far["stimulus"]
        for network in trainer.agent.networks:
            learnt_before(network, far)
        experience = agents.experience(trainer.agent, rng)
        batch, _ = trainer._prepare(experience)
        total = tf.reduce_sum(batch.valid)
        assert abs(float(trainer.derivatives.trial(batch, total)[1])) < 1e-6
        old = trainer.agent.actor.encoder.normalizer.parts["stimulus"].count.numpy()
        trainer.train(experience)
        for network in trainer.agent.networks:
            moments = network.encoder.normalizer.parts["stimulus"]
            assert float(moments.count) == old + float(total)
        assert abs(float(trainer.derivatives.trial(batch, total)[1])) > 1e-3

    def test_the_last_step_is_to_learn_the_observations(
        self, rng: np.random.Generator
    ) -> None:
        trainer = new_trainer(agent=NORMAL, **CHEAP)
        reset(trainer.agent)
        experience = agents.experience(trainer.agent, rng)
        valid = trainer._prepare(experience)[0].valid.numpy() > 0
        trainer.train(experience)
        parts = trainer.agent.critic.encoder.normalizer.parts
        for key, moments in parts.items():
            seen = experience.observation[key].numpy()[valid].reshape(valid.sum(), -1)
            np.testing.assert_allclose(moments.mean, seen.mean(axis=0), atol=1e-5)
            np.testing.assert_allclose(moments.variance, seen.var(axis=0), rtol=1e-4)

    def test_no_gradient_reaches_the_constants(self) -> None:
        trainer = new_trainer(agent=NORMAL)
        names = {id(v): k for k, v in trainer.agent.named_weights().items()}
        trained = [*trainer.actor_variables, *trainer.critic_variables]
        assert not [
            names[id(v)] for v in trained if "normal" in names[id(v)] or "scale/" in
            names[id(v)]
        ]  # fmt: skip


class TestKept:
    """In weights.safetensors, in checkpoints and in a SavedModel."""

    @pytest.fixture
    def agent(self, rng: np.random.Generator) -> EpisodicAgent:
        return trained_agent(rng)

    def test_in_the_weights(self, agent: EpisodicAgent, tmp_path: Path) -> None:
        names = set(agent.named_weights())
        for network in ("actor", "critic"):
            for key in ("stimulus", "previous_reward"):
                for name in ("mean", "variance", "count"):
                    assert f"{network}/encoder/normalizer/{key}/{name}" in names
        assert {"critic/value_scale/mean", "critic/value_scale/deviation"} <= names
        storage.save_weights(agent, tmp_path / "weights.safetensors")
        loaded = storage.build(storage.describe(agent))
        storage.load_weights(loaded, tmp_path / "weights.safetensors")
        for name, variable in loaded.named_weights().items():
            np.testing.assert_array_equal(variable, agent.named_weights()[name])

    def test_in_a_checkpoint(self, agent: EpisodicAgent, tmp_path: Path) -> None:
        saved = tf.train.Checkpoint(actor=agent.actor, critic=agent.critic)
        path = saved.save(str(tmp_path / "ckpt"))
        other = EpisodicAgent(agent.observation_spec, agent.action_spec, agent.config)
        restored = tf.train.Checkpoint(actor=other.actor, critic=other.critic)
        restored.restore(path).assert_existing_objects_matched()
        for name, variable in other.named_weights().items():
            np.testing.assert_array_equal(variable, agent.named_weights()[name])

    def test_in_an_export(
        self, agent: EpisodicAgent, rng: np.random.Generator, tmp_path: Path
    ) -> None:
        model = tf.saved_model.load(str(export_agent(agent, tmp_path / "model")))
        observation = agents.at(agents.observations(rng, 3, 1), 0)
        observation["stimulus"] = 50.0 + 9.0 * observation["stimulus"]
        begin, step = (model.signatures[name] for name in ("initial_state", "step"))
        state = begin(seed=tf.constant([[0, 0], [0, 1], [0, 2]]))
        served = step(**{k: tf.constant(v) for k, v in observation.items()}, **state)
        live = agent.step(observation, agent.initial_state(3))
        np.testing.assert_allclose(served["logits"], live.logits, atol=1e-6)
        np.testing.assert_allclose(served["value"], live.value, rtol=1e-5)
        reset(agent)  # a planted defect: constants that were not kept
        live = agent.step(observation, agent.initial_state(3))
        assert np.abs(served["logits"] - live.logits).max() > 1e-2


def trained_agent(rng: np.random.Generator) -> EpisodicAgent:
    """An agent whose constants matter."""
    specs = agents.observation_spec(), agents.action_spec()
    agent = EpisodicAgent(*specs, agents.config(**NORMAL))
    agents.shake(agent.variables)
    reset(agent)
    seen = agents.observations(rng, 20, 10)
    seen["stimulus"] = 50.0 + 9.0 * seen["stimulus"]
    for network in agent.networks:
        learnt_before(network, seen)
    agent.critic.value_scale.update(tf.constant([[-80.0, -20.0]]), tf.ones([1, 2]))
    return agent


def learnt_before(network: Any, observation: dict[str, Any]) -> None:
    tensors = {key: tf.constant(value) for key, value in observation.items()}
    network.encoder.normalizer.update(tensors, tf.ones(observation["store"].shape))


def reset(agent: EpisodicAgent) -> None:
    """As if nothing had been seen."""
    for name, variable in agent.named_weights().items():
        if "/normalizer/" in name or "/value_scale/" in name:
            one = name.endswith(("variance", "deviation"))
            variable.assign(tf.ones_like(variable) if one else tf.zeros_like(variable))
