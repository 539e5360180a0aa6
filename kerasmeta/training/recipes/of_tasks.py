"""The recipe of a task: the defaults with what its modules change."""

from __future__ import annotations

from typing import Any

from kerasmeta.tasks import is_gymnasium, is_metaworld
from kerasmeta.training.config import RunConfig, TaskConfig, validate
from kerasmeta.training.recipes import gymnasium, metaworld
from kerasmeta.training.recipes.bandits import BANDITS
from kerasmeta.training.recipes.harlow import HARLOW
from kerasmeta.training.recipes.navigation import NAVIGATION
from kerasmeta.training.recipes.two_step import TWO_STEP

# Some are of a family, some of one kind of agent in it, which overrules the family's.
RECIPES: dict[str, dict[str, Any]] = {
    **TWO_STEP,
    **BANDITS,
    **HARLOW,
    **NAVIGATION,
    **gymnasium.IDS,
}


def recipe(
    task: str,
    agent: str,
    parameters: dict[str, Any] | None = None,
) -> RunConfig:
    """The recipe of a task family or a Gymnasium id for one kind of agent.

    Args:
        task: The family or the id.
        agent: "lstm" or "ep_lstm".
        parameters: Of the task, where they differ from its defaults.
    """
    base = RunConfig(task=TaskConfig(name=task, parameters=parameters or {}))
    data = base.model_dump(mode="json")
    data["agent"]["kind"] = agent
    general = [gymnasium.GENERAL] if is_gymnasium(task) else []
    if is_metaworld(task):
        general = metaworld.changes(task)
    own = RECIPES.get(f"{task}/{agent}", {})
    for changes in (*general, RECIPES.get(task, {}), own):
        for key, value in changes.items():
            data[key] = _merged(data[key], value)
    data["task"]["parameters"].update(parameters or {})
    return validate(RunConfig, data, f"recipe {task}")


def _merged(base: Any, changes: Any) -> Any:
    """`base` with `changes` laid over it, dict by dict."""
    if not isinstance(changes, dict):
        return changes
    return {
        **base,
        **{key: _merged(base.get(key, {}), new) for key, new in changes.items()},
    }
