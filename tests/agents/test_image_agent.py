"""Agents that see images: what they take, how they learn, and how they are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.updates import FEW, unrolled, values_of

from kerasmeta import UserError
from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents import EpisodicAgent, TRPOAgent, TRPOConfig, storage
from kerasmeta.agents.trust_region import gauss_newton_product
from kerasmeta.layers import EpLSTMCell, LSTMState, ep_lstm_scan
from kerasmeta.layers.scan import simple_scan
from kerasmeta.networks import Categorical
from kerasmeta.networks.convolution import ImageEncoder

B, SIZE = 3, 6
SEES = {"convolutions": ((2, 3, 2), (3, 2, 1)), "image_features": 4}


def make_agent(kind: str = "ep_lstm", **changes: Any) -> EpisodicAgent:
    spec = agents.observation_spec(image=SIZE), agents.action_spec()
    agent = EpisodicAgent(*spec, agents.config(kind=kind, **{**SEES, **changes}))
    agents.shake(agent.variables)
    return agent


def at_first(agent: EpisodicAgent) -> dict[str, np.ndarray]:
    """Observations of a lifetime's first step."""
    rng = np.random.default_rng(1)
    return agents.at(agents.observations(rng, B, 1, image=SIZE), 0)


class SeeingPolicy:
    """Convolutions, an epLSTM and a head in float64, for explicit Jacobians."""

    T, B, H = 4, 2, 2

    def __init__(self, rng: np.random.Generator) -> None:
        pool = rng.integers(0, 256, [3, SIZE, SIZE, 3]).astype(np.uint8)
        self.images = tf.constant(pool[rng.integers(0, 3, [self.B, self.T])])
        self.encoder = ImageEncoder(((2, 3, 2), (3, 2, 1)), 3, seed=1, dtype="float64")
        self.cell = EpLSTMCell(self.H, seed=1, dtype="float64")
        self.memory = tf.constant(rng.normal(size=(self.T, self.B, self.H)))
        self.reset = tf.constant(rng.random([self.T, self.B]) < 0.3)
        self.weight = tf.constant(rng.random([self.T, self.B, 1]))
        self.cell.build([(self.T, self.B, 3)])
        self.head = tf.Variable(rng.normal(size=(self.H, 2)))
        self.encoder(self.images)
        agents.shake(self.encoder.variables)
        self.variables = [
            *self.encoder.trainable_variables,
            *self.cell.trainable_variables,
            self.head,
        ]

    def outputs(self, encode: Any, scan: Any) -> Any:
        zeros = tf.zeros([self.B, self.H], tf.float64)
        features = tf.transpose(encode(self.images), [1, 0, 2])  # [T, B, 3]
        hidden, _ = scan(
            self.cell.project(features),
            self.memory,
            self.reset,
            LSTMState(zeros, zeros),
            self.cell.recurrent_kernel,
        )
        return tf.tensordot(hidden, self.head, axes=1)  # [T, B, P]

    def one_by_one(self, images: Any) -> Any:
        """Encodes every appearance of an image."""
        steps = [self.encoder(images[:, t]) for t in range(self.T)]
        return tf.stack(steps, axis=1)

    def metric(self, outputs: Any, tangent: Any) -> Any:
        return self.weight * Categorical(2).fisher_metric(outputs, tangent)

    def explicit(self) -> np.ndarray:
        """J^T M J, from the Jacobian of the plain computation."""
        with tf.GradientTape(persistent=True) as tape:
            outputs = tf.reshape(self.outputs(self.one_by_one, simple_scan), [-1])
        blocks = tape.jacobian(outputs, self.variables, experimental_use_pfor=False)
        count, shape = outputs.shape[0], [self.T, self.B, -1]
        jacobian = np.concatenate([tf.reshape(b, [count, -1]) for b in blocks], axis=1)
        columns = [
            tf.reshape(
                self.metric(tf.reshape(outputs, shape), tf.reshape(unit, shape)), [-1]
            )
            for unit in tf.eye(count, dtype=tf.float64)
        ]
        return jacobian.T @ np.stack(columns, axis=1) @ jacobian

    def product(self) -> Any:
        """v -> J^T M J v, through distinct images and the hand-written scan."""
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape(persistent=True) as tape:
                outputs = self.outputs(self.encoder, ep_lstm_scan)
            cotangent = tf.zeros_like(outputs)
            outer.watch(cotangent)
            adjoint = tape.gradient(outputs, self.variables, output_gradients=cotangent)
        return gauss_newton_product(
            outputs,
            self.variables,
            tape,
            adjoint,
            outer,
            cotangent,
            lambda tangent: self.metric(tf.stop_gradient(outputs), tangent),
        )


