"""Registries elsewhere: pulled whole and checked, kept, found again without network."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.web_server import Behaviour, serving

import zoo
from kerasmeta.errors import UserError
from zoo.cache import Cache
from zoo.manifest import Submission
from zoo.pruning import prune
from zoo.stores import base

NAME = "two_step/ep_lstm"
BIG = "two_step/ep_lstm/1/saved_model.pb"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "sleep", lambda seconds: None)
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path / "cache"))
    for name in ("REGISTRY", "OFFLINE", "REQUIRE_SIGNATURE"):
        monkeypatch.delenv(f"KERASMETA_{name}", raising=False)


@pytest.fixture
def cache() -> Cache:
    return Cache()


@pytest.fixture
def local(tmp_path: Path, submission: Submission, write: Any) -> zoo.Registry:
    """A registry in a folder; its SavedModel is long enough to break off."""

    def write_big(directory: Path) -> Any:
        contract = write(directory)
        (directory / "saved_model.pb").write_bytes(os.urandom(60_000))
        return contract

    registry = zoo.Registry(tmp_path / "registry")
    registry.publish(NAME, submission, write_big)
    return registry


@pytest.fixture
def web(local: zoo.Registry) -> Iterator[Behaviour]:
    with serving(local.path) as behaviour:
        yield behaviour


@pytest.fixture
def remote(web: Behaviour) -> zoo.RemoteRegistry:
    return zoo.RemoteRegistry(web.url)


def _files(path: Path) -> dict[str, bytes]:
    found = {str(p.relative_to(path)): p for p in path.rglob("*") if p.is_file()}
    return {name: p.read_bytes() for name, p in found.items()}


def test_a_pulled_version_is_the_published_one(
    remote: zoo.RemoteRegistry, local: zoo.Registry
) -> None:
    directory = remote.directory(NAME)
    assert _files(directory) == _files(local.directory(NAME))
    assert remote.list() == local.list()
    assert remote.versions(NAME) == (1,)
    assert remote.resolve(NAME) == local.resolve(NAME)
    assert remote.verify(NAME) == local.verify(NAME)
    assert directory.parts[-3:] == (*NAME.split("/"), "1")  # as TF Serving wants it


def test_what_is_in_the_cache_is_not_sent_again(web: Behaviour) -> None:
    first = zoo.RemoteRegistry(web.url).directory(NAME)
    web.requests.clear()
    assert zoo.RemoteRegistry(web.url).directory(NAME) == first
    assert web.paths() == ["index.json"]
    web.requests.clear()
    assert zoo.RemoteRegistry(web.url).directory(f"{NAME}@1") == first
    assert web.paths() == []


def test_a_registry_that_moved_is_still_known(
    web: Behaviour, local: zoo.Registry
) -> None:
    first = zoo.RemoteRegistry(web.url).directory(NAME)
    with serving(local.path) as elsewhere:
        assert zoo.RemoteRegistry(elsewhere.url).directory(NAME) == first
        assert elsewhere.paths() == ["index.json"]


def test_goes_on_after_a_broken_connection(
    remote: zoo.RemoteRegistry, web: Behaviour, local: zoo.Registry
) -> None:
    web.cut_after[BIG] = [20_000, 20_000]
    directory = remote.directory(NAME)
    assert _files(directory) == _files(local.directory(NAME))
    spans = [span for path, span in web.requests if path == BIG]
    assert spans == ["", "bytes=16384-", "bytes=32768-"]


def test_another_pull_goes_on_where_one_gave_up(
    web: Behaviour, local: zoo.Registry
) -> None:
    web.cut_after[BIG] = [40_000] + base.ATTEMPTS * [0]
    with pytest.raises(UserError, match=r"stopped sending .*saved_model.pb"):
        zoo.RemoteRegistry(web.url).directory(NAME)
    assert not Cache().list()
    web.cut_after.clear()
    web.requests.clear()
    directory = zoo.RemoteRegistry(web.url).directory(NAME)
    assert _files(directory) == _files(local.directory(NAME))
    assert [span for path, span in web.requests if path == BIG] == ["bytes=32768-"]
    finished = {path for path, span in web.requests if not span}
    assert f"{NAME}/1/README.md" not in finished


def test_a_damaged_beginning_is_fetched_again(
    web: Behaviour, local: zoo.Registry, cache: Cache
) -> None:
    """Power failed, say, and what was written is not what had come."""
    web.cut_after[BIG] = [40_000] + base.ATTEMPTS * [0]
    with pytest.raises(UserError):
        zoo.RemoteRegistry(web.url).directory(NAME)
    (part,) = cache.root.rglob("saved_model.pb")
    part.write_bytes(b"\0" * part.stat().st_size)
    web.cut_after.clear()
    directory = zoo.RemoteRegistry(web.url).directory(NAME)
    assert _files(directory) == _files(local.directory(NAME))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body[:-1] + b"?", "is not the file that was published"),
        (lambda body: body + b"more", "is longer than the 60,000 bytes published"),
        (lambda body: body[:-1], "stopped sending"),
        (lambda body: b"", "cannot be reached .*ended before its 60,000 bytes"),
    ],
)
def test_another_file_than_the_published_is_refused(
    remote: zoo.RemoteRegistry,
    web: Behaviour,
    local: zoo.Registry,
    change: Callable[[bytes], bytes],
    message: str,
) -> None:
    web.replaced[BIG] = change((local.path / BIG).read_bytes())
    with pytest.raises(UserError, match=message) as said:
        remote.directory(NAME)
    assert "\n" not in str(said.value)
    assert not Cache().list()
    web.replaced.clear()
    remote.verify(NAME)


@pytest.mark.parametrize("path", [BIG, f"{NAME}/1/manifest.json"])
def test_a_file_that_is_gone(
    remote: zoo.RemoteRegistry, local: zoo.Registry, path: str
) -> None:
    (local.path / path).unlink()
    with pytest.raises(UserError, match=f"{Path(path).name}': is missing"):
        remote.directory(NAME)


def test_a_manifest_with_another_hash_is_refused(
    remote: zoo.RemoteRegistry, web: Behaviour, local: zoo.Registry
) -> None:
    path = f"{NAME}/1/manifest.json"
    web.replaced[path] = (local.path / path).read_bytes().replace(b"tiny", b"huge")
    with pytest.raises(UserError, match=r"manifest.json': is not the file that was"):
        remote.show(NAME)


def test_damage_in_the_cache_is_repaired(
    remote: zoo.RemoteRegistry, local: zoo.Registry
) -> None:
    for name in ("manifest.json", "config.json"):
        (remote.directory(NAME) / name).write_bytes(b"damaged")
        assert _files(remote.directory(NAME)) == _files(local.directory(NAME))
    shutil.rmtree(remote.directory(NAME) / "variables")  # cleaners of temporary files
    assert _files(remote.directory(NAME)) == _files(local.directory(NAME))


def test_offline_nothing_is_sent(web: Behaviour, local: zoo.Registry) -> None:
    zoo.RemoteRegistry(web.url).directory(NAME)
    web.requests.clear()
    offline = zoo.open_registry(web.url, offline=True)
    assert _files(offline.directory(NAME)) == _files(local.directory(NAME))
    assert offline.list() == local.list()
    assert offline.verify(f"{NAME}@latest") == local.verify(NAME)
    assert web.requests == []


def test_offline_says_what_there_is(
    web: Behaviour, local: zoo.Registry, submission: Submission, write: Any
) -> None:
    with pytest.raises(UserError, match="has not been read yet, and offline mode"):
        zoo.RemoteRegistry(web.url, offline=True).list()
    zoo.RemoteRegistry(web.url).directory(NAME)
    local.publish(NAME, submission, write)
    local.publish("two_step/lstm", submission, write)
    zoo.RemoteRegistry(web.url).index()
    offline = zoo.RemoteRegistry(web.url, offline=True)
    assert [(m.id, m.version) for m in offline.list()] == []  # the latest is not here
    assert [str(reference) for reference in offline.references()] == [f"{NAME}@1"]
    message = rf"{NAME}@2': is not in the cache, and offline .* or use {NAME}@1"
    with pytest.raises(UserError, match=message):
        offline.directory(NAME)
    with pytest.raises(UserError, match=r"two_step/lstm@1': is not in the cache"):
        offline.show("two_step/lstm")
    damaged = offline.directory(f"{NAME}@1") / "config.json"
    damaged.write_text("{ }")
    with pytest.raises(UserError, match="is damaged in the cache, and offline"):
        zoo.RemoteRegistry(web.url, offline=True).directory(f"{NAME}@1")


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("0", False), ("", False)])
def test_the_environment_turns_offline_mode_on(
    web: Behaviour, monkeypatch: pytest.MonkeyPatch, value: str, offline: bool
) -> None:
    monkeypatch.setenv("KERASMETA_OFFLINE", value)
    opened = zoo.open_registry(web.url)
    assert isinstance(opened, zoo.RemoteRegistry)
    assert opened.offline is offline


def test_a_version_that_changed_over_there_is_refused(
    web: Behaviour, local: zoo.Registry
) -> None:
    """Whoever holds the registry may be deceived, or deceive."""
    zoo.RemoteRegistry(web.url).index()
    index = json.loads((local.path / "index.json").read_text())
    index["agents"][NAME]["1"]["manifest_sha256"] = "0" * 64
    (local.path / "index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="gives two_step/ep_lstm@1 other hashes"):
        zoo.RemoteRegistry(web.url).index()
    prune(Cache(), everything=True)
    zoo.RemoteRegistry(web.url).index()


def test_new_versions_are_seen_by_new_objects(
    web: Behaviour, local: zoo.Registry, submission: Submission, write: Any
) -> None:
    assert zoo.RemoteRegistry(web.url).resolve(NAME).version == 1
    local.publish(NAME, submission, write)
    local.set_alias(f"{NAME}@1", "stable")
    fresh = zoo.RemoteRegistry(web.url)
    assert fresh.resolve(NAME).version == 2
    assert fresh.resolve(f"{NAME}@stable").version == 1
    assert fresh.verify(f"{NAME}@stable").version == 1


def test_an_address_that_holds_no_registry(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with (
        serving(tmp_path / "empty") as web,
        pytest.raises(UserError, match=r"has no index\.json; check the address"),
    ):
        zoo.RemoteRegistry(web.url).list()


def test_a_cache_that_cannot_be_written(
    web: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="let KERASMETA_CACHE name a directory"):
        zoo.RemoteRegistry(web.url).directory(NAME)


def test_a_version_that_does_not_fit_on_the_disk(
    remote: zoo.RemoteRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UserError, match="has room for 1,000 bytes"):
        remote.directory(NAME)


def test_the_cache_without_a_variable_is_where_the_platform_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KERASMETA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert Cache().root == tmp_path / "xdg" / "kerasmeta"


class TestPruning:
    def test_removes_damage_and_leftovers_only(
        self,
        web: Behaviour,
        local: zoo.Registry,
        cache: Cache,
        submission: Submission,
        write: Any,
    ) -> None:
        for _ in range(2):
            local.publish(NAME, submission, write)
        remote = zoo.RemoteRegistry(web.url)
        good, bad = (remote.directory(f"{NAME}@{version}") for version in (2, 3))
        web.cut_after[BIG] = [40_000] + base.ATTEMPTS * [0]
        with pytest.raises(UserError):
            zoo.RemoteRegistry(web.url).directory(f"{NAME}@1")
        (bad / "config.json").write_text("[]")
        (cache.root / "indexes" / ".tmp-x").write_text("left")
        assert [(c.id, c.version, c.path) for c in cache.list()] == [
            (NAME, 2, good),
            (NAME, 3, bad),
        ]
        pruned = prune(cache)
        assert [c.path for c in pruned.versions] == [bad]
        assert pruned.bytes > 32_768
        assert [c.path for c in cache.list()] == [good]
        assert not list(cache.root.rglob(".tmp-*"))
        assert prune(cache) == ((), 0)
        zoo.RemoteRegistry(web.url, offline=True).verify(f"{NAME}@2")

    def test_removes_what_is_named(self, web: Behaviour, cache: Cache) -> None:
        zoo.RemoteRegistry(web.url).directory(NAME)
        assert prune(cache, ["two_step/lstm", f"{NAME}@2"]).versions == ()
        assert [c.version for c in prune(cache, [f"{NAME}@1"]).versions] == [1]
        zoo.RemoteRegistry(web.url).directory(NAME)
        assert [c.version for c in prune(cache, [NAME]).versions] == [1]
        with pytest.raises(UserError, match="give family/agent"):
            prune(cache, ["nonsense"])

    def test_removes_everything(self, web: Behaviour, cache: Cache) -> None:
        zoo.RemoteRegistry(web.url).directory(NAME)
        assert prune(cache, everything=True).bytes > 60_000
        assert list(_files(cache.root).values()) == [b""]  # the lock

    def test_leaves_alone_what_is_being_pulled(
        self, web: Behaviour, cache: Cache
    ) -> None:
        remote = zoo.RemoteRegistry(web.url)
        directory = remote.directory(NAME)
        entry = remote.index().agents[NAME][1]
        with cache.locked(entry.manifest_sha256):
            prune(cache, [NAME])
            assert directory.is_dir()
        prune(cache, [NAME])
        assert not directory.exists()

    def test_an_empty_cache(self, cache: Cache) -> None:
        assert cache.list() == ()
        assert prune(cache, everything=True) == ((), 0)
        assert not cache.root.exists()
