"""The task families by name. Listing them does not import TensorFlow."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import typing
from typing import TYPE_CHECKING, Any, NamedTuple

import pydantic

from kerasmeta.errors import UserError
from kerasmeta.tasks.gymnasium import ids
from kerasmeta.tasks.metaworld import names as metaworld

if TYPE_CHECKING:
    from kerasmeta.tasks.base import Task


class TaskEntry(NamedTuple):
    """Where a task family lives, and what a list of families says about it."""

    name: str
    module: str
    class_name: str
    summary: str
    paper: str


_entries: dict[str, TaskEntry] = {}


def register(entry: TaskEntry) -> None:
    """Adds a task family, so that `make` and the command line know it.

    Raises:
        ValueError: The name is taken.
    """
    if entry.name in _entries:
        raise ValueError(f"task {entry.name!r} is registered already")
    _entries[entry.name] = entry


def names() -> tuple[str, ...]:
    """The registered task families, in order of registration."""
    return tuple(_entries)


def entry(name: str) -> TaskEntry:
    """The registry's line on one task family.

    Raises:
        UserError: No such family.
    """
    if name not in _entries:
        close = difflib.get_close_matches(name, _entries, n=1)
        guess = f"did you mean '{close[0]}'? " if close else ""
        raise UserError(
            "task",
            name,
            "is not known",
            f"{guess}use one of {', '.join(_entries)}, a family of Meta-World "
            "(metaworld_ml1_reach), or a Gymnasium id",
        )
    return _entries[name]


def check(name: str) -> None:
    """Refuses what is no task family, none of Meta-World's and no Gymnasium id.

    Raises:
        UserError: With the names that come closest.
    """
    if is_gymnasium(name):
        ids.check(name)
    elif is_metaworld(name):
        metaworld.check(name)
    else:
        entry(name)


def is_gymnasium(name: str) -> bool:
    """Whether a name is no family's but looks like a Gymnasium id, `CartPole-v1`."""
    return name not in _entries and ids.looks_like_id(name)


def is_metaworld(name: str) -> bool:
    """Whether a name is, or is meant to be, a family of Meta-World."""
    return name not in _entries and metaworld.is_metaworld(name)


def shows_contexts(name: str) -> bool:
    """Whether a task shows contexts, without which episodic memory is of no use."""
    if is_metaworld(name):
        return name.endswith(metaworld.CONTEXTUAL)
    return not is_gymnasium(name)


def make(name: str, **parameters: Any) -> Task:
    """Makes a task: `make("two_step", trials=50)`, `make("CartPole-v1")`.

    Args:
        name: A name from `names()`, a family of Meta-World (`metaworld_ml1_reach`), or
          a registered Gymnasium id.
        **parameters: Fields of the task's class. A value given as text, as on a command
          line, is converted to the field's type. Of a Gymnasium id: what
          `gymnasium.make` takes, and `collect_steps` and `vectorization`
          (`kerasmeta.tasks.gymnasium.task.GymnasiumTask`).

    Raises:
        UserError: The family or a parameter is not known, or a value is refused.
    """
    if is_gymnasium(name):
        module = importlib.import_module("kerasmeta.tasks.gymnasium.task")
        return module.from_parameters(name, parameters)
    if is_metaworld(name):
        metaworld.check(name)
        module = importlib.import_module("kerasmeta.tasks.metaworld.task")
        _check(module.MetaWorld, name, parameters, "family")
        return module.MetaWorld(name, **parameters)
    line = entry(name)
    task_class = getattr(importlib.import_module(line.module), line.class_name)
    _check(task_class, name, parameters)
    return task_class(**parameters)


def _check(
    task_class: Any, name: str, parameters: dict[str, Any], hidden: str = ""
) -> None:
    """Refuses what is no field of a task's class; converts values given as text."""
    fields = [field.name for field in dataclasses.fields(task_class)]
    allowed = [field for field in fields if field != hidden]
    hints = typing.get_type_hints(task_class)
    for parameter, value in parameters.items():
        if parameter not in allowed:
            close = difflib.get_close_matches(parameter, allowed, n=1)
            guess = f"did you mean '{close[0]}'? " if close else ""
            raise UserError(
                parameter,
                value,
                f"is not a parameter of task {name}",
                f"{guess}use one of {', '.join(allowed)}",
            )
        if isinstance(value, str):
            parameters[parameter] = _from_text(parameter, value, hints[parameter])


def _from_text(parameter: str, text: str, field_type: Any) -> Any:
    """Converts a value given as text to the type of its field."""
    try:
        return pydantic.TypeAdapter(field_type).validate_strings(text)
    except pydantic.ValidationError as error:
        wanted = getattr(field_type, "__name__", str(field_type))
        raise UserError(
            parameter,
            text,
            f"is not of type {wanted}",
            f"give a value of type {wanted}",
        ) from error
