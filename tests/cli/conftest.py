"""Running the command line in this process, and small runs for it to work on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.command_line import STEPS_PER_ITERATION, Answer, make_run

from kerasmeta.cli import main

CommandLine = Callable[..., Answer]


@pytest.fixture
def command_line(capfd: pytest.CaptureFixture[str]) -> CommandLine:
    """Runs `kerasmeta ARGUMENTS` in this process."""

    def run(*arguments: str | Path) -> Answer:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the runs `lstm` and `ep_lstm`, which are finished, and `begun`.

    And `file`, a regular file.
    """
    root = tmp_path_factory.mktemp("originals")
    make_run(root / "lstm", "lstm", steps=2 * STEPS_PER_ITERATION)
    make_run(root / "ep_lstm", "ep_lstm", steps=2 * STEPS_PER_ITERATION)
    make_run(root / "begun", "lstm", steps=10 * STEPS_PER_ITERATION)
    (root / "file").write_text("a regular file\n")
    return root


@pytest.fixture
def workplace(originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the original runs, as the current directory, to damage."""
    place = tmp_path / "work"
    shutil.copytree(originals, place)
    monkeypatch.chdir(place)
    monkeypatch.delenv("KERASMETA_REGISTRY", raising=False)
    return place


@pytest.fixture(scope="session")
def original_registry(
    originals: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A registry that holds `two_step/lstm` version 1, published from a run."""
    registry = tmp_path_factory.mktemp("published") / "registry"
    arguments = ["two_step/lstm", originals / "lstm", "--registry", registry]
    with pytest.raises(SystemExit) as ended:
        main(["zoo", "publish", *map(str, arguments), "--lifetimes", "60"])
    assert ended.value.code == 0
    return registry


@pytest.fixture
def registry(workplace: Path, original_registry: Path) -> Path:
    """A copy of that registry in the workplace, to damage."""
    return Path(shutil.copytree(original_registry, workplace / "registry"))
