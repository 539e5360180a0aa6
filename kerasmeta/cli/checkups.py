"""What `kerasmeta doctor` looks at. A checkup never raises, and says how to mend."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.cli.quiet import start_tensorflow
from kerasmeta.errors import UserError
from kerasmeta.version import __version__

WELL, NOTE, WRONG = "well", "note", "wrong"

PYTHONS = ((3, 11), (3, 13))  # the first and the last
TF_AGENTS = "pip install --no-deps tf-agents==0.19.0 gym==0.25.2 gym-notices gin-config"
SPACE = 200e6  # bytes in the cache's file system, for some agents


class Checkup(NamedTuple):
    """What one check found."""

    name: str
    status: str  # WELL, NOTE (it works, something lacks) or WRONG
    found: str
    fix: str = ""


def checkups(registry: list[str] | None = None, offline: bool = False) -> list[Checkup]:
    """All checks, in the order in which to mend."""
    found = [_python(), *_packages(), _tf_agents(), _same_minor(), _keras()]
    if found[-1].status == WELL:
        found.append(_gpu())
    return [*found, _cache(), _registry(registry, offline), *_extras()]


def _python() -> Checkup:
    version = f"{platform.python_version()}, kerasmeta {__version__}"
    first, last = PYTHONS
    if first <= sys.version_info[:2] <= last:
        return Checkup("python", WELL, version)
    fix = "make an environment with Python 3.11, 3.12 or 3.13"
    return Checkup("python", WRONG, version, fix)


def version_of(package: str) -> str | None:
    """The installed version; None where there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requirements(extra: str = "") -> Iterator[Any]:
    """What kerasmeta's own metadata requires, with an extra or without."""
    from packaging.requirements import Requirement

    for line in importlib.metadata.requires("kerasmeta") or ():
        requirement = Requirement(line)
        here = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if extra:
            marker = requirement.marker
            here = not here and marker is not None and marker.evaluate({"extra": extra})
        if here:
            yield requirement


def _packages() -> Iterator[Checkup]:
    """A line a package that is missing or of another version; or one for all."""
    try:
        requirements = list(_requirements())
    except importlib.metadata.PackageNotFoundError:
        fix = "pip install . in a checkout"
        yield Checkup("packages", WRONG, "kerasmeta itself is not installed", fix)
        return
    bad = []
    for one in requirements:
        version = version_of(one.name)
        if version is None or not one.specifier.contains(version, prereleases=True):
            found = f"{version or 'not installed'}, {one.specifier or 'any'} is needed"
            bad.append(Checkup(one.name, WRONG, found, f"pip install '{one}'"))
    if bad:
        yield from bad
    else:
        main = ("tensorflow", "tf-keras", "numpy", "gymnasium")
        versions = [f"{name} {version_of(name)}" for name in main]
        yield Checkup("packages", WELL, ", ".join(versions))


def _tf_agents() -> Checkup:
    version = version_of("tf-agents")
    if version == "0.19.0":
        return Checkup("tf-agents", WELL, version)
    found = version or "not installed (it cannot be declared)"
    return Checkup("tf-agents", WRONG, found, TF_AGENTS)


def _same_minor() -> Checkup:
    """tf-keras is made for one minor version of TensorFlow."""
    tensorflow, keras = version_of("tensorflow"), version_of("tf-keras")
    found = f"TensorFlow {tensorflow}, tf-keras {keras}"
    if not (tensorflow and keras) or _minor(tensorflow) == _minor(keras):
        return Checkup("tf-keras", WELL, found)
    fix = f"pip install 'tf-keras=={_minor(tensorflow)}.*'"
    return Checkup("tf-keras", WRONG, found, fix)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _keras() -> Checkup:
    """Whether the process has Keras 2, and XLA compiles."""
    try:
        start_tensorflow()
    except UserError as error:
        return Checkup("keras", WRONG, error.problem, error.fix)
    except Exception as error:  # whatever a broken installation raises
        lines = str(error).strip().splitlines() or [type(error).__name__]
        fix = "mend the packages above, or make a new environment"
        return Checkup("keras", WRONG, f"TensorFlow fails: {lines[0]}", fix)
    return Checkup("keras", WELL, f"Keras 2 ({version_of('tf-keras')}), XLA compiles")


def _gpu() -> Checkup:
    from kerasmeta._keras import tf

    names = [device.name for device in tf.config.list_physical_devices("GPU")]
    if names:
        return Checkup("gpu", WELL, f"{len(names)}: {', '.join(names)}")
    cores = f"none; {os.cpu_count()} CPU cores"
    if shutil.which("nvidia-smi") is None:
        return Checkup("gpu", WELL, cores)
    fix = "pip install 'tensorflow[and-cuda]', of the version above"
    return Checkup("gpu", NOTE, f"{cores}; there is one TensorFlow does not see", fix)


def _cache() -> Checkup:
    """Whether agents from elsewhere can be kept."""
    from zoo.cache import ENVIRONMENT, Cache

    root = Cache().root
    fix = f"set {ENVIRONMENT} to a directory you may write to"
    place = next(one for one in (root, *root.parents) if one.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        return Checkup("cache", WRONG, f"{place} cannot be written", fix)
    free = shutil.disk_usage(place).free
    found = f"{root}, {free / 1e9:,.1f} GB free"
    return (
        Checkup("cache", WELL, found)
        if free > SPACE
        else Checkup("cache", NOTE, found, f"kerasmeta zoo cache prune, or {fix}")
    )


def _registry(registry: list[str] | None, offline: bool) -> Checkup:
    """Whether agents are found, and the first one is whole."""
    import zoo
    from zoo.loading import checked

    try:
        opened = zoo.open_registry(registry, offline or None)
        agents = opened.list()
        for manifest in agents[:1]:
            checked(f"{manifest.id}@{manifest.version}", opened)
    except UserError as error:
        return Checkup("registry", WRONG, f"{error.value}: {error.problem}", error.fix)
    except OSError as error:
        reason = error.strerror or str(error)
        fix = "correct --registry or KERASMETA_REGISTRY, or add --offline"
        return Checkup("registry", WRONG, reason, fix)
    return Checkup(
        "registry", WELL, f"{len(agents)} agents in {_short(opened.address)}"
    )


def _short(address: Any) -> str:
    """An address; of a folder below the home directory with ~."""
    text, home = str(address), str(Path.home())
    return f"~{text[len(home) :]}" if text.startswith(f"{home}/") else text


def _extras() -> list[Checkup]:
    """What is optional and not there."""

    def missing(extra: str) -> list[str]:
        names = [one.name for one in _requirements(extra)]
        return [name for name in names if version_of(name) is None]

    found = []
    try:
        extras = importlib.metadata.metadata("kerasmeta").get_all("Provides-Extra")
    except importlib.metadata.PackageNotFoundError:
        return []
    for extra in extras or []:
        if lacking := missing(extra):
            text = f"without {', '.join(lacking)}"
            fix = f"pip install 'kerasmeta[{extra}]', if you need it"
            found.append(Checkup(f"extra {extra}", NOTE, text, fix))
    return found
