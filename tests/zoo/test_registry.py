"""The registry on files that stand in for agents: no TensorFlow, so it is fast."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from kerasmeta.errors import UserError
from zoo.manifest import Submission

Writer = Callable[[Path], Any]
NAME = "two_step/ep_lstm"


def _tree(path: Path) -> dict[str, bytes | None]:
    """Everything below a path, with the content of files; but not the lock."""
    return {
        str(p.relative_to(path)): p.read_bytes() if p.is_file() else None
        for p in sorted(path.rglob("*"))
        if p.name != ".lock"
    }


def test_a_version_holds_exactly_this(registry: zoo.Registry) -> None:
    found = _tree(registry.path)
    assert set(found) == {
        "index.json",
        "two_step",
        "two_step/ep_lstm",
        "two_step/ep_lstm/1",
        "two_step/ep_lstm/1/README.md",
        "two_step/ep_lstm/1/config.json",
        "two_step/ep_lstm/1/manifest.json",
        "two_step/ep_lstm/1/saved_model.pb",
        "two_step/ep_lstm/1/variables",
        "two_step/ep_lstm/1/variables/variables.index",
        "two_step/ep_lstm/1/weights.safetensors",
    }
    listed = {entry.path for entry in registry.show(NAME).files}
    files = {
        name.split("/", 3)[3] for name, data in found.items() if data and "1" in name
    }
    assert listed == files - {"manifest.json"}


def test_versions_count_up_and_never_change(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    first = _tree(registry.directory(f"{NAME}@1"))
    assert registry.publish(NAME, submission, write).version == 2
    assert registry.publish(NAME, submission, write, version=7).version == 7
    assert registry.publish(NAME, submission, write).version == 8
    assert registry.versions(NAME) == (1, 2, 7, 8)
    assert [str(r) for r in registry.references()] == [f"{NAME}@{n}" for n in "1278"]
    assert str(registry.resolve(NAME)) == f"{NAME}@8"
    assert str(registry.resolve(f"{NAME}@2")) == f"{NAME}@2"
    assert _tree(registry.directory(f"{NAME}@1")) == first
    for version in registry.versions(NAME):
        assert registry.verify(f"{NAME}@{version}").version == version


def test_an_id_to_publish_has_no_version(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    with pytest.raises(UserError, match=r"give two_step/ep_lstm and version="):
        registry.publish(f"{NAME}@3", submission, write)


def test_latest_is_by_number_not_by_text(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    for version in (9, 10):
        registry.publish(NAME, submission, write, version)
    assert registry.resolve(NAME).version == 10


def test_refuses_a_version_that_exists(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    before = _tree(registry.path)
    with pytest.raises(UserError, match="exists already"):
        registry.publish(NAME, submission, write, version=1)
    (registry.path / NAME / "5").mkdir()
    with pytest.raises(UserError, match="exists already"):
        registry.publish(NAME, submission, write, version=5)
    (registry.path / NAME / "5").rmdir()
    assert _tree(registry.path) == before


def test_aliases_name_versions_and_move(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    for _ in range(2):
        registry.publish(NAME, submission, write)
    assert registry.resolve(f"{NAME}@latest").version == 3
    assert str(registry.set_alias(f"{NAME}@2", "stable")) == f"{NAME}@2"
    assert registry.resolve(f"{NAME}@stable").version == 2
    assert registry.show(f"{NAME}@stable").version == 2
    assert registry.aliases(NAME) == {"stable": 2}
    registry.publish(NAME, submission, write)  # keeps them
    assert registry.resolve(f"{NAME}@stable").version == 2
    registry.set_alias(NAME, "stable")
    registry.set_alias(f"{NAME}@1", "paper-2018")
    assert registry.aliases(NAME) == {"stable": 4, "paper-2018": 1}
    registry.rebuild_index()
    assert registry.aliases(NAME) == {"stable": 4, "paper-2018": 1}
    registry.remove_alias(NAME, "stable")
    with pytest.raises(UserError, match=r"use one of its versions: 1, 2, 3, 4 \(alias"):
        registry.resolve(f"{NAME}@stable")
    registry.remove_alias(NAME, "paper-2018")
    assert registry.aliases(NAME) == {}


@pytest.mark.parametrize("alias", ["latest", "2", "Stable", "", "a b", "x" * 33, None])
def test_what_cannot_be_an_alias(registry: zoo.Registry, alias: Any) -> None:
    for change in (registry.set_alias, registry.remove_alias):
        with pytest.raises(UserError, match="alias"):
            change(NAME, alias)
    with pytest.raises(UserError, match="has no version 9"):
        registry.set_alias(f"{NAME}@9", "stable")


def test_lists_the_latest_of_every_agent(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    registry.publish(NAME, submission, write)
    registry.publish("harlow/lstm", submission, write)
    found = [(m.id, m.version) for m in registry.list()]
    assert found == [("harlow/lstm", 1), (NAME, 2)]


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("two_step/eplstm", "did you mean 'two_step/ep_lstm'"),
        ("harlow/big", "use one of two_step/ep_lstm"),
        ("two_step/ep_lstm@2", "use one of its versions: 1"),
        ("two_step", "give family/agent"),
        ("two_step/ep_lstm@stable", "has no alias stable"),
        ("two_step/ep_lstm@Stable", "give family/agent"),
        ("two_step/ep_lstm@0", "give family/agent"),
        ("../two_step", "give family/agent"),
        ("two_step/..", "give family/agent"),
        ("two_step/ep_lstm/1", "give family/agent"),
        ("/two_step/ep_lstm", "give family/agent"),
        ("", "give family/agent"),
        (None, "give family/agent"),
    ],
)
def test_an_unknown_agent_is_one_line_with_the_fix(
    registry: zoo.Registry, agent: Any, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        registry.resolve(agent)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt])
def test_a_failed_publish_leaves_nothing(
    registry: zoo.Registry, submission: Submission, error: type[BaseException]
) -> None:
    def fail(directory: Path) -> Any:
        (directory / "half").write_text("")
        raise error

    before = _tree(registry.path)
    with pytest.raises((error, UserError)):
        registry.publish(NAME, submission, fail)
    with pytest.raises((error, UserError)):
        registry.publish("new_family/agent", submission, fail)
    assert _tree(registry.path) == before


def test_a_killed_publish_leaves_the_registry_valid(
    registry: zoo.Registry, submission: Submission, write: Writer, tmp_path: Path
) -> None:
    """SIGKILL at every point where the process touches the disk for good."""
    for number, moment in enumerate(("write", "sync_tree", "rename", "write_index")):
        _publish_and_die(registry.path, moment)
        survivors = registry.versions(NAME)
        assert len(survivors) == 1 + number
        for version in survivors:
            registry.verify(f"{NAME}@{version}")
        registry.publish(NAME, submission, write)
        leftovers = [p.name for p in registry.path.rglob(".tmp-*")]
        assert not leftovers


def test_a_killed_first_publish_leaves_a_usable_folder(
    tmp_path: Path, submission: Submission, write: Writer
) -> None:
    _publish_and_die(tmp_path / "new", "rename")
    assert zoo.Registry(tmp_path / "new").publish(NAME, submission, write).version == 1


_DIE = """
import os, signal, sys
sys.path.insert(0, {here!r})
import conftest, export.directories, zoo, zoo.writing
from zoo.manifest import Submission

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

