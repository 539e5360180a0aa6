"""Actor and critic: one step = the scan, what they see, and where weights come from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents
from pydantic import ValidationError

from kerasmeta._keras import tf
from kerasmeta.layers import LSTMState
from kerasmeta.networks import (
    ActorNetwork,
    AgentConfig,
    CriticNetwork,
    MemoryConfig,
    RecurrentNetwork,
)

B, T = 3, 6
KINDS = pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
PARTS = slice(None, agents.ACTIONS), slice(agents.ACTIONS, None)  # mean, log σ
NETWORKS = pytest.mark.parametrize("network_class", [ActorNetwork, CriticNetwork])


def build(
    network_class: Any, continuous: bool = False, **changes: Any
) -> RecurrentNetwork:
    """A network with weights that all matter."""
    network = network_class(
        agents.observation_spec(continuous),
        agents.action_spec(continuous),
        agents.config(**changes),
    )
    network(agents.at(some_inputs(continuous), 0))
    agents.shake(network.variables)
    return network


def some_inputs(continuous: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    inputs = agents.observations(rng, B, T, continuous)
    inputs["memory"] = rng.normal(size=(B, T, agents.UNITS)).astype(np.float32)
    return tf.nest.map_structure(tf.constant, inputs)


@NETWORKS
@KINDS
@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("layers", [(), (4, 3)])
def test_stepping_equals_unrolling(
    network_class: Any, kind: str, continuous: bool, layers: tuple[int, ...]
) -> None:
    network = build(
        network_class, continuous, kind=kind, encoder=layers, critic_encoder=layers
    )
    inputs = some_inputs(continuous)
    step_type = np.ones([B, T], np.int32)
    step_type[[0, 1], [0, 3]] = 0  # FIRST clears the state of these rows
    start = LSTMState(*[tf.ones([B, network.cell.units])] * 2)
    whole, last = network(inputs, tf.constant(step_type), start)
    state = start
    for t in range(T):
        output, state = network(
            agents.at(inputs, t), tf.constant(step_type[:, t]), state
        )
        np.testing.assert_allclose(output, whole[:, t], rtol=0, atol=1e-5)
    for one, other in zip(state, last, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
    assert np.ptp(whole.numpy()) > 0.1


@NETWORKS
def test_a_missing_state_is_a_zero_state(network_class: Any) -> None:
    network, inputs = build(network_class), some_inputs()
    expected = network.unroll(inputs, tf.zeros([B, T], tf.bool), network.zero_state(B))
    found = network(inputs)
    tf.nest.map_structure(np.testing.assert_array_equal, found, expected)


@NETWORKS
@KINDS
def test_what_a_network_sees(network_class: Any, kind: str) -> None:
    """Not the context (the key) nor the flags; memory where there is one."""
    network, inputs = build(network_class, kind=kind), some_inputs()
    before, _ = network(inputs)

    def changes(key: str) -> bool:
        value = inputs[key]
        other = ~value if value.dtype == tf.bool else value + tf.ones_like(value)
        after, _ = network({**inputs, key: other})
        return bool(np.abs(after - before).max() > 1e-4)

    for key in ("stimulus", "previous_action", "previous_reward"):
        assert changes(key), key
    for key in ("context", "store", "episode_start"):
        assert not changes(key), key
    assert changes("memory") == (kind == "ep_lstm")


def test_features_are_stimulus_action_and_reward() -> None:
    network = build(ActorNetwork)
    inputs = agents.at(some_inputs(), 0)
    inputs["previous_action"] = tf.constant([-1, 0, 1])
    features = network.features(inputs).numpy()
    np.testing.assert_array_equal(features[:, :3], inputs["stimulus"])
    np.testing.assert_array_equal(features[:, 3:5], [[0, 0], [1, 0], [0, 1]])
    np.testing.assert_array_equal(features[:, 5], inputs["previous_reward"])
    assert features.shape[1] == 6


CELL_NAMES = {"cell/kernel", "cell/recurrent_kernel", "cell/bias"}
HEAD_NAMES = {"head/kernel", "head/bias"}


@NETWORKS
@pytest.mark.parametrize("continuous", [False, True])
def test_every_weight_has_a_name(network_class: Any, continuous: bool) -> None:
    """The names are what published weight files hold: they may not change."""
    network = build(network_class, continuous, encoder=(4,), critic_encoder=(4,))
    named = network.named_weights()
    expected = CELL_NAMES | HEAD_NAMES | {"encoder/0/kernel", "encoder/0/bias"}
    if continuous and network_class is ActorNetwork:
        expected.add("log_scale")
    assert set(named) == expected
    assert {id(v) for v in named.values()} == {id(v) for v in network.variables}
    assert {id(v) for v in named.values()} == {
        id(v) for v in network.trainable_variables
    }
    assert named["cell/kernel"].shape[0] == named["encoder/0/kernel"].shape[1] + (
        agents.UNITS if network_class is CriticNetwork else 0
    )


@NETWORKS
def test_the_seed_decides_the_initial_weights(network_class: Any) -> None:
    def kernel(seed: int) -> np.ndarray:
        spec = agents.observation_spec(), agents.action_spec()
        network = network_class(*spec, agents.config(seed=seed))
        network(agents.at(some_inputs(), 0))
        return network.named_weights()["cell/kernel"].numpy()

    np.testing.assert_array_equal(kernel(1), kernel(1))
    assert (kernel(1) != kernel(2)).all()


@pytest.mark.parametrize("continuous", [False, True])
def test_a_fresh_policy_is_nearly_uniform(continuous: bool) -> None:
    actor = ActorNetwork(
        agents.observation_spec(continuous),
        agents.action_spec(continuous),
        agents.config(),
    )
    parameters, _ = actor(some_inputs(continuous))
    outputs = parameters[..., : agents.ACTIONS]
    assert 0 < np.abs(outputs).max() < 0.05
    if continuous:
        np.testing.assert_allclose(
            tf.exp(parameters[..., agents.ACTIONS :]), 0.6, atol=1e-6
        )


def test_bounded_means_are_those_of_the_plain_network_within_the_bounds() -> None:
    plain, bounded = (
        build(ActorNetwork, continuous=True, bounded_mean=bounded)
        for bounded in (False, True)
    )
    for ours, theirs in zip(bounded.variables, plain.variables, strict=True):
        ours.assign(3.0 * theirs)
        theirs.assign(3.0 * theirs)
    mean, rest = (plain(some_inputs(True))[0][..., part] for part in PARTS)
    found, found_rest = (bounded(some_inputs(True))[0][..., part] for part in PARTS)
    assert np.abs(mean).max() > 1.0  # or the bounds would not matter
    np.testing.assert_allclose(found, np.tanh(mean), atol=1e-6)
    np.testing.assert_array_equal(found_rest, rest)


def test_configurations_refuse_what_they_do_not_know() -> None:
    for wrong in (
        {"kind": "gru"},
        {"units": 0},
        {"layers": 2},
        {"encoder": (0,)},
        {"seed": -1},
        {"memory": {"read": "knn"}},
        {"memory": {"min_similarity": 2.0}},
    ):
        with pytest.raises(ValidationError):
            AgentConfig(**wrong)
    with pytest.raises(ValidationError, match="frozen"):
        MemoryConfig().capacity = 3
