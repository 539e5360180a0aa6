"""The analyses by name. Listing them imports none of them."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Container
from typing import NamedTuple

from kerasmeta.analysis.study import Finding, Study
from kerasmeta.errors import UserError


class Analysis(NamedTuple):
    """One line of the registry.

    `needs` and `uses` name what must be, or may be, in the study besides behaviour:
    `players`, `recordings`, `training`, or an experiment of
    `kerasmeta.training.experiments` (`memory_lesion`). What an agent cannot offer, such
    as a memory lesion of an agent without memory, is left out where it is only used;
    an analysis that needs it does not fit the agent.
    """

    name: str  # as in `kerasmeta analyse --analysis NAME`
    function: str  # "module:function" of a `Study -> Finding`
    summary: str
    families: tuple[str, ...] = ()  # task families it fits; (): every one
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    on_request: bool = False  # only runs where it is named: large files, much time

    def fits(self, task_name: str) -> bool:
        """Whether it can be done on a task family."""
        return not self.families or task_name in self.families

    def run(self, study: Study) -> Finding:
        """Does the analysis. Raises `UserError` where the study is of no use to it."""
        module, _, function = self.function.partition(":")
        called: Callable[[Study], Finding]
        called = getattr(importlib.import_module(module), function)
        return called(study)


_analyses: dict[str, Analysis] = {}


def register(analysis: Analysis) -> None:
    """Adds an analysis, so that the command line knows it.

    Raises:
        ValueError: The name is taken.
    """
    if analysis.name in _analyses:
        raise ValueError(f"analysis {analysis.name!r} is registered already")
    _analyses[analysis.name] = analysis


def analyses() -> tuple[Analysis, ...]:
    """All of them, in order of registration."""
    return tuple(_analyses.values())


def analysis(name: str) -> Analysis:
    """One of them.

    Raises:
        UserError: No such analysis.
    """
    if name not in _analyses:
        close = difflib.get_close_matches(name, _analyses, n=1)
        guess = f"did you mean '{close[0]}'? " if close else ""
        raise UserError(
            "--analysis", name, "is not known", f"{guess}see kerasmeta analyse --list"
        )
    return _analyses[name]


def choose(
    names: tuple[str, ...], task_name: str, offered: Container[str]
) -> tuple[Analysis, ...]:
    """The analyses to do: those named, or by default all that fit.

    Args:
        names: Analyses asked for; empty for the default.
        task_name: The agent's task family.
        offered: What the study can have: "players", "recordings", experiments.

    Raises:
        UserError: A named analysis is not known or does not fit.
    """
    if names:
        chosen = [analysis(name) for name in dict.fromkeys(names)]
        for one in chosen:
            _check_fit(one, task_name, offered)
        return tuple(chosen)
    return tuple(
        one
        for one in analyses()
        if one.fits(task_name)
        and not one.on_request
        and all(need in offered for need in one.needs)
    )


def _check_fit(one: Analysis, task_name: str, offered: Container[str]) -> None:
    if not one.fits(task_name):
        raise UserError(
            "--analysis",
            one.name,
            f"is of {' and '.join(one.families)}, and the agent's family is "
            f"{task_name}",
            f"choose one that fits {task_name} (kerasmeta analyse --list)",
        )
    for need in one.needs:
        if need not in offered:
            raise UserError(
                "--analysis",
                one.name,
                f"needs {need.replace('_', ' ')}, which this agent does not offer",
                _REMEDIES.get(need, "choose another analysis or agent"),
            )


_REMEDIES = {
    "training": "give run directories, which hold the rows of training",
    "memory_lesion": "give an agent with memory (ep_lstm)",
}