write = conftest.write_files
if {moment!r} == "write":
    write = lambda directory: (conftest.write_files(directory), die())
elif {moment!r} == "rename":
    os.rename = die
elif {moment!r} == "sync_tree":
    export.directories.sync_tree = die
else:
    zoo.writing.write_index = die
submission = Submission.model_validate({{"kind": "lstm", **conftest.SUBMISSION}})
zoo.Registry({path!r}).publish({name!r}, submission, write)
"""


def _publish_and_die(path: Path, moment: str) -> None:
    here = str(Path(__file__).parent)
    code = _DIE.format(here=here, path=str(path), name=NAME, moment=moment)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr


_RACE = """
import sys
sys.path.insert(0, {here!r})
import conftest, zoo
from zoo.manifest import Submission

submission = Submission.model_validate({{"kind": "lstm", **conftest.SUBMISSION}})
print("ready", flush=True)
sys.stdin.readline()
registry = zoo.Registry({path!r})
for _ in range(5):
    print(registry.publish({name!r}, submission, conftest.write_files).version)
"""


def test_two_publishers_at_once_get_different_versions(tmp_path: Path) -> None:
    path = tmp_path / "registry"
    here = str(Path(__file__).parent)
    code = _RACE.format(here=here, path=str(path), name=NAME)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    racers = [
        subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:  # only now may either begin
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    versions = [int(v) for racer in racers for v in racer.communicate()[0].split()]
    assert sorted(versions) == list(range(1, 11))
    registry = zoo.Registry(path)
    assert registry.versions(NAME) == tuple(range(1, 11))
    for version in versions:
        registry.verify(f"{NAME}@{version}")


def test_waits_only_so_long_for_another_publisher(
    registry: zoo.Registry,
    submission: Submission,
    write: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import zoo.writing as module

    def publish_meanwhile(directory: Path) -> Any:
        monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
        other = zoo.Registry(registry.path)
        with pytest.raises(UserError, match="locked by another publish"):
            other.publish(NAME, submission, write)
        return write(directory)

    assert registry.publish(NAME, submission, publish_meanwhile).version == 2


def test_a_folder_without_an_index_is_refused_until_rebuilt(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    index = registry.path / "index.json"
    before = index.read_bytes()
    index.unlink()
    for use in (
        lambda: registry.show(NAME),
        registry.list,
        lambda: registry.publish(NAME, submission, write),
    ):
        with pytest.raises(UserError, match="rebuild_index"):
            use()
    registry.rebuild_index()
    assert index.read_bytes() == before


def test_a_damaged_folder_is_not_rebuilt(registry: zoo.Registry) -> None:
    before = (registry.path / "index.json").read_bytes()
    (registry.directory(NAME) / "config.json").write_text("[]")
    with pytest.raises(UserError, match="has 2 bytes, not the 3"):
        registry.rebuild_index()
    assert (registry.path / "index.json").read_bytes() == before


def test_a_version_moved_elsewhere_is_refused(
    registry: zoo.Registry, submission: Submission, write: Writer
) -> None:
    """Even by someone who also edits the index."""
    registry.publish(NAME, submission, write)
    index = json.loads((registry.path / "index.json").read_text())
    versions = index["agents"][NAME]
    versions["1"], versions["2"] = versions["2"], versions["1"]
    (registry.path / "index.json").write_text(json.dumps(index))
    one, two, aside = (registry.path / NAME / name for name in ("1", "2", "aside"))
    for source, target in ((one, aside), (two, one), (aside, two)):
        source.rename(target)
    with pytest.raises(UserError, match=r"is that of two_step/ep_lstm@2"):
        registry.show(f"{NAME}@1")


def test_no_registry_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a directory"):
        zoo.Registry(tmp_path / "typo").list()
    assert not (tmp_path / "typo").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is not a directory"):
        zoo.Registry(tmp_path / "file").list()


def test_cannot_publish_below_a_file(
    tmp_path: Path, submission: Submission, write: Writer
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        zoo.Registry(tmp_path / "file").publish(NAME, submission, write)


def test_the_environment_names_the_default_registry(
    registry: zoo.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = Path(zoo.__file__).parent / "agents"
    monkeypatch.delenv("KERASMETA_REGISTRY", raising=False)
    assert zoo.default_registry().path == embedded
    monkeypatch.setenv("KERASMETA_REGISTRY", str(registry.path))
    assert zoo.default_registry().path == registry.path


def test_a_copied_registry_is_the_same_registry(
    registry: zoo.Registry, tmp_path: Path
) -> None:
    """Nothing in it depends on where it is."""
    shutil.copytree(registry.path, tmp_path / "copy")
    assert zoo.Registry(tmp_path / "copy").verify(NAME) == registry.verify(NAME)
    for path in registry.path.rglob("*"):
        if path.is_file():
            assert os.fsencode(tmp_path) not in path.read_bytes()


def test_importing_zoo_does_not_import_tensorflow() -> None:
    code = "import zoo, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
