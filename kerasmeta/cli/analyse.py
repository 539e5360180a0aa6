"""`kerasmeta analyse`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasmeta.cli import console
from kerasmeta.cli.completion import agent_ids, analysis_names
from kerasmeta.cli.evaluate import Lifetimes
from kerasmeta.cli.progress import Tell, stage_progress
from kerasmeta.errors import UserError

if TYPE_CHECKING:
    from kerasmeta.analysis import Analysis, Study
    from kerasmeta.cli.agents import Loaded

MISSING = "is missing"


def analyse(
    agents: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="AGENT...",
            help="A zoo id, of which all published seeds are analysed, or a run "
            "directory; several run directories: the seeds of one agent.",
            autocompletion=agent_ids,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where figures, tables and statistics go.")
    ] = None,
    analysis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="An analysis to do, once or several times; by default all that fit.",
            autocompletion=analysis_names,
        ),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List the analyses instead.")
    ] = False,
    lifetimes: Lifetimes = 1000,
    recorded: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="In how many of them to record inside the agent; by default as many "
            "as make 20 MB.",
        ),
    ] = None,
    seed: console.Seed = 0,
    registry: console.Registry = None,
    offline: console.Offline = False,
    json: console.Json = False,
) -> None:
    """Analyse an agent over its seeds: figures (PNG, SVG), tables, statistics."""
    if listing:
        list_analyses(json)
        return
    agents, out = _required(agents, out)
    report = analysed(
        agents, out, analysis, lifetimes, recorded, seed, registry, offline
    )
    if json:
        console.print_json(report)
        return
    from kerasmeta.cli.findings import print_report

    print_report(report)
    console.say(f"figures, tables and statistics in {out}")


def analysed(
    agents: list[str],
    out: Path,
    names: list[str] | None = None,
    lifetimes: int = 1000,
    recorded: int | None = None,
    seed: int = 0,
    registry: list[str] | None = None,
    offline: bool = False,
) -> dict[str, Any]:
    """Does the analyses and writes their files; returns what --json prints.

    Args:
        agents: As AGENT... is given.
        out: The directory of the files.
        names: Analyses to do; by default all that fit.
        lifetimes, recorded, seed, registry, offline: As the options of these names.

    Raises:
        UserError: An analysis or agent is not known, or they do not go together.
    """
    from kerasmeta.analysis import analysis as find

    for name in names or []:
        find(name)  # an unknown one is refused before TensorFlow is imported
    from kerasmeta.cli.agents import load_seeds

    loaded = [one for name in agents for one in load_seeds(name, registry, offline)]
    from kerasmeta.training import studies

    trained = [_trained(one) for one in loaded]
    studies.check_alike(trained, [one.task for one in loaded])
    task = loaded[0].task
    chosen = _choose(names or [], task, studies.offered(trained, task))
    from kerasmeta.cli.options import make_directory

    make_directory(out)
    if recorded is None:
        enough = studies.default_recorded_lifetimes(trained[0].agent, task)
        recorded = min(lifetimes, enough)
    extent = studies.Extent(lifetimes, recorded, seed)
    parts = studies.needed(chosen, studies.offered(trained, task))
    total = studies.stages(trained, task, parts) + len(chosen) + 1
    called = agents[0] if len(agents) == 1 else _shared_name(loaded)
    with stage_progress("analysing", total) as tell:
        study = studies.make_study(called, trained, task, parts, extent, tell)
        return _report(study, extent, chosen, out, tell)


def list_analyses(json: bool) -> None:
    """Prints every analysis: its name, families and summary."""
    from kerasmeta.analysis import analyses

    if json:
        listed = [
            {
                "name": one.name,
                "summary": one.summary,
                "families": list(one.families) or "all",
                "needs": list(one.needs),
                "by_default": not one.on_request,
            }
            for one in analyses()
        ]
        console.print_json({"analyses": listed})
        return
    rows = [
        [one.name, ", ".join(one.families) or "all", one.summary] for one in analyses()
    ]
    console.print_table("Analyses", ["name", "families", "summary"], rows)


def _required(agents: list[str] | None, out: Path | None) -> tuple[list[str], Path]:
    """What --list does without and everything else needs."""
    fix = "see kerasmeta analyse --help"
    if not agents:
        raise UserError("AGENT", "", MISSING, f"name an agent or add --list ({fix})")
    if out is None:
        raise UserError("--out", "", MISSING, f"give a directory ({fix})")
    return agents, out


def _choose(names: Sequence[str], task: Any, available: set[str]) -> Any:
    from kerasmeta.analysis.registry import choose

    return choose(tuple(names), task.name, available)


def _trained(loaded: Loaded) -> Any:
    """What a study knows of one seed."""
    from kerasmeta.training.run_directory import RunDirectory
    from kerasmeta.training.studies import Trained

    if loaded.run is None:
        config = loaded.agent.card.manifest.provenance.config
        return Trained(loaded.name, loaded.agent, config["trpo"]["gamma"])
    run = RunDirectory(loaded.run)
    gamma = run.read_config().trpo.gamma
    return Trained(loaded.name, loaded.agent, gamma, run.read_metrics())


def _shared_name(loaded: Sequence[Loaded]) -> str:
    """What several run directories are together: `two_step/lstm`."""
    return f"{loaded[0].task.name}/{loaded[0].agent.config.kind}"


def _report(
    study: Study, extent: Any, chosen: Sequence[Analysis], out: Path, tell: Tell
) -> dict[str, Any]:
    """Does the analyses, writes their files, and returns what --json prints."""
    from kerasmeta.cli.findings import as_json, write_findings
    from kerasmeta.training.run_directory import to_json, write_atomically

    found = {}
    for one in chosen:
        tell(one.name.replace("_", " "))
        found[one.name] = one.run(study)
    statistics = {
        "agent": study.agent,
        "subjects": [subject.name for subject in study.subjects],
        "task": study.task,
        "parameters": study.parameters,
        "lifetimes": extent.lifetimes,
        "recorded_lifetimes": extent.recorded_lifetimes,
        "seed": extent.seed,
        "analyses": {name: as_json(one.statistics) for name, one in found.items()},
    }
    tell("writing")
    files = write_findings(out, found)
    write_atomically(out / "statistics.json", to_json(statistics))
    files.append(out / "statistics.json")
    return {**statistics, "files": [str(path) for path in files]}
