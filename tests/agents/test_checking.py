"""What users hand to an agent: one line that names the key and the fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import agents

from kerasmeta import UserError
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent

B = 2


@pytest.fixture(scope="module")
def agent() -> EpisodicAgent:
    return EpisodicAgent(
        agents.observation_spec(), agents.action_spec(), agents.config()
    )


@pytest.fixture
def observation(rng: np.random.Generator) -> dict[str, Any]:
    return agents.at(agents.observations(rng, B, 1), 0)


def refusal(agent: EpisodicAgent, observation: Any) -> str:
    with pytest.raises(UserError) as error:
        agent.step(observation, agent.initial_state(B))
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_lists_arrays_and_tensors_are_the_same(
    agent: EpisodicAgent, observation: dict[str, Any]
) -> None:
    """Any numeric type that loses nothing will do."""
    state = agent.initial_state(B)
    expected = agent.step(observation, state).logits
    for convert in (
        tf.constant,
        lambda value: value.tolist(),
        lambda value: value.astype(np.float64),
    ):
        converted = {key: convert(value) for key, value in observation.items()}
        np.testing.assert_array_equal(agent.step(converted, state).logits, expected)


def test_something_that_is_no_dict(agent: EpisodicAgent) -> None:
    assert "observation 'list': is not a dict" in refusal(agent, [1, 2])


@pytest.mark.parametrize("key", sorted(agents.observation_spec()))
def test_a_missing_key(
    agent: EpisodicAgent, observation: dict[str, Any], key: str
) -> None:
    del observation[key]
    assert f"lacks {key}" in refusal(agent, observation)


def test_an_unknown_key(agent: EpisodicAgent, observation: dict[str, Any]) -> None:
    observation["reward"] = np.zeros(B)
    assert "observation 'reward': holds keys" in refusal(agent, observation)


def test_keys_that_are_no_text(agent: EpisodicAgent, observation: dict) -> None:
    assert "holds keys" in refusal(agent, {**observation, 3: np.zeros(B)})
    assert "lacks stimulus" in refusal(agent, {3: np.zeros(B), "x": 1})


@pytest.mark.parametrize(
    "stimulus",
    [
        np.zeros([B, 4]),
        np.zeros([B + 1, 3]),
        np.zeros(3),
        np.zeros([B, 1, 3]),
        tf.zeros([B, 4]),
        0.0,
    ],
)
def test_a_wrong_shape(
    agent: EpisodicAgent, observation: dict[str, Any], stimulus: Any
) -> None:
    text = refusal(agent, {**observation, "stimulus": stimulus})
    assert "observation['stimulus']" in text
    assert "give (2, 3)" in text


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("key", ["stimulus", "context", "previous_reward"])
def test_a_number_that_is_not_finite(
    agent: EpisodicAgent, observation: dict[str, Any], key: str, value: float
) -> None:
    array = observation[key].astype(np.float64)
    array.flat[-1] = value
    text = refusal(agent, {**observation, key: array})
    assert f"observation['{key}']" in text
    assert "is not finite" in text


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5, 2.0, -1.0])
def test_a_flag_is_true_or_false(
    agent: EpisodicAgent, observation: dict[str, Any], value: float
) -> None:
    text = refusal(agent, {**observation, "store": np.array([0.0, value])})
    assert "observation['store']" in text


@pytest.mark.parametrize("value", [np.nan, 0.5, 2, -2, 2**40, tf.constant(2)])
def test_an_action_is_one_of_the_actions_or_none(
    agent: EpisodicAgent, observation: dict[str, Any], value: Any
) -> None:
    action = tf.stack([0, value]) if tf.is_tensor(value) else np.array([0, value])
    text = refusal(agent, {**observation, "previous_action": action})
    assert "observation['previous_action']" in text


@pytest.mark.parametrize(
    "value", [["a", "b"], [None, 1], [[1.0], [1.0, 2.0]], np.array([1j, 2j])]
)
def test_something_that_is_no_number(
    agent: EpisodicAgent, observation: dict[str, Any], value: Any
) -> None:
    text = refusal(agent, {**observation, "previous_reward": value})
    assert "observation['previous_reward']" in text
    assert "is not numeric" in text


def test_a_tensor_of_the_wrong_type(
    agent: EpisodicAgent, observation: dict[str, Any]
) -> None:
    observation["stimulus"] = tf.zeros([B, 3], tf.float64)
    assert "give float32" in refusal(agent, observation)


def test_a_refused_observation_changes_nothing(
    agent: EpisodicAgent, observation: dict[str, Any]
) -> None:
    state = agent.initial_state(B)
    before = agent.step(observation, state)
    refusal(agent, {**observation, "stimulus": np.full([B, 3], np.nan)})
    after = agent.step(observation, state)
    np.testing.assert_array_equal(after.logits, before.logits)


def test_a_state_of_another_agent(
    agent: EpisodicAgent, observation: dict[str, Any]
) -> None:
    spec = agents.observation_spec(), agents.action_spec()
    other = EpisodicAgent(*spec, agents.config("lstm"))
    for state in (None, (), {"step": 0}, other.initial_state(B)):
        with pytest.raises(UserError, match="is not a state of this agent"):
            agent.step(observation, state)


@pytest.mark.parametrize("key", sorted(agents.observation_spec()))
def test_specs_an_agent_cannot_live_in(key: str) -> None:
    """A part is missing, of another type, of another rank or of unknown size."""
    whole = agents.observation_spec()
    spec = whole[key]
    for odd in (
        None,
        tf.TensorSpec(spec.shape, tf.float64),
        tf.TensorSpec([*spec.shape, 2], spec.dtype),
        tf.TensorSpec([None] * max(spec.shape.rank, 1), spec.dtype),
    ):
        changed = {k: v for k, v in {**whole, key: odd}.items() if v is not None}
        with pytest.raises(UserError, match=f"observation_spec\\['{key}'\\]"):
            EpisodicAgent(changed, agents.action_spec(), agents.config())
