"""Addresses, and several registries that are searched in order."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

import zoo
from kerasmeta.errors import UserError
from zoo.manifest import Submission
from zoo.opening import open_folder, split_addresses

NAME = "two_step/ep_lstm"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KERASMETA_REGISTRY", raising=False)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", []),
        ("/lab/zoo", ["/lab/zoo"]),
        ("/lab/zoo:relative:/other", ["/lab/zoo", "relative", "/other"]),
        ("a,b, c ,", ["a", "b", "c"]),
        ("https://x.org:8000/zoo", ["https://x.org:8000/zoo"]),
        ("https://x.org/zoo,/lab/zoo", ["https://x.org/zoo", "/lab/zoo"]),
        ("/lab/zoo:https://x.org:8000", ["/lab/zoo", "https://x.org:8000"]),
        ("https://x.org:8000:/lab", ["https://x.org:8000", "/lab"]),
        ("hf://a/b@v1:s3://c/d:~/e", ["hf://a/b@v1", "s3://c/d", "~/e"]),
        ("https://x.org/zoo:embedded", ["https://x.org/zoo", "embedded"]),
        ("http://[::1]:80/zoo", ["http://[::1]:80/zoo"]),
    ],
)
def test_addresses_in_the_environment(text: str, addresses: list[str]) -> None:
    assert split_addresses(text) == addresses


def test_the_kinds_of_address(
    registry: zoo.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = Path(zoo.__file__).parent / "agents"
    for address in (None, "embedded", [], ["embedded"]):
        assert zoo.open_registry(address).address == str(embedded)
    for folder in (registry.path, str(registry.path), f"file://{registry.path}"):
        opened = zoo.open_registry(folder)
        assert isinstance(opened, zoo.Registry)
        assert opened.path == registry.path
    assert zoo.open_registry(registry) is registry
    for address in ("https://x.org/zoo/", "s3://x/zoo", "hf://a/b", "x.zip"):
        assert isinstance(zoo.open_registry(address), zoo.RemoteRegistry)
    monkeypatch.setenv("KERASMETA_REGISTRY", f"embedded,{registry.path}")
    assert zoo.default_registry().address == f"{embedded}, {registry.path}"


def test_an_archive_is_a_registry(registry: zoo.Registry, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w") as archive:
        for path in registry.path.rglob("[!.]*"):
            archive.write(path, path.relative_to(registry.path))
    opened = zoo.open_registry(tmp_path / "zoo.zip")
    assert isinstance(opened, zoo.RemoteRegistry)
    assert opened.verify(NAME) == registry.verify(NAME)
    assert not opened.directory(NAME).is_relative_to(registry.path)


class TestSearching:
    @pytest.fixture
    def both(
        self, registry: zoo.Registry, tmp_path: Path, submission: Submission, write: Any
    ) -> Any:
        """A lab's registry with `two_step/ep_lstm@2` and `lab/one`, and a public one.

        The public one has `two_step/ep_lstm@1` and `public/one`.
        """
        lab = zoo.Registry(tmp_path / "lab")
        lab.publish(NAME, submission, write, version=2)
        lab.publish("lab/one", submission, write)
        registry.publish("public/one", submission, write)
        return zoo.open_registry([lab, registry]), lab, registry

    def test_the_first_that_has_it(self, both: Any) -> None:
        path, lab, public = both
        assert path.resolve(NAME).version == 2
        assert path.where(NAME) is lab
        assert path.where(f"{NAME}@1") is public
        assert path.where("public/one") is public
        assert path.directory(f"{NAME}@1") == public.directory(NAME)
        assert path.show("lab/one") == lab.show("lab/one")
        assert path.verify("public/one") == public.verify("public/one")

    def test_lists_every_agent_once(self, both: Any) -> None:
        path, _, _ = both
        found = [(m.id, m.version) for m in path.list()]
        assert found == [("lab/one", 1), ("public/one", 1), (NAME, 2)]
        assert path.versions(NAME) == (2,)
        assert set(path.index().agents) == {"lab/one", "public/one", NAME}
        every = [str(reference) for reference in path.references()]
        assert every == ["lab/one@1", "public/one@1", f"{NAME}@1", f"{NAME}@2"]

    def test_an_alias_and_its_version_are_of_one_registry(self, both: Any) -> None:
        path, lab, public = both
        public.set_alias(f"{NAME}@1", "stable")
        source = path.where(f"{NAME}@stable")
        assert source is public
        assert path.resolve(f"{NAME}@stable").version == 1
        lab.set_alias(f"{NAME}@2", "stable")
        assert path.resolve(f"{NAME}@stable").version == 2

    def test_what_none_has(self, both: Any) -> None:
        path, _, _ = both
        with pytest.raises(UserError, match="did you mean 'public/one'"):
            path.resolve("public/onee")
        with pytest.raises(UserError, match=f"{NAME}@9': has no version 9 .* 2 "):
            path.resolve(f"{NAME}@9")
        with pytest.raises(UserError, match="give family/agent"):
            path.resolve("nonsense")

    def test_a_registry_that_is_not_there_is_not_skipped(
        self, registry: zoo.Registry, tmp_path: Path
    ) -> None:
        """Or an agent of the same name would come from the next one."""
        path = zoo.open_registry([tmp_path / "typo", registry])
        with pytest.raises(UserError, match="typo"):
            path.resolve(NAME)


def test_agents_are_published_to_a_folder(registry: zoo.Registry) -> None:
    assert open_folder(registry.path).path == registry.path
    for others in ("https://x.org/zoo", [registry.path, "embedded"]):
        with pytest.raises(UserError, match="is not a folder on this machine"):
            open_folder(others)
