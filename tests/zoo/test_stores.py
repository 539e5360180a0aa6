"""Stores: whatever the protocol, the bytes of a file come from some point on."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.web_server import Behaviour, serving

from kerasmeta.errors import UserError
from zoo.stores import BrokenError, MissingError, Store, base, open_store, read, receive

CONTENT = bytes(range(256)) * 200  # a few chunks
FILES = {"index.json": b"{}", "a/b/1/weights": CONTENT, "a/b/1/with space#": b"odd"}


class Sink:
    """A sink in memory that shows what it is told."""

    def __init__(self, beginning: bytes = b"") -> None:
        self.data, self.restarts = beginning, 0

    @property
    def size(self) -> int:
        return len(self.data)

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def flush(self) -> None:
        pass

    def restart(self) -> None:
        self.data, self.restarts = b"", self.restarts + 1


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "sleep", lambda seconds: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "served"
    for path, content in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


@pytest.fixture
def web(folder: Path) -> Iterator[Behaviour]:
    with serving(folder) as behaviour:
        yield behaviour


class StoreContract:
    """What every store does; inherit it and give the fixture `store`."""

    def test_whole_files(self, store: Store) -> None:
        for path, content in FILES.items():
            sink = Sink()
            store.send(path, sink)
            assert sink.data == content

    @pytest.mark.parametrize("start", [1, 1000, 16384, 40000, len(CONTENT)])
    def test_from_some_byte_on(self, store: Store, start: int) -> None:
        """Also where all is there already: nothing more comes."""
        sink = Sink(CONTENT[:start])
        receive(store, "a/b/1/weights", sink, len(CONTENT))
        assert sink.data == CONTENT

    @pytest.mark.parametrize("path", ["none", "a/b/2/weights"])
    def test_a_file_that_is_not_there(self, store: Store, path: str) -> None:
        with pytest.raises(MissingError):
            store.send(path, Sink())

    def test_no_more_than_was_asked_for(self, store: Store) -> None:
        assert read(store, "a/b/1/weights", len(CONTENT)) == CONTENT
        with pytest.raises(UserError, match="sends more than 50,000 bytes"):
            read(store, "a/b/1/weights", 50_000)

    def test_what_the_sink_refuses_is_not_tried_again(self, store: Store) -> None:
        class Full(Sink):
            def write(self, data: bytes) -> int:
                self.restarts += 1
                raise UserError("sink", "", "is full", "stop")

        sink = Full()
        with pytest.raises(UserError, match="is full"):
            receive(store, "a/b/1/weights", sink)
        assert sink.restarts == 1


class TestWebStore(StoreContract):
    @pytest.fixture
    def store(self, web: Behaviour, tmp_path: Path) -> Store:
        return open_store(f"{web.url}/", tmp_path)

    def test_goes_on_where_the_connection_broke(
        self, store: Store, web: Behaviour
    ) -> None:
        web.cut_after["a/b/1/weights"] = [20_000, 20_000, 0]
        sink = Sink()
        receive(store, "a/b/1/weights", sink, len(CONTENT))
        assert sink.data == CONTENT
        assert sink.restarts == 0
        starts = [int(span[6:-1] or 0) if span else 0 for _, span in web.requests]
        assert starts == [0, 16384, 32768, 32768]

    def test_begins_again_where_the_server_knows_no_ranges(
        self, store: Store, web: Behaviour
    ) -> None:
        web.ranges = False
        web.cut_after["a/b/1/weights"] = [20_000]
        sink = Sink()
        receive(store, "a/b/1/weights", sink, len(CONTENT))
        assert (sink.data, sink.restarts) == (CONTENT, 1)

    def test_notices_a_break_that_the_server_does_not_tell(
        self, store: Store, web: Behaviour
    ) -> None:
        """Without a length the end of the connection is the end of the file."""
        web.lengths = False
        web.cut_after["a/b/1/weights"] = [20_000, 100]
        sink = Sink()
        receive(store, "a/b/1/weights", sink, len(CONTENT))
        assert sink.data == CONTENT

    def test_gives_up_in_the_end(self, store: Store, web: Behaviour) -> None:
        web.cut_after["a/b/1/weights"] = [20_000] + 99 * [0]
        with pytest.raises(UserError, match=r"stopped sending .* after 16,384 bytes"):
            receive(store, "a/b/1/weights", Sink(), len(CONTENT))
        assert len(web.requests) == base.ATTEMPTS

    def test_a_file_that_is_shorter_there_does_not_go_on_for_ever(
        self, store: Store, web: Behaviour
    ) -> None:
        with pytest.raises(UserError, match="stopped sending"):
            receive(store, "a/b/1/weights", Sink(), len(CONTENT) + 1)
        assert len(web.requests) < 12

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_busy_server_is_asked_again(
        self, store: Store, web: Behaviour, status: int
    ) -> None:
        web.statuses["index.json"] = [status, status]
        assert read(store, "index.json", 99) == b"{}"

    @pytest.mark.parametrize("status", [401, 403, 451])
    def test_a_refusal_is_final(
        self, store: Store, web: Behaviour, status: int
    ) -> None:
        web.statuses["index.json"] = [status]
        with pytest.raises(UserError, match=rf"refuses index.json \(HTTP {status}\)"):
            read(store, "index.json", 99)
        assert len(web.requests) == 1

    def test_redirections_are_followed_and_keep_what_came(
        self, store: Store, web: Behaviour
    ) -> None:
        web.redirect = web.url
        sink = Sink(CONTENT[:30_000])
        store.send("a/b/1/weights", sink)
        assert (sink.data, sink.restarts) == (CONTENT, 0)

    def test_nobody_there(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{taken.getsockname()[1]}"
            store = open_store(address, tmp_path)
            with pytest.raises(UserError, match=r"cannot be reached .*refused") as said:
                read(store, "index.json", 99)
        assert "\n" not in str(said.value)


class TestMemoryStore(StoreContract):
    """fsspec, without a server."""

    @pytest.fixture
    def store(self, folder: Path, tmp_path: Path) -> Iterator[Store]:
        import fsspec

        memory = fsspec.filesystem("memory")
        for path, content in FILES.items():
            memory.pipe(f"/zoo/{path}", content)
        yield open_store("memory://zoo", tmp_path)
        memory.rm("/zoo", recursive=True)


@pytest.fixture(scope="module")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3-compatible server, a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, **quiet)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, "the server does not start"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.mark.slow
class TestObjectStore(StoreContract):
    """S3's protocol, against moto."""

    @pytest.fixture
    def store(
        self, object_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Store]:
        import fsspec

        for name, value in {
            "AWS_ENDPOINT_URL": object_store,
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        files = fsspec.filesystem("s3", skip_instance_cache=True)
        if not files.exists("bucket"):
            files.mkdir("bucket")
            for path, content in FILES.items():
                files.pipe(f"bucket/zoo/{path}", content)
        yield open_store("s3://bucket/zoo", tmp_path)
        fsspec.filesystem("s3").clear_instance_cache()

    def test_a_bucket_that_is_not_there(self, store: Store, tmp_path: Path) -> None:
        other = open_store("s3://nowhere/zoo", tmp_path)
        with pytest.raises((MissingError, UserError)):
            read(other, "index.json", 99)


class TestArchiveStore(StoreContract):
    @pytest.fixture
    def store(self, folder: Path, tmp_path: Path) -> Store:
        path = tmp_path / "zoo.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in FILES.items():
                archive.writestr(name, content)
        return open_store(str(path), tmp_path)

    def test_a_file_that_is_no_archive(self, tmp_path: Path) -> None:
        (tmp_path / "zoo.zip").write_bytes(b"PK no more")
        for name in ("zoo.zip", "none.zip"):
            store = open_store(str(tmp_path / name), tmp_path)
            with pytest.raises(UserError, match=r"cannot be read"):
                read(store, "index.json", 99)


class TestHubStore(StoreContract):
    """The Hub's protocol as its own client speaks it, against a stand-in."""

    @pytest.fixture
    def store(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Store]:
        from harness.hub_server import hub

        with hub(folder, "lab/zoo") as address:
            monkeypatch.setenv("HF_ENDPOINT", address)
            yield open_store("hf://lab/zoo", tmp_path)

    def test_a_folder_of_a_revision(
        self, store: Store, folder: Path, tmp_path: Path
    ) -> None:
        other = open_store("hf://lab/zoo@main/a/b", tmp_path)
        assert read(other, "1/weights", len(CONTENT)) == CONTENT

    def test_a_repository_that_is_not_there(self, store: Store, tmp_path: Path) -> None:
        other = open_store("hf://lab/none", tmp_path)
        with pytest.raises(UserError, match="is not there, or is private"):
            read(other, "index.json", 99)

    def test_everything_is_kept_in_the_cache_given(
        self, store: Store, tmp_path: Path
    ) -> None:
        store.send("index.json", Sink())
        assert list((tmp_path / "hub").rglob("index.json"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://host/zoo", "unknown kind ftp://"),
        ("hf://zoo", "is no repository of the Hub"),
        ("hf://a/b@c d", "is no repository of the Hub"),
    ],
)
def test_addresses_that_are_none(address: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        open_store(address, tmp_path)


@pytest.mark.parametrize(
    ("module", "address", "extra"),
    [
        ("fsspec.core", "s3://bucket/zoo", "cloud"),
        ("huggingface_hub", "hf://lab/zoo", "hub"),
    ],
)
def test_the_extra_to_install_is_named(
    module: str,
    address: str,
    extra: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"pip install 'kerasmeta\[{extra}\]'"):
        open_store(address, tmp_path)


def test_errors_of_the_provider_are_tried_again(tmp_path: Path) -> None:
    class Flaky:
        address, tries = "flaky://", 0

        def send(self, path: str, sink: Any) -> None:
            self.tries += 1
            if self.tries < 3:
                raise BrokenError("not now")
            sink.write(b"now")

    assert read(Flaky(), "x", 9) == b"now"


def test_opening_a_store_imports_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys, zoo, zoo.remote\n"
        "heavy = {'requests', 'pooch', 'fsspec', 'huggingface_hub', 'model_signing'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
