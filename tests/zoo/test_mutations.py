"""Whatever is in a registry: refused in one line, or the very agent that was published.

Mutations of indexes, manifests, archives, safetensors and other files, as damage and
malice make them. `KERASMETA_TEST_MUTATIONS=10000` tries so many of each kind.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.command_line import snapshot
from harness.watching import confined_to, within_a_gibibyte
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

import zoo
from kerasmeta.errors import UserError
from zoo.cache import Cache
from zoo.remote import RemoteRegistry
from zoo.stores import MissingError, Sink, base

NAME = "two_step/ep_lstm"
MUTATIONS = settings(
    max_examples=int(os.environ.get("KERASMETA_TEST_MUTATIONS", "300")),
    suppress_health_check=list(HealthCheck),
)


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """A change of a few bytes: flipped, cut out, put in, repeated or cut off."""
    kind = draw(st.sampled_from(["flip", "splice", "repeat", "truncate"]))
    place, new = draw(st.floats(0, 1)), draw(st.binary(max_size=8))
    length, bit = draw(st.integers(0, 40)), draw(st.integers(0, 7))

    def mutate(data: bytes) -> bytes:
        at = min(int(place * len(data)), max(len(data) - 1, 0))
        if kind == "flip" and data:
            return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        if kind == "repeat":
            return data[:at] + data[at : at + length] * 3 + data[at + length :]
        return (
            data[:at] if kind == "truncate" else data[:at] + new + data[at + length :]
        )

    return mutate


# Values that documents may hold where others were.
STRANGE: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["../../x", "/etc/passwd", "a/b", "\x1b[2J", "x" * 3000, 10**400]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=3),
)


def _replace(document: Any, steps: list[int], value: Any) -> Any:
    """The document with one of its inner values, by a path of choices, replaced."""
    if not steps or not isinstance(document, (dict, list)) or not document:
        return value
    if isinstance(document, list):
        at = steps[0] % len(document)
        changed = _replace(document[at], steps[1:], value)
        return [*document[:at], changed, *document[at + 1 :]]
    key = sorted(document)[steps[0] % len(document)]
    if steps[0] % 7 == 6:  # under another name
        return {**{k: v for k, v in document.items() if k != key}, str(value): 1}
    return {**document, key: _replace(document[key], steps[1:], value)}


class Files:
    """A store in memory."""

    address = "memory"

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def send(self, path: str, sink: Sink) -> None:
        if path not in self.files:
            raise MissingError(path)
        sink.write(self.files[path][sink.size :])


@pytest.fixture
def files(registry: zoo.Registry) -> dict[str, bytes]:
    found = {p.relative_to(registry.path): p for p in registry.path.rglob("[!.]*")}
    return {str(name): p.read_bytes() for name, p in found.items() if p.is_file()}


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    with within_a_gibibyte():
        yield


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "sleep", lambda seconds: None)
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path / "cache"))


class Pull:
    """Pulls mutated registries, and looks at what became of the world."""

    def __init__(self, place: Path, files: dict[str, bytes]) -> None:
        self.place, self.files, self.number = place, files, 0
        self.published = {
            name.removeprefix(f"{NAME}/1/"): data
            for name, data in files.items()
            if name != "index.json"
        }

    def judge(self, files: dict[str, bytes], equal: bool = True) -> str:
        """What was said; nothing where the very agent came."""
        self.number += 1
        world = self.place / str(self.number)
        world.mkdir()
        cache = Cache(world / "cache")
        remote = RemoteRegistry(f"memory{self.number}", cache)
        remote.__dict__["_store"] = Files(files)
        said = ""
        try:
            with confined_to(world / "cache"):
                remote.list()
                directory = remote.directory(NAME)
            found = {n: d for n, d in snapshot(directory).items() if d is not None}
            names = {os.path.relpath(n, directory): d for n, d in found.items()}
            assert not equal or names == self.published
        except UserError as error:
            said = str(error)
            assert said
        assert said.isprintable()
        return said

    def sealed(self, name: str, data: bytes) -> dict[str, bytes]:
        """The registry with another file, and every hash made to fit it."""
        changed = {**self.files, f"{NAME}/1/{name}": data}
        if name != "manifest.json":
            manifest = json.loads(changed[f"{NAME}/1/manifest.json"])
            for entry in manifest["files"]:
                if entry["path"] == name:
                    entry["size"] = len(data)
                    entry["sha256"] = hashlib.sha256(data).hexdigest()
            changed[f"{NAME}/1/manifest.json"] = json.dumps(manifest).encode()
        sha256 = hashlib.sha256(changed[f"{NAME}/1/manifest.json"]).hexdigest()
        index = json.loads(changed["index.json"])
        index["agents"][NAME]["1"]["manifest_sha256"] = sha256
        return {**changed, "index.json": json.dumps(index).encode()}


@pytest.fixture
def pull(files: dict[str, bytes], tmp_path: Path) -> Pull:
    (tmp_path / "worlds").mkdir()
    return Pull(tmp_path / "worlds", files)


def test_the_harness_pulls_what_is_whole(pull: Pull) -> None:
    assert pull.judge(pull.files) == ""
    assert pull.judge(pull.sealed("config.json", b"[]"), equal=False) == ""
    assert "missing" in pull.judge({"index.json": pull.files["index.json"]})


def test_the_watch_sees_what_is_forbidden(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.write_text("")

    def connect() -> None:
        with socket.socket() as made:
            made.connect_ex(("127.0.0.1", 1))

    forbidden: list[Callable[[], object]] = [
        lambda: (inside / "../out").write_text("x"),
        lambda: os.close(os.open(outside, os.O_RDWR)),
        lambda: (tmp_path / "made").mkdir(),
        lambda: outside.rename(inside / "moved"),
        lambda: (inside / "moved").rename(outside),
        outside.unlink,
        connect,
        lambda: subprocess.run(["true"]),
    ]
    for act in forbidden:
        with pytest.raises(AssertionError), confined_to(inside):
            act()
    with confined_to(inside):
        (inside / "file").write_text("x")
        (inside / "file").read_text()
        (inside / "file").rename(inside / "other")
        shutil.rmtree(inside)


@pytest.mark.slow
@MUTATIONS
@given(mutate=mutations(), which=st.integers(0, 99))
def test_mutated_bytes_of_any_file(pull: Pull, mutate: Any, which: int) -> None:
    name = sorted(pull.files)[which % len(pull.files)]
    pull.judge({**pull.files, name: mutate(pull.files[name])})


@pytest.mark.slow
@MUTATIONS
@given(steps=st.lists(st.integers(0, 99), min_size=1, max_size=6), value=STRANGE)
def test_mutated_indexes(pull: Pull, steps: list[int], value: Any) -> None:
    index = _replace(json.loads(pull.files["index.json"]), steps, value)
    pull.judge({**pull.files, "index.json": _dump(index)})


@pytest.mark.slow
@MUTATIONS
@given(steps=st.lists(st.integers(0, 99), min_size=1, max_size=8), value=STRANGE)
def test_mutated_manifests_whose_hash_fits(
    pull: Pull, steps: list[int], value: Any
) -> None:
    """The publisher's mistake, or malice: the format's own rules stand against it."""
    manifest = json.loads(pull.files[f"{NAME}/1/manifest.json"])
    data = _dump(_replace(manifest, steps, value))
    pull.judge(pull.sealed("manifest.json", data), equal=False)


@pytest.mark.slow
@MUTATIONS
@given(path=st.text(max_size=30) | st.sampled_from(["../x", "/x", "a/../../x", "a\0b"]))
def test_paths_in_manifests(pull: Pull, path: str) -> None:
    manifest = json.loads(pull.files[f"{NAME}/1/manifest.json"])
    manifest["files"][0]["path"] = path
    data = _dump(manifest)
    changed = pull.sealed("manifest.json", data)
    body = pull.files[f"{NAME}/1/README.md"]
    pull.judge({**changed, f"{NAME}/1/{path}": body}, equal=False)


def _dump(document: Any) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


@pytest.mark.slow
@MUTATIONS
@given(mutate=mutations())
def test_mutated_archives(pull: Pull, mutate: Any, tmp_path: Path) -> None:
    path = tmp_path / "zoo.zip"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in pull.files.items():
            archive.writestr(name, data)
    path.write_bytes(mutate(packed.getvalue()))
    pull.number += 1
    cache = pull.place / f"cache{pull.number}"
    opened = RemoteRegistry(str(path), Cache(cache))
    said = ""
    try:
        with confined_to(cache):
            opened.verify(NAME)
        for name, data in pull.published.items():
            assert (opened.directory(NAME) / name).read_bytes() == data
    except UserError as error:
        said = str(error)
    assert said.isprintable()


@pytest.mark.slow
@MUTATIONS
@given(mutate=mutations())
def test_mutated_weights_whose_hash_fits(
    mutate: Any, tmp_path: Path, small_agent: Any
) -> None:
    """They are read, so that what is loaded is what the file holds, or refused."""
    from kerasmeta.agents import storage

    path = tmp_path / "weights.safetensors"
    arrays = {n: v.numpy() for n, v in small_agent.named_weights().items()}
    path.write_bytes(mutate(save(arrays)))
    said = ""
    try:
        with confined_to(tmp_path / "nothing"):
            storage.load_weights(small_agent, path)
        held = load(path.read_bytes())
        for name, variable in small_agent.named_weights().items():
            assert variable.numpy().tobytes() == held[name].tobytes()
    except UserError as error:
        said = str(error)
    assert "\n" not in said


@pytest.fixture(scope="module")
def small_agent() -> Any:
    from harness import agents

    from kerasmeta.agents import EpisodicAgent

    spec = agents.observation_spec()
    return EpisodicAgent(spec, agents.action_spec(), agents.config())
