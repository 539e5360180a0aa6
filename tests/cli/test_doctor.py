"""`kerasmeta doctor`: what is wrong, and the fix; and what a shell completes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kerasmeta.cli import app, checkups
from kerasmeta.cli.checkups import NOTE, WELL, WRONG
from kerasmeta.cli.completion import agent_ids, analysis_names, task_names

ROOT = Path(__file__).parents[2]
Version = namedtuple("Version", "major minor micro releaselevel serial")


def status(answer: Any) -> dict[str, str]:
    return {check["name"]: check["status"] for check in answer["checks"]}


def test_nothing_is_wrong_here(command_line: Any, workplace: Path) -> None:
    answer = command_line("doctor", "--json").json
    found = status(answer)
    assert answer["well"]
    assert list(found)[:8] == [
        *("python", "packages", "tf-agents", "tf-keras", "keras", "gpu"),
        *("cache", "registry"),
    ]
    assert WRONG not in found.values()
    assert all(set(c) == {"name", "status", "found", "fix"} for c in answer["checks"])
    said = command_line("doctor")
    assert said.status == 0
    assert said.stdout.endswith("all is well\n")


def test_a_damaged_registry_is_named_with_the_fix(
    command_line: Any, registry: Path, workplace: Path
) -> None:
    weights = registry / "two_step" / "lstm" / "1" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    answer = command_line("doctor", "--registry", registry, "--json")
    assert answer.status == 1
    said = command_line("doctor", "--registry", registry)
    assert said.status == 1
    assert "registry: restore" in said.stdout.replace("\n", " ")
    assert said.stdout.endswith("something is wrong; see above\n")


@pytest.mark.parametrize(
    ("package", "version", "check", "fix"),
    [
        ("numpy", "2.4.0", "numpy", "pip install 'numpy<2.4'"),
        ("tensorflow", None, "tensorflow", "pip install 'tensorflow<2.22,>=2.18'"),
        ("tf-agents", None, "tf-agents", "pip install --no-deps tf-agents==0.19.0"),
        ("tf-agents", "0.18.0", "tf-agents", "tf-agents==0.19.0"),
        ("tf-keras", "2.19.0", "tf-keras", "pip install 'tf-keras==2.20.*'"),
    ],
)
def test_packages_that_do_not_do(
    package: str,
    version: str | None,
    check: str,
    fix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = checkups.version_of
    monkeypatch.setattr(
        checkups, "version_of", lambda name: version if name == package else real(name)
    )
    found = [*checkups._packages(), checkups._tf_agents(), checkups._same_minor()]
    (bad,) = [one for one in found if one.status == WRONG]
    assert bad.name == check
    assert fix in bad.fix
    assert (version or "not installed") in bad.found


def test_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for minor, status in ((10, WRONG), (11, WELL), (13, WELL), (14, WRONG)):
        version = Version(3, minor, 0, "final", 0)
        monkeypatch.setattr(checkups.sys, "version_info", version)
        assert checkups._python().status == status


def test_a_cache_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path / "a" / "b"))
    assert checkups._cache().status == WELL
    (tmp_path / "a").write_text("a file")
    found = checkups._cache()
    assert found.status == WRONG
    assert "KERASMETA_CACHE" in found.fix
    monkeypatch.setattr(checkups, "SPACE", 1e30)
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path))
    assert checkups._cache().status == NOTE


def test_a_gpu_that_tensorflow_does_not_see(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert checkups._gpu().status == WELL
    monkeypatch.setattr(checkups.shutil, "which", lambda name: "/usr/bin/" + name)
    found = checkups._gpu()
    assert found.status == (WELL if ":" in found.found else NOTE)


def test_what_completes() -> None:
    assert task_names("two_step") == ["two_step", "two_step_drift"]
    assert "two_step/lstm" in agent_ids("two_step/")
    assert agent_ids("no such") == []


def test_whatever_names_an_agent_completes() -> None:
    def walk(command: Any) -> Iterator[Any]:
        yield from command.params
        for inner in getattr(command, "commands", {}).values():
            yield from walk(inner)

    named = {"AGENT", "AGENT...", "ID", "ID..."}
    arguments = [p for p in walk(typer.main.get_command(app)) if p.metavar in named]
    assert len(arguments) >= 10
    for argument in arguments:
        assert argument._custom_shell_complete is not None, argument
    assert analysis_names("dose") == ["dose_response"]


def test_completion_survives_a_registry_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERASMETA_REGISTRY", "ftp://nowhere")
    assert agent_ids("two") == []


def test_a_shell_completes_commands_and_tasks() -> None:
    def offered(words: str, count: int) -> set[str]:
        environment = {
            **os.environ,
            "_KERASMETA_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(count),
        }
        done = subprocess.run(
            [sys.executable, "-m", "kerasmeta.cli"],
            capture_output=True,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        return set(done.stdout.split())

    assert offered("kerasmeta tr", 1) == {"train"}
    assert offered("kerasmeta train water", 2) == {"water_maze"}
