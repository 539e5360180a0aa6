"""Signatures: what the holder of a key has published, and nothing else, is accepted."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from harness.web_server import Behaviour, serving

import zoo
from kerasmeta.errors import UserError
from zoo import signing
from zoo.loading import checked
from zoo.manifest import Submission

NAME = "two_step/ep_lstm"


def write_key(folder: Path, name: str, key: Any = None) -> tuple[Path, Path]:
    """(private, public) key files."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_key(tmp_path_factory.mktemp("keys"), "publisher")


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERASMETA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KERASMETA_REQUIRE_SIGNATURE", raising=False)


@pytest.fixture
def signed(
    tmp_path: Path, submission: Submission, write: Any, keys: tuple[Path, Path]
) -> zoo.Registry:
    registry = zoo.Registry(tmp_path / "registry")
    registry.publish(NAME, submission, write, sign=keys[0])
    return registry


@pytest.fixture
def web(signed: zoo.Registry) -> Iterator[Behaviour]:
    with serving(signed.path) as behaviour:
        yield behaviour


def test_what_was_signed_is_accepted(
    signed: zoo.Registry, web: Behaviour, keys: tuple[Path, Path]
) -> None:
    here, _ = checked(NAME, signed, require_signature=keys[1])
    there, path = checked(NAME, web.url, require_signature=keys[1])
    assert here == there == signed.verify(NAME)
    assert (path / "model.sig").read_bytes() == (
        signed.directory(NAME) / "model.sig"
    ).read_bytes()


def test_a_key_of_somebody_else(signed: zoo.Registry, tmp_path: Path) -> None:
    _, other = write_key(tmp_path, "other")
    with pytest.raises(UserError, match="has no signature of that key") as said:
        checked(NAME, signed, require_signature=other)
    assert "\n" not in str(said.value)


def test_what_nobody_signed(registry: zoo.Registry, keys: tuple[Path, Path]) -> None:
    checked(NAME, registry)
    with pytest.raises(UserError, match="is not signed"):
        checked(NAME, registry, require_signature=keys[1])


def test_the_environment_can_require_it(
    registry: zoo.Registry, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERASMETA_REQUIRE_SIGNATURE", str(keys[1]))
    with pytest.raises(UserError, match="is not signed"):
        zoo.load(NAME, registry)


@pytest.mark.parametrize("change", ["content", "added", "removed", "manifest"])
def test_a_registry_that_deceives(
    signed: zoo.Registry, keys: tuple[Path, Path], change: str
) -> None:
    """Whoever owns the registry can make every hash fit, but not the signature."""
    directory = signed.directory(NAME)
    manifest = json.loads((directory / "manifest.json").read_text())
    if change == "content":
        (directory / "weights.safetensors").write_bytes(b"others")
    elif change == "added":
        (directory / "more").write_bytes(b"more")
    elif change == "removed":
        (directory / "config.json").unlink()
    else:
        manifest["description"] = "Another agent."
    from zoo.files import entries

    listed = [e.model_dump() for e in entries(directory) if e.path != "model.sig"]
    (directory / "manifest.json").write_text(json.dumps({**manifest, "files": listed}))
    signed.rebuild_index()
    signed.verify(NAME)
    with pytest.raises(UserError, match="has no signature of that key"):
        checked(NAME, signed, require_signature=keys[1])


def test_a_signature_of_another_version(
    signed: zoo.Registry, submission: Submission, write: Any, keys: tuple[Path, Path]
) -> None:
    second = signed.publish(NAME, submission, write, sign=keys[0]).path
    shutil.copy(signed.directory(f"{NAME}@1") / "model.sig", second / "model.sig")
    with pytest.raises(UserError, match="SHA-256"):
        signed.verify(f"{NAME}@2")
    signed.rebuild_index()
    with pytest.raises(UserError, match="has no signature of that key"):
        checked(f"{NAME}@2", signed, require_signature=keys[1])


@pytest.mark.parametrize("place", [0, 100, -2])
def test_a_damaged_signature(
    signed: zoo.Registry, keys: tuple[Path, Path], place: int
) -> None:
    path = signed.directory(NAME) / "model.sig"
    data = bytearray(path.read_bytes())
    data[place] ^= 0x15
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"model\.sig"):
        signed.verify(NAME)
    with pytest.raises(UserError, match="has no signature of that key") as said:
        signing.check(signed.directory(NAME), keys[1])
    assert "\n" not in str(said.value)


def test_a_signature_that_is_gone_over_there(web: Behaviour) -> None:
    web.statuses[f"{NAME}/1/model.sig"] = [404]
    with pytest.raises(UserError, match=r"model\.sig': is missing"):
        zoo.RemoteRegistry(web.url).directory(NAME)


def test_keys_that_are_none(
    tmp_path: Path, submission: Submission, write: Any, signed: zoo.Registry
) -> None:
    (tmp_path / "none.pem").write_text("not a key")
    private, public = write_key(
        tmp_path, "rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    for key in (tmp_path / "none.pem", public, private):
        registry = zoo.Registry(tmp_path / "new")
        with pytest.raises(UserError, match="cannot be signed with"):
            registry.publish(NAME, submission, write, sign=key)
        assert not registry.index().agents
    for key in (tmp_path / "none.pem", public):
        with pytest.raises(UserError, match="require_signature"):
            signing.check(signed.directory(NAME), key)
    with pytest.raises(UserError, match="is not a file"):
        signing.required_key(tmp_path / "typo.pem")
    with pytest.raises(UserError, match="is not a file"):
        signing.private_key(tmp_path / "typo.pem")


def test_the_extra_to_install_is_named(
    signed: zoo.Registry, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(UserError, match=r"pip install 'kerasmeta\[sign\]'"):
        signing.check(signed.directory(NAME), keys[1])
    with pytest.raises(UserError, match=r"pip install 'kerasmeta\[sign\]'"):
        signing.private_key(keys[0])
