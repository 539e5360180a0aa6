"""Configurations: JSON round trip, --set, recipes."""

from __future__ import annotations

import gymnasium
import pytest

from kerasmeta import tasks
from kerasmeta.errors import UserError
from kerasmeta.training.config import RunConfig, TaskConfig
from kerasmeta.training.provenance import config_hash
from kerasmeta.training.recipes import RECIPES, recipe


def base() -> RunConfig:
    return RunConfig(task=TaskConfig(name="two_step"))


def test_json_round_trip() -> None:
    config = recipe("episodic_two_step", "lstm", {"common": 0.8})
    again = RunConfig.model_validate_json(config.model_dump_json())
    assert again == config


def test_overrides_reach_every_level() -> None:
    config = base().with_overrides(
        [
            "trpo.delta=0.02",
            "agent.memory.read=softmax",
            "task.common=0.7",
            "agent.encoder=[32, 16]",
            "steps=1000",
        ]
    )
    assert config.trpo.delta == 0.02
    assert config.agent.memory.read == "softmax"
    assert config.task.parameters == {"common": 0.7}
    assert config.agent.encoder == (32, 16)
    assert config.steps == 1000
    assert base().trpo.delta == 0.01  # the original is left alone


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("delta", ["delta", "no =", "--set key=value"]),
        ("trpo.dleta=1", ["dleta", "did you mean 'delta'"]),
        ("tpo.delta=1", ["tpo", "not known"]),
        ("trpo.delta=fast", ["trpo.delta", "fast", "number"]),
        ("trpo.delta=-1", ["trpo.delta", "-1", "greater than 0"]),
        ("agent.memory.read=all", ["agent.memory.read", "all", "nearest"]),
        ("steps=0", ["steps", "0", "greater than 0"]),
    ],
)
def test_a_bad_override_is_named(override: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        base().with_overrides([override])
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_every_recipe_is_of_a_task_and_valid() -> None:
    for name in RECIPES:
        family = name.removesuffix("/lstm").removesuffix("/ep_lstm")
        assert family in tasks.names() or family in gymnasium.registry
        for kind in ("lstm", "ep_lstm"):
            assert recipe(family, kind).agent.kind == kind


def test_config_hash_ignores_the_seed_alone() -> None:
    config = base()
    assert config_hash(config) == config_hash(config.with_overrides(["seed=7"]))
    assert config_hash(config) != config_hash(config.with_overrides(["steps=7"]))
