"""Processes at once, and killed ones: no reader ever finds half of a version."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.web_server import Behaviour, serving

import zoo
from zoo.cache import Cache
from zoo.manifest import Submission
from zoo.pruning import prune

NAME = "two_step/ep_lstm"
HERE = str(Path(__file__).parent)
KILLS = int(os.environ.get("KERASMETA_TEST_KILLS", "100"))  # random moments

_BEGIN = f"""
import sys
sys.path.insert(0, {HERE!r})
import conftest, zoo, zoo.pulling, zoo.stores.web
from kerasmeta.errors import UserError
from zoo.manifest import Submission
submission = Submission.model_validate({{"kind": "lstm", **conftest.SUBMISSION}})
print("ready", flush=True)
sys.stdin.readline()
"""
_PULL = "print(zoo.RemoteRegistry({address!r}).directory({name!r}), flush=True)"
_PUBLISH = """
try:
    registry = zoo.Registry({address!r})
    print(registry.publish({name!r}, submission, conftest.write_files, 1).version)
except UserError as error:
    print(error)
"""


def _start(code: str, address: str, cache: Path) -> Any:
    """A process that is ready to run the code, and waits for a line to do so."""
    process = subprocess.Popen(
        [sys.executable, "-c", _BEGIN + code.format(address=address, name=NAME)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KERASMETA_CACHE": str(cache)},
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def _go(process: Any) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.fixture
def web(registry: zoo.Registry) -> Iterator[Behaviour]:
    with serving(registry.path) as behaviour:
        yield behaviour


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_two_pulling_at_once(
    web: Behaviour, registry: zoo.Registry, cache: Path
) -> None:
    both = [_start(_PULL, web.url, cache) for _ in range(2)]
    for process in both:
        _go(process)
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    first, second = (Path(out.strip()) for out, _ in said)
    assert first == second
    fetched = [path for path in web.paths() if path.endswith("saved_model.pb")]
    assert len(fetched) == 1  # the other one waited, and found it
    _assert_whole(web.url, registry, cache)


def test_two_publishing_the_same_version_at_once(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "published"
    both = [_start(_PUBLISH, str(path), cache) for _ in range(2)]
    for process in both:
        _go(process)
    said = sorted(process.communicate()[0].strip() for process in both)
    assert said[0] == "1"
    assert "version 1: of two_step/ep_lstm exists already" in said[1]
    assert "\n" not in said[1]
    zoo.Registry(path).verify(NAME)


_PUBLISH_ALL = """
registry = zoo.Registry({address!r})
for version in range(2, 12):
    try:
        registry.publish({name!r}, submission, conftest.write_files, version)
        print(version)
    except UserError as error:
        print(error)
"""
_READ_ALL = """
found = []
while not found or found[-1] < 11:
    found.append(zoo.RemoteRegistry("URL").verify({name!r}).version)
    zoo.Registry({address!r}).verify({name!r})
print(*found)
"""


@pytest.mark.slow
def test_two_pulling_while_two_publish_the_same_versions(
    web: Behaviour, registry: zoo.Registry, cache: Path
) -> None:
    """One of the two publishes each version, and every reader finds whole ones only."""
    reading = _READ_ALL.replace("URL", web.url)
    codes = [reading, reading, _PUBLISH_ALL, _PUBLISH_ALL]
    every = [_start(code, registry.address, cache) for code in codes]
    for process in every:
        _go(process)
    said = [process.communicate()[0].splitlines() for process in every]
    assert [process.returncode for process in every] == [0] * 4
    for line in (said[0], said[1]):
        [found] = [[int(number) for number in text.split()] for text in line]
        assert found == sorted(found)
    for version, *told in zip(range(2, 12), *said[2:], strict=True):
        won, lost = sorted(told, key=len)
        assert won == str(version)
        assert f"version {version}: of {NAME} exists already" in lost
    _assert_whole_versions(registry)


def _assert_whole_versions(registry: zoo.Registry) -> None:
    for reference in registry.references():
        registry.verify(reference)


class Parent:
    """A process that forks one child after another, each of which runs the code.

    Importing takes longer than what is to be killed, and is done once.
    """

    def __init__(self, code: str, address: str, cache: Path) -> None:
        forking = (
            "while True:\n"
            "    if not (child := os.fork()):\n"
            f"        {code.format(address=address, name=NAME)}\n"
            "        os._exit(0)\n"
            "    print(child, flush=True)\n"
            "    print(os.waitpid(child, 0)[1], flush=True)\n"
            "    if not sys.stdin.readline():\n"
            "        break\n"
        )
        self.process = _start(f"import os\n{forking}", "", cache)

    def run(self, seconds: float) -> bool:
        """Lets a child live for so long; whether it was killed in its work."""
        _go(self.process)
        child = int(self.process.stdout.readline())
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        status = int(self.process.stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status == signal.SIGKILL

    def duration(self) -> float:
        """How long the code takes undisturbed, in seconds."""
        start = time.monotonic()
        _go(self.process)
        self.process.stdout.readline()
        assert self.process.stdout.readline() == "0\n"
        return time.monotonic() - start

    def end(self) -> None:
        self.process.communicate()


_QUIET_PULL = "zoo.RemoteRegistry({address!r}).directory({name!r})"
_NEXT = "zoo.Registry({address!r}).publish({name!r}, submission, conftest.write_files)"


@pytest.mark.slow
def test_pulls_killed_at_random_moments(
    web: Behaviour, registry: zoo.Registry, cache: Path
) -> None:
    """Whatever is in the cache then is whole, and the next pull goes on."""
    moments, killed = random.Random(20180726), 0
    parent = Parent(_QUIET_PULL, web.url, cache)
    length = parent.duration()
    for _ in range(KILLS):
        prune(Cache(cache), [NAME])
        killed += parent.run(moments.uniform(0, 1.2 * length))
        for cached in Cache(cache).list():
            offline = zoo.RemoteRegistry(web.url, Cache(cache), offline=True)
            assert offline.verify(f"{cached.id}@{cached.version}")
    parent.end()
    assert killed > KILLS // 4
    _assert_whole(web.url, registry, cache)


@pytest.mark.slow
def test_publishes_killed_at_random_moments(
    tmp_path: Path, cache: Path, submission: Submission, write: Any
) -> None:
    """Every version that the index names is whole, and publishing goes on."""
    registry = zoo.Registry(tmp_path / "registry")
    moments, killed = random.Random(20180727), 0
    parent = Parent(_NEXT, registry.address, cache)
    length = parent.duration()
    for _ in range(KILLS):
        killed += parent.run(moments.uniform(0, 1.2 * length))
        registry.verify(NAME)
    parent.end()
    assert killed > KILLS // 4
    _assert_whole_versions(registry)
    last = registry.publish(NAME, submission, write).version
    assert registry.verify(NAME).version == last
    assert not list(registry.path.rglob(".tmp-*"))


def _assert_whole(address: str, registry: zoo.Registry, cache: Path) -> None:
    remote = zoo.RemoteRegistry(address, Cache(cache))
    assert remote.verify(NAME) == registry.verify(NAME)
    (cached,) = Cache(cache).list()
    assert not list(cached.path.parent.glob(".tmp-*"))