def test_fisher_product_through_convolutions_equals_the_explicit_matrix() -> None:
    policy = SeeingPolicy(np.random.default_rng(6))
    expected = policy.explicit()
    product = policy.product()
    vectors = np.random.default_rng(7).normal(size=(6, len(expected)))
    found = np.stack([product(tf.constant(vector)) for vector in vectors])
    error = np.linalg.norm(found - vectors @ expected, axis=1)
    assert (error <= 1e-8 * np.linalg.norm(vectors @ expected, axis=1)).all()
    seeing = sum(int(np.prod(v.shape)) for v in policy.encoder.trainable_variables)
    assert np.abs(expected[:seeing, :seeing]).max() > 1e-3  # vision has a part in it


def make_trainer(
    agent: EpisodicAgent, jit_compile: bool = False, **settings: Any
) -> TRPOAgent:
    return TRPOAgent(
        tf_agents.trajectories.time_step_spec(agent.observation_spec),
        agent.action_spec,
        agent,
        TRPOConfig(**settings),
        tf.Variable(0, dtype=tf.int64),
        jit_compile=jit_compile,
    )


def test_an_update_improves_the_surrogate(rng: np.random.Generator) -> None:
    agent = make_agent()
    trainer = make_trainer(agent, **FEW, critic_passes=1)
    experience = agents.experience(agent, rng)
    names = list(agent.named_weights())
    before = values_of(list(agent.named_weights().values()))
    extra = trainer.train(experience).extra
    parameters, _ = unrolled(trainer, experience)
    old = experience.policy_info["parameters"]
    assert extra.step_accepted == 1
    assert extra.surrogate > 0.01
    assert 0.001 < extra.kl <= trainer.trpo.delta
    assert np.abs(parameters - old).max() > 0.01
    after = values_of(list(agent.named_weights().values()))
    for name, x, y in zip(names, before, after, strict=True):
        assert (x != y).any(), name


def test_an_update_leaves_fixed_eyes_as_they_are(rng: np.random.Generator) -> None:
    agent = make_agent(image_encoder="components")
    trainer = make_trainer(agent, **FEW, critic_passes=1)
    experience = agents.experience(agent, rng)
    named = agent.named_weights()
    before = {name: variable.numpy() for name, variable in named.items()}
    extra = trainer.train(experience).extra
    assert extra.step_accepted == 1
    changed = {name for name in named if (named[name].numpy() != before[name]).any()}
    eyes = {n for n in named if "/convolution/" in n or "/features/" in n}
    assert len(eyes) == 2 * 6  # actor's and critic's
    assert changed == set(named) - eyes


@pytest.mark.slow
def test_compiled_by_xla_it_is_the_same_update(rng: np.random.Generator) -> None:
    """With eyes that learn: fixed ones have no gradient, and less is compiled."""
    reports, weights = [], []
    experience = agents.experience(make_agent(), rng)
    for jit_compile in (False, True):
        agent = make_agent()
        trainer = make_trainer(agent, jit_compile)
        extra = tf.function(trainer.train, autograph=False)(experience).extra
        reports.append([float(value) for value in extra])
        weights.append(np.concatenate([v.numpy().ravel() for v in agent.variables]))
    np.testing.assert_allclose(*reports, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(*weights, rtol=0, atol=1e-4)


def test_steps_take_bytes_and_nothing_else() -> None:
    agent = make_agent()
    observation = at_first(agent)
    state = agent.initial_state(B)
    expected = agent.step(observation, state).logits
    as_numbers = observation["stimulus"].astype(np.float64)
    same = agent.step({**observation, "stimulus": as_numbers}, state).logits
    np.testing.assert_array_equal(same, expected)
    for wrong, message in (
        (as_numbers / 255, r"is no uint8; give whole values"),
        (as_numbers + 300, r"is no uint8; give whole values"),
        (as_numbers[:, :5], r"wrong shape .* give \(3, 6, 6, 3\)"),
        (tf.constant(as_numbers, tf.float32), r"wrong type; give uint8"),
    ):
        with pytest.raises(UserError, match=message):
            agent.step({**observation, "stimulus": wrong}, state)


def test_images_of_other_types_are_refused() -> None:
    spec = agents.observation_spec(image=SIZE)
    for dtype, shape in ((tf.float32, [6, 6, 3]), (tf.uint8, [6, None, 3])):
        changed = {**spec, "stimulus": tf.TensorSpec(shape, dtype)}
        with pytest.raises(UserError, match=r"'stimulus'.* give uint8 of rank 3"):
            EpisodicAgent(changed, agents.action_spec(), agents.config(**SEES))


def test_weights_and_description_rebuild_the_agent(tmp_path: Any) -> None:
    agent = make_agent()
    observation, state = at_first(agent), agent.initial_state(B)
    storage.save_weights(agent, tmp_path / "w.safetensors")
    again = storage.build(storage.describe(agent))
    storage.load_weights(again, tmp_path / "w.safetensors")
    agents.assert_same(again.step(observation, state), agent.step(observation, state))
    assert again.config == agent.config
