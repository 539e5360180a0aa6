"""`kerasmeta zoo`: pulling, the cache, aliases, several registries, signatures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.command_line import assert_refused
from harness.web_server import Behaviour, serving

NAME = "two_step/lstm"


@pytest.fixture
def web(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Behaviour]:
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path / "cache"))
    for name in ("OFFLINE", "REQUIRE_SIGNATURE"):
        monkeypatch.delenv(f"KERASMETA_{name}", raising=False)
    with serving(registry) as behaviour:
        yield behaviour


def test_pull_list_and_prune(command_line: Any, web: Behaviour, tmp_path: Path) -> None:
    pull = ("zoo", "pull", NAME, "--registry", web.url)
    (pulled,) = command_line(*pull, "--json").json["pulled"]
    path = Path(pulled["path"])
    assert (pulled["id"], pulled["version"]) == (NAME, 1)
    assert path.is_relative_to(tmp_path / "cache")
    assert (path / "saved_model.pb").is_file()
    listed = command_line("zoo", "cache", "list", "--json").json
    (cached,) = listed["agents"]
    assert (cached["path"], cached["id"]) == (pulled["path"], NAME)
    assert cached["bytes"] > 10_000
    assert command_line("zoo", "cache", "prune", "--json").json["removed"] == []
    pruned = command_line("zoo", "cache", "prune", NAME, "--json").json
    assert pruned["removed"] == [{"id": NAME, "version": 1}]
    assert not path.exists()
    assert str(path) in command_line(*pull).stdout


def test_offline(command_line: Any, web: Behaviour) -> None:
    verify = ("zoo", "verify", NAME, "--registry", web.url, "--json")
    answer = command_line(*verify, "--offline")
    assert_refused(answer, ("has not been read yet", "offline mode is on"))
    assert command_line(*verify).json["verified"] == [{"id": NAME, "version": 1}]
    web.requests.clear()
    assert command_line(*verify, "--offline").json["verified"][0]["id"] == NAME
    evaluated = command_line(
        *("evaluate", f"{NAME}@1", "--registry", web.url, "--lifetimes", "60", "--json")
    )
    assert evaluated.json["agent"] == f"{NAME}@1"
    assert web.requests == []
    elsewhere = (f"{NAME}@1", "--registry", web.url, "--offline", "--json")
    assert command_line("export", *elsewhere, "--out", "served").status == 0
    assert web.requests == []
    unread = ("other/agent", "--registry", web.url + "/more", "--offline")
    for command in ("evaluate", "analyse", "export"):
        out = () if command == "evaluate" else ("--out", "figures")
        assert_refused(command_line(command, *unread, *out), ("offline mode is on",))
    assert web.requests == []


def test_several_registries(command_line: Any, web: Behaviour) -> None:
    both = ("--registry", web.url, "--registry", "embedded", "--json")
    listed = command_line("zoo", "list", *both).json["agents"]
    found = {agent["id"]: agent for agent in listed}
    assert {"two_step/lstm", "two_step/ep_lstm"} <= set(found)
    here = command_line("zoo", "list", "--registry", web.url, "--json").json["agents"]
    assert found[NAME] == here[0]  # of the first one


def test_aliases(command_line: Any, registry: Path) -> None:
    here = ("--registry", str(registry), "--json")
    set_alias = command_line("zoo", "alias", "set", NAME, "stable", *here).json
    assert set_alias == {"id": NAME, "alias": "stable", "version": 1}
    (listed,) = command_line("zoo", "list", *here).json["agents"]
    assert listed["aliases"] == {"stable": 1}
    assert "stable 1" in command_line("zoo", "list", *here[:2]).stdout
    shown = command_line("zoo", "show", f"{NAME}@stable", *here).json
    assert (shown["id"], shown["version"]) == (NAME, 1)
    removed = command_line("zoo", "remove-alias", NAME, "stable", *here).json
    assert removed == {"id": NAME, "alias": "stable"}
    answer = command_line("zoo", "show", f"{NAME}@stable", *here)
    assert_refused(answer, ("has no alias stable",))


def test_an_unsigned_agent_is_refused_where_a_signature_is_required(
    command_line: Any, web: Behaviour, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_text("any")
    for command in ("pull", "verify"):
        arguments = ("zoo", command, NAME, "--registry", web.url)
        answer = command_line(*arguments, "--require-signature", key)
        assert_refused(answer, ("is not signed", "do not use it"))
