"""What an agent sees and does in Gymnasium's spaces, beside Gymnasium's `flatten`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces as gymnasium_spaces
from gymnasium.spaces.utils import flatten
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array
from harness.gymnasium_environments import SPACES

from kerasmeta import UserError
from kerasmeta.tasks.gymnasium import spaces

ROWS = 5


def batch(space: Any, members: list[Any]) -> Any:
    """Members as a vector environment hands them over."""
    return concatenate(space, members, create_empty_array(space, len(members)))


@pytest.mark.parametrize("name", ["box", "scalar", "discrete", "dict", "unbounded"])
def test_a_stimulus_is_gymnasiums_flatten(name: str) -> None:
    space = SPACES[name]
    space.seed(3)
    members = [space.sample() for _ in range(ROWS)]
    found = spaces.stimulus(space, batch(space, members))
    expected = np.stack([flatten(space, member) for member in members])
    assert found.dtype == np.float32
    assert found.shape == (ROWS, spaces.stimulus_size(space, "x"))
    np.testing.assert_array_equal(found, expected.astype(np.float32))


def test_a_dict_is_in_the_order_of_its_keys() -> None:
    space = gymnasium_spaces.Dict({"b": SPACES["discrete"], "a": SPACES["scalar"]})
    assert list(space.spaces) == ["a", "b"]  # Gymnasium sorts them
    seen = {"a": np.array([6.0, -2.0], np.float32), "b": np.array([-1, 2])}
    expected = [[6.0, 1.0, 0.0, 0.0, 0.0], [-2.0, 0.0, 0.0, 0.0, 1.0]]
    np.testing.assert_array_equal(spaces.stimulus(space, seen), expected)


def test_images_stay_what_they_are() -> None:
    images = batch(SPACES["image"], [SPACES["image"].sample() for _ in range(2)])
    assert spaces.is_image(SPACES["image"])
    np.testing.assert_array_equal(spaces.stimulus(SPACES["image"], images), images)
    assert not spaces.is_image(SPACES["box"])
    inside = gymnasium_spaces.Dict({"image": SPACES["image"]})
    found = spaces.stimulus(inside, {"image": images})  # flattened with the rest
    assert found.shape == (2, 8 * 6 * 3)


@pytest.mark.parametrize(
    "name", ["tuple", "multidiscrete", "text", "dict of text", "empty"]
)
def test_other_observations_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="'Env-v0': its observations are"):
        spaces.stimulus_size(SPACES[name], "Env-v0")


@pytest.mark.parametrize("name", ["tuple", "multidiscrete", "dict", "whole", "empty"])
def test_other_actions_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="'Env-v0': its actions are"):
        spaces.check_actions(SPACES[name], "Env-v0")


def test_choices_begin_where_the_space_does() -> None:
    found = spaces.environment_actions(SPACES["discrete"], np.array([0, 3], np.int32))
    np.testing.assert_array_equal(found, [-1, 2])


def test_bounded_actions_are_clipped_and_brought_to_scale() -> None:
    """-1, 0 and 1 are the box's lower bound, its middle and its upper bound."""
    space = SPACES["scalar"]  # -2 to 6
    actions = np.array([[-1.0], [0.0], [1.0], [0.5], [-9.0], [7.0]], np.float32)
    found = spaces.environment_actions(space, actions)
    np.testing.assert_array_equal(found, [-2.0, 2.0, 6.0, 4.0, -2.0, 6.0])
    low, high = spaces.agent_bounds(space)
    assert (low, high) == (-1.0, 1.0)


def test_unbounded_actions_go_through() -> None:
    actions = np.array([[-1e3, 7.0], [0.0, 1e6]], np.float32)
    found = spaces.environment_actions(SPACES["unbounded"], actions)
    np.testing.assert_array_equal(found, actions)
    found = spaces.environment_actions(SPACES["half"], actions)
    np.testing.assert_array_equal(found, [[0.0, 5.0], [0.0, 5.0]])


@pytest.mark.parametrize("name", ["box", "scalar", "unbounded", "half", "discrete"])
def test_whatever_an_agent_does_is_in_the_space(
    name: str, rng: np.random.Generator
) -> None:
    space = SPACES[name]
    if name == "discrete":
        actions = rng.integers(0, 4, 100).astype(np.int32)
    else:
        actions = rng.standard_cauchy((100, int(np.prod(space.shape))))
        actions = (5 * actions).astype(np.float32)
    found = spaces.environment_actions(space, actions)
    assert found in batch_space(space, 100)
